#include "generator/render/render.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Example {
  std::string name;
  std::string environment;
};

class EveryExample : public testing::TestWithParam<Example> {
 protected:
  [[nodiscard]] plan::Plan planned() const {
    return plan::example(GetParam().name, GetParam().environment).plan;
  }
};

INSTANTIATE_TEST_SUITE_P(Render, EveryExample,
                         testing::Values(Example{"quickstart", ""}, Example{"agentik", ""},
                                         Example{"agentik", "development"}, Example{"devtools", ""},
                                         Example{"devtools", "demo"}, Example{"nginx", ""}),
                         [](const auto& example) {
                           return example.param.name + example.param.environment;
                         });

TEST_P(EveryExample, GivesTheSameBytesEveryTimeSortedByPath) {
  const auto first = rendered(planned());
  const auto second = rendered(planned());
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].path, second[i].path);
    EXPECT_EQ(first[i].bytes, second[i].bytes);
    EXPECT_TRUE(i == 0 || first[i - 1].path < first[i].path) << first[i].path;
    EXPECT_TRUE(first[i].mode == 0644 || first[i].mode == 0755);
    EXPECT_TRUE(first[i].owner.starts_with('/')) << first[i].path;
    EXPECT_THAT(first[i].bytes, Not(HasSubstr(CAISSON_SOURCE_DIR)));
  }
}

TEST_P(EveryExample, HardensEveryComposeService) {
  const auto artifacts = rendered(planned());
  const auto compose = YAML::Load(artifact(artifacts, "compose/compose.yaml").bytes);
  EXPECT_FALSE(compose["version"]);
  for (const auto& entry : compose["services"]) {
    const auto name = entry.first.as<std::string>();
    const auto service = entry.second;
    EXPECT_TRUE(service["read_only"].as<bool>()) << name;
    EXPECT_EQ(service["cap_drop"].as<std::vector<std::string>>(), std::vector<std::string>{"ALL"});
    EXPECT_FALSE(service["cap_add"]) << name;
    EXPECT_FALSE(service["privileged"]) << name;
    EXPECT_EQ(service["security_opt"][0].as<std::string>(), "no-new-privileges:true");
    EXPECT_TRUE(service["restart"].as<std::string>().starts_with("on-failure:")) << name;
    EXPECT_GT(service["pids_limit"].as<int>(), 0) << name;
    EXPECT_EQ(service["mem_limit"].as<std::string>(), service["memswap_limit"].as<std::string>());
    EXPECT_TRUE(service["cpus"]) << name;
    EXPECT_TRUE(service["logging"]["options"]["max-size"]) << name;
    EXPECT_TRUE(service["logging"]["options"]["max-file"]) << name;
    EXPECT_TRUE(service["healthcheck"]["test"]) << name;
    EXPECT_THAT(service["user"].as<std::string>(),
                testing::MatchesRegex("[1-9][0-9]+:[1-9][0-9]+"));
    EXPECT_EQ(static_cast<bool>(service["ports"]), name == "edge") << name;
  }
}

TEST_P(EveryExample, LetsOnlyPlannedNetworksReachOutside) {
  const auto planned_stack = planned();
  const auto artifacts = rendered(planned_stack);
  const auto compose = YAML::Load(artifact(artifacts, "compose/compose.yaml").bytes);
  for (const auto& entry : compose["networks"]) {
    const auto name = entry.first.as<std::string>();
    const auto network = std::ranges::find(planned_stack.networks, name, &plan::Network::name);
    ASSERT_NE(network, planned_stack.networks.end()) << name;
    EXPECT_EQ(entry.second["internal"] && entry.second["internal"].as<bool>(), network->internal);
  }
}

TEST_P(EveryExample, RoutesNothingToAnOperatorApi) {
  const auto artifacts = rendered(planned());
  const std::string edge = GetParam().name == "nginx" ? "nginx.conf" : "Caddyfile";
  EXPECT_THAT(artifact(artifacts, "compose/" + edge).bytes, Not(HasSubstr("9090")));
  const auto stack = YAML::Load(artifact(artifacts, "local/stack.json").bytes);
  const auto written = artifact(artifacts, "local/" + edge).bytes;
  int operators = 0;
  for (const auto& process : stack["processes"]) {
    if (!process["ports"]["operator"]) continue;
    ++operators;
    EXPECT_THAT(written, Not(HasSubstr(":" + process["ports"]["operator"].as<std::string>())));
  }
  EXPECT_GT(operators, 0);
}

/// Elsewhere a service finds another by its name: all share one address here.
TEST(LocalTarget, TellsAServiceWhereWhatItNeedsIs) {
  const auto artifacts = rendered(plan::plan_of(R"(caisson: v1
name: acme
version: 1.0.0
tenants: [{ slug: globex }]
services:
  word-index: { image: "registry.example/x:1", port: 8000, local: { command: [index] } }
  own: { image: "registry.example/x:1", port: 8001, replica-per-tenant: true, needs: [word-index], local: { command: [own] } }
  fixed:
    image: "registry.example/x:1"
    needs: [word-index, own]
    env: { WORD_INDEX_HOST: elsewhere.example }
    local: { command: [fixed] }
)")
                                      .plan,
                                  {Target::local});
  const auto stack = YAML::Load(artifact(artifacts, "local/stack.json").bytes);
  std::map<std::string, YAML::Node> processes;
  for (const auto& process : stack["processes"])
    processes.emplace(process["name"].as<std::string>(), process);
  const auto port = processes.at("word-index")["ports"]["http"].as<std::string>();
  const auto own = processes.at("own-globex")["env"];
  EXPECT_EQ(own["WORD_INDEX_HOST"].as<std::string>(), "127.0.0.1");
  EXPECT_EQ(own["WORD_INDEX_PORT"].as<std::string>(), port);
  const auto fixed = processes.at("fixed")["env"];
  EXPECT_EQ(fixed["WORD_INDEX_HOST"].as<std::string>(), "elsewhere.example");
  EXPECT_FALSE(fixed["OWN_HOST"]) << "it works for all tenants";
  EXPECT_FALSE(processes.at("word-index")["env"]["OWN_HOST"]) << "it does not need it";
}

/// A service knows its port on target local by PORT, unless the spec sets that itself.
TEST(LocalTarget, TellsAServiceItsPort) {
  const auto artifacts = rendered(plan::plan_of(R"(caisson: v1
name: acme
version: 1.0.0
tenants: []
services:
  catalog: { image: "registry.example/x:1", port: 8000, local: { command: [serve] } }
  fixed: { image: "registry.example/x:1", port: 8001, env: { PORT: "8001" }, local: { command: [serve] } }
  sealed: { image: "registry.example/x:1", port: 8002, env: { PORT: "${secret:p}" }, local: { command: [serve] } }
  quiet: { image: "registry.example/x:1", local: { command: [serve] } }
secrets: { p: { from: generate } }
)",
                                                {}, CAISSON_SOURCE_DIR)
                                      .plan);
  const auto stack = YAML::Load(artifact(artifacts, "local/stack.json").bytes);
  std::map<std::string, YAML::Node> processes;
  for (const auto& process : stack["processes"])
    processes.emplace(process["name"].as<std::string>(), process);
  const auto& catalog = processes.at("catalog");
  EXPECT_EQ(catalog["env"]["PORT"].as<std::string>(), catalog["ports"]["http"].as<std::string>());
  EXPECT_EQ(catalog["ready"]["spec-port"].as<int>(), 8000);
  EXPECT_EQ(processes.at("fixed")["env"]["PORT"].as<std::string>(), "8001");
  EXPECT_FALSE(processes.at("sealed")["env"]["PORT"]);
  EXPECT_FALSE(processes.at("quiet")["env"]["PORT"]);
  EXPECT_FALSE(processes.at("runtime")["ready"]["spec-port"]);
}

TEST_P(EveryExample, GivesLocalProcessesDistinctPorts) {
  const auto artifacts = rendered(planned());
  const auto stack = YAML::Load(artifact(artifacts, "local/stack.json").bytes);
  std::set<int> ports;
  for (const auto& process : stack["processes"]) {
    for (const auto& port : process["ports"]) {
      EXPECT_TRUE(ports.insert(port.second.as<int>()).second);
      EXPECT_GE(port.second.as<int>(), 18080);
    }
    if (process["role"].as<std::string>() == "runtime") {
      const auto config =
          YAML::Load(artifact(artifacts, "local/" + process["config"].as<std::string>()).bytes);
      EXPECT_EQ(config["listen"]["data"].as<std::string>(),
                "127.0.0.1:" + process["ports"]["data"].as<std::string>());
      EXPECT_EQ(config["listen"]["metrics"].as<std::string>(),
                "127.0.0.1:" + process["ports"]["metrics"].as<std::string>());
    }
  }
}

TEST(Render, SplitsTenantsBetweenRuntimes) {
  const auto artifacts = rendered(plan::example("quickstart").plan);
  const auto shared = YAML::Load(artifact(artifacts, "compose/runtime.json").bytes);
  const auto own = YAML::Load(artifact(artifacts, "compose/runtime-umbrella.json").bytes);
  EXPECT_FALSE(shared["tenants"]) << "a change of a tenant would be one of the configuration";
  EXPECT_FALSE(shared["tiers"]) << "and one of a tier";
  EXPECT_EQ(shared["tenants-file"].as<std::string>(), "/etc/caisson/tenants/tenants.ndjson");
  const auto slugs = [&](const std::string& runtime) {
    std::istringstream lines(
        artifact(artifacts, "compose/tenants/" + runtime + "/tenants.ndjson").bytes);
    std::vector<std::string> found;
    std::string line;
    std::getline(lines, line);
    const auto tiers = YAML::Load(line)["tiers"];
    EXPECT_EQ(tiers.size(), 1U);
    EXPECT_TRUE(tiers[runtime == "runtime" ? "free" : "enterprise"]);
    while (std::getline(lines, line)) {
      found.push_back(YAML::Load(line)["slug"].as<std::string>());
    }
    return found;
  };
  EXPECT_EQ(slugs("runtime"), (std::vector<std::string>{"globex", "initech"}));
  EXPECT_EQ(slugs("runtime-umbrella"), std::vector<std::string>{"umbrella"});
  EXPECT_EQ(own["listen"]["operator"].as<std::string>(), "runtime-umbrella-operator:9090");
  EXPECT_EQ(own["listen"]["metrics"].as<std::string>(), "runtime-umbrella-metrics:9091");
}

TEST(Render, WritesATenantsLimitsOnlyWhereTheyDifferFromItsTier) {
  const auto artifacts = rendered(plan::example("devtools").plan);
  const auto config = YAML::Load(artifact(artifacts, "local/config/runtime.json").bytes);
  EXPECT_FALSE(config["tenants"][0]["limits"]);
  EXPECT_EQ(config["tenants"][2]["limits"].size(), 1U);
  EXPECT_EQ(config["tenants"][2]["limits"]["requests-per-second"].as<int>(), 600);
}

TEST(Render, LetsTheRuntimeTakeTheHeadersThatTheEdgeLetsIn) {
  const auto header = [](const std::string& edge) {
    const auto artifacts = rendered(
        plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n" + edge).plan);
    return YAML::Load(artifact(artifacts, "compose/runtime.json").bytes)["limits"]["header"]
        .as<int>();
  };
  EXPECT_EQ(header(""), 20'480);  // 16 KiB, and what the edge adds
  EXPECT_EQ(header("edge: { limits: { header: 64Ki } }\n"), 69'632);
  EXPECT_EQ(header("edge: { limits: { header: 2Mi } }\n"), 1'048'576);  // the runtime's own bound
}

TEST(Render, DoublesDollarsForComposeAndNothingElse) {
  const auto artifacts = rendered(plan::example("devtools").plan);
  const auto compose = YAML::Load(artifact(artifacts, "compose/compose.yaml").bytes);
  const auto env = compose["services"]["events"]["environment"];
  EXPECT_EQ(env["DOLLAR"].as<std::string>(), "cost: $$5 {{not a template}} 100%");
  EXPECT_EQ(env["RATIO"].as<std::string>(), "0.50");
}

const std::string with_a_service = R"(caisson: v1
name: shop
version: 1.0.0
tenants: []
services:
  files:
    image: r/x
    user: 20001
    storage: { path: /data }
    writable: [/scratch, { path: /cache, size: 2Gi, exec: false }]
  plain: { image: r/x, limits: { processes: 20000, files: 100000 } }
)";

TEST(Render, GivesAVolumeOfComposeToTheServicesUser) {
  const auto artifacts = rendered(plan::plan_of(with_a_service).plan, {Target::compose});
  const auto& compose = *artifact(artifacts, "compose/compose.yaml").tree;
  const auto& owner = *compose.at("/services/files-volume");
  EXPECT_EQ(*owner.at("/command/0"), Node{"own"});
  EXPECT_EQ(*owner.at("/command/1"), Node{"20001"});
  EXPECT_EQ(*owner.at("/volumes/0/source"), *compose.at("/services/files/volumes/0/source"));
  EXPECT_EQ(*owner.at("/network_mode"), Node{"none"});
  EXPECT_EQ(owner.find("networks"), nullptr);
  EXPECT_EQ(*compose.at("/services/files/depends_on/files-volume/condition"),
            Node{"service_completed_successfully"});
  EXPECT_EQ(compose.at("/services/plain-volume"), nullptr);
}

TEST(Render, TakesTheLimitsOfAServiceFromItsFields) {
  const auto artifacts =
      rendered(plan::plan_of(with_a_service).plan, {Target::compose, Target::helm});
  const auto& compose = *artifact(artifacts, "compose/compose.yaml").tree;
  EXPECT_EQ(*compose.at("/services/files/pids_limit"), Node{4096});
  EXPECT_EQ(compose.at("/services/files/ulimits/nofile"), nullptr);
  EXPECT_EQ(*compose.at("/services/plain/pids_limit"), Node{20000});
  EXPECT_EQ(*compose.at("/services/plain/ulimits/nofile/hard"), Node{100000});
  EXPECT_EQ(*compose.at("/services/runtime/ulimits/nofile/hard"), Node{16384});
  EXPECT_EQ(*compose.at("/services/files/tmpfs/0"),
            Node{"/scratch:size=268435456,mode=0700,uid=20001,gid=20001,exec,nosuid,nodev"});
  EXPECT_EQ(*compose.at("/services/files/tmpfs/1"),
            Node{"/cache:size=2147483648,mode=0700,uid=20001,gid=20001,noexec,nosuid,nodev"});
  const auto& values = *artifact(artifacts, "helm/shop/values.yaml").tree;
  EXPECT_EQ(*values.find("workloads")->find("files")->find("writable")->find("/cache"),
            Node{"2Gi"});
}

TEST(Render, ListensToBothFamilies) {
  const auto text = with_a_service + "edge: { proxy: nginx, tls: { mode: internal } }\n";
  const auto artifacts = rendered(plan::plan_of(text).plan, {Target::compose, Target::helm});
  EXPECT_EQ(*artifact(artifacts, "compose/runtime.json").tree->at("/listen/data"),
            Node{"[::]:8080"});
  EXPECT_EQ(*artifact(artifacts, "compose/compose.yaml").tree->at("/services/edge/ports/0/host_ip"),
            Node{"${EDGE_ADDRESS:-}"});
  EXPECT_THAT(artifact(artifacts, "compose/nginx.conf").bytes,
              testing::AllOf(testing::HasSubstr("listen 8443 ssl"),
                             testing::HasSubstr("listen [::]:8443 ssl")));
  EXPECT_EQ(*artifact(artifacts, "helm/shop/values.yaml").tree->find("ipFamilyPolicy"),
            Node{"PreferDualStack"});
}

TEST(Render, TracesEveryValueToTheSpecOrABlueprint) {
  const auto artifacts = rendered(plan::example("agentik").plan);
  const auto& tree = artifact(artifacts, "compose/compose.yaml").tree;
  ASSERT_NE(tree, nullptr);
  const auto origin = [&](std::string_view pointer) {
    const auto* node = tree->at(pointer);
    return node == nullptr ? Origin{} : node->origin();
  };
  EXPECT_EQ(origin("/services/runtime/mem_limit"),
            Origin(Origin::Kind::spec, "/runtime/resources/memory"));
  EXPECT_EQ(origin("/services/edge/mem_limit"), Origin(Origin::Kind::derived, "/edge"));
  EXPECT_EQ(origin("/services/runtime/cap_drop/0").kind, Origin::Kind::blueprint);
  EXPECT_TRUE(origin("/services/runtime/cap_drop/0").at.starts_with("compose/service.yaml:"));
  EXPECT_TRUE(
      origin("/services/edge/environment/XDG_DATA_HOME").at.starts_with("compose/edge.yaml:"));
}

TEST(Render, WritesOnlyTheTargetsThatAreAskedForAndOn) {
  auto planned = plan::example("quickstart").plan;
  for (const auto& file : rendered(planned, {Target::local})) {
    EXPECT_TRUE(file.path.starts_with("local/")) << file.path;
  }
  planned.targets.local.value = false;
  EXPECT_TRUE(rendered(planned, {Target::local}).empty());
}

TEST(Render, RefusesWhatACaddyfileCannotCarry) {
  auto planned = plan::example("agentik").plan;
  planned.edge.email.value = "a{env.SECRET}@example.com";
  const auto artifacts = render(planned, Blueprints{});
  ASSERT_FALSE(artifacts);
  EXPECT_THAT(artifacts.error().text(), HasSubstr("{env.SECRET}"));
}

TEST(Render, RefusesWhatAnNginxConfCannotCarry) {
  auto planned = plan::example("nginx").plan;
  for (auto& route : planned.routes) {
    if (route.tenant == "oat") route.host = "$host";
  }
  const auto artifacts = render(planned, Blueprints{});
  ASSERT_FALSE(artifacts);
  EXPECT_THAT(artifacts.error().text(), HasSubstr("$host"));
}

TEST(Edge, AsksTheRuntimeThatKnowsATenant) {
  const auto artifacts = rendered(plan::example("nginx").plan);
  EXPECT_THAT(artifact(artifacts, "compose/certificates/names").bytes,
              HasSubstr("rye.bakery.example.com http://runtime:8080/ask\n"
                        "orders.rye.example http://runtime:8080/ask\n"));
  EXPECT_THAT(artifact(artifacts, "compose/certificates/names").bytes,
              HasSubstr("oat.example http://runtime-oat:8080/ask\n"));
  EXPECT_THAT(artifact(artifacts, "compose/certificates/names").bytes,
              HasSubstr("\nbakery.example.com -\n* http://runtime:8080/ask\n"));
  // Caddy asks one place, which knows the same.
  const auto caddy =
      artifact(rendered(plan::example("quickstart").plan), "compose/Caddyfile").bytes;
  EXPECT_THAT(caddy, HasSubstr("query domain=umbrella.acme.localhost\n"));
}

TEST(Edge, LimitsBodiesByWhatIsBehind) {
  const auto conf = artifact(rendered(plan::example("nginx").plan), "compose/nginx.conf").bytes;
  EXPECT_THAT(conf, HasSubstr("client_max_body_size 1048576;\n\t\t\tset $instance runtime:8080;"));
  EXPECT_THAT(conf, HasSubstr("client_max_body_size 65536;"));  // the dashboard takes nothing
  // How often somebody may ask is the runtime's to know, which an operator may tell otherwise.
  EXPECT_THAT(conf, ::testing::Not(HasSubstr("limit_req")));
}

TEST(Edge, OpensAsManyFilesAsItHasConnections) {
  const auto bounds = [](const std::string& proxy, const std::string& connections) {
    const auto artifacts = rendered(
        plan::plan_of(
            "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\nedge: { proxy: " + proxy +
            ", tls: { mode: off }, limits: { connections: " + connections + " } }\n")
            .plan,
        {Target::compose});
    const auto& compose = *artifact(artifacts, "compose/compose.yaml").tree;
    return std::pair(*compose.at("/services/edge/ulimits/nofile/hard"),
                     *compose.at("/services/edge/mem_limit"));
  };
  for (const std::string proxy : {"caddy", "nginx"}) {
    EXPECT_EQ(bounds(proxy, "8000"), std::pair(Node{16384}, Node{"256m"}));
    EXPECT_EQ(bounds(proxy, "0"), std::pair(Node{65536}, Node{"256m"}));
    EXPECT_EQ(bounds(proxy, "8001"), std::pair(Node{65536}, Node{"256m"}));
    EXPECT_EQ(bounds(proxy, "65535"), std::pair(Node{131454}, Node{"2097120k"}));
  }
}

TEST(Edge, DropsTheTenantHeaderThatTheRuntimeDoesNotTake) {
  const auto conf = [](const std::string& auth) {
    const auto planned =
        plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n" + auth).plan;
    return artifact(rendered(planned), "compose/Caddyfile").bytes;
  };
  EXPECT_THAT(conf(""), Not(HasSubstr("-Caisson-Tenant\n")));
  EXPECT_THAT(conf("auth: { resolve: [subdomain, token] }\n"), HasSubstr("-Caisson-Tenant\n"));
}

TEST(Render, RefusesMorePortsThanThereAre) {
  auto planned = plan::example("quickstart").plan;
  planned.targets.local_port.value = 65534;
  const auto artifacts = render(planned, Blueprints{});
  ASSERT_FALSE(artifacts);
  EXPECT_THAT(artifacts.error().text(), HasSubstr("targets.local"));
}

TEST(Render, TakesTenThousandTenants) {
  std::string yaml = "caisson: v1\nname: big\nversion: 1.0.0\ntenants:\n";
  for (int i = 0; i < 10000; ++i) yaml += "  - { slug: t" + std::to_string(i) + " }\n";
  const auto artifacts = rendered(plan::plan_of(yaml).plan);
  const auto& config = artifact(artifacts, "local/config/runtime.json");
  EXPECT_NE(config.tree->at("/tenants/9999"), nullptr);
  for (const auto* file : {"compose/tenants/runtime/tenants.ndjson",
                           "systemd/config/tenants/runtime/tenants.ndjson"}) {
    EXPECT_EQ(artifact(artifacts, file).lines.size(), 10'001U);
  }
  // Tenants of the shared runtime need no site of their own.
  EXPECT_LT(artifact(artifacts, "compose/Caddyfile").bytes.size(), 8192U);
}

TEST(Blueprints, AreReplacedByNameAlone) {
  const auto planned = plan::example("quickstart").plan;
  auto text = std::string(*Blueprints{}.text("compose/service.yaml"));
  text.replace(text.find("on-failure:5"), 12, "on-failure:9");
  const auto replaced = Blueprints::with({{"compose/service.yaml", text}});
  ASSERT_TRUE(replaced);
  EXPECT_NE(replaced->revision(), Blueprints{}.revision());
  const auto artifacts = render(planned, *replaced);
  ASSERT_TRUE(artifacts);
  EXPECT_THAT(artifact(*artifacts, "compose/compose.yaml").bytes, HasSubstr("on-failure:9"));

  EXPECT_FALSE(Blueprints::with({{"compose/servce.yaml", text}}));
  const auto broken = Blueprints::with({{"compose/service.yaml", "a: 1\na: 2\n"}});
  ASSERT_TRUE(broken);
  const auto failed = render(planned, *broken);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().text(), HasSubstr("compose/service.yaml:2"));
}

plan::Plan patched(const std::string& patch) {
  return plan::plan_of("caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\npatches:\n  - " +
                       patch + "\n")
      .plan;
}

TEST(Patches, MergeSetAndRemoveWithTheirOwnOrigin) {
  auto artifacts =
      rendered(patched("{ file: compose/compose.yaml, at: /services/runtime, merge: { mem_limit: "
                       "2g, labels: { a: b } }, "
                       "reason: test }"));
  const auto& tree = *artifact(artifacts, "compose/compose.yaml").tree;
  EXPECT_EQ(*tree.at("/services/runtime/mem_limit"), Node("2g"));
  EXPECT_EQ(*tree.at("/services/runtime/labels/a"), Node("b"));
  EXPECT_EQ(*tree.at("/services/runtime/labels/caisson.role"), Node("runtime"));
  EXPECT_EQ(tree.at("/services/runtime/mem_limit")->origin().at, "/patches/0");

  artifacts =
      rendered(patched("{ file: compose/compose.yaml, at: /services/*/restart, set: 'no', expect: "
                       "6, reason: test }"));
  EXPECT_EQ(*artifact(artifacts, "compose/compose.yaml").tree->at("/services/edge/restart"),
            Node("no"));

  artifacts =
      rendered(patched("{ file: compose/compose.yaml, at: /services/runtime/cap_drop/0, remove: "
                       "true, reason: test }"));
  EXPECT_TRUE(
      artifact(artifacts, "compose/compose.yaml").tree->at("/services/runtime/cap_drop")->empty());
}

TEST(Patches, AreMistakesWhenTheyMatchAnotherNumberOfPlacesOrNoFile) {
  const auto mistake = [](const std::string& patch) {
    std::vector<Mistake> mistakes;
    const auto artifacts = render(patched(patch), Blueprints{}, TargetSet::all(), mistakes);
    EXPECT_TRUE(artifacts);
    EXPECT_EQ(mistakes.size(), 1U) << patch;
    if (mistakes.empty()) return std::string{};
    const auto& [code, pointer, message, remedy, severity] = mistakes.front();
    EXPECT_EQ(severity, source::Severity::error);
    return std::string(code) + " " + pointer + " " + message + "; " + remedy;
  };
  EXPECT_EQ(
      mistake("{ file: compose/compose.yaml, at: /services/runtme, merge: { a: b }, reason: x }"),
      "E0307 /patches/0/at '/services/runtme' is at 0 places of 'compose/compose.yaml', not at 1; "
      "did you mean '/services/runtime'?");
  EXPECT_EQ(
      mistake("{ file: compose/compose.yaml, at: /services/*/restart, set: always, reason: x }"),
      "E0307 /patches/0/expect '/services/*/restart' is at 6 places of 'compose/compose.yaml', not "
      "at 1; correct it, or say `expect: 6`");
  EXPECT_THAT(mistake("{ file: compose/compose.yaml, at: '', set: 1, reason: x }"),
              HasSubstr("the whole file"));
  EXPECT_THAT(mistake("{ file: compose/README.md, at: /a, set: b, reason: x }"),
              HasSubstr("E0303 /patches/0/file 'compose/README.md' is text; only files with values "
                        "can be patched; replace its blueprint 'compose/README.md'"));
  EXPECT_THAT(
      mistake("{ file: compose/tenants/runtime/tenants.ndjson, at: /a, set: b, reason: x }"),
      HasSubstr("can be patched; it has no blueprint; change '/tenants' of the spec"));
  EXPECT_THAT(mistake("{ file: compose/compose.yaml, at: /colour/x, set: 1, reason: x }"),
              HasSubstr("; at the top there is name, "));
  EXPECT_THAT(mistake("{ file: compose/compos.yaml, at: /a, set: b, reason: x }"),
              HasSubstr("did you mean 'compose/compose.yaml'?"));
  // Without a place to show, the first of them fails.
  const auto failed =
      render(patched("{ file: local/stack.json, at: /x/y, set: 1, reason: x }"), Blueprints{});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().text(), HasSubstr("is at 0 places"));
}

}  // namespace
}  // namespace caisson::render
