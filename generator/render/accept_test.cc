// Generated trees, held against tools that were not written here.

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "generator/render/nginx_conf.h"
#include "generator/render/render_testing.h"
#include "runtime/context/configuration.h"

namespace caisson::render {
namespace {

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (const auto size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), size);
  }
  outcome.status = pclose(pipe);
  return outcome;
}

const std::string here = std::string(CAISSON_SOURCE_DIR) + "/generator/render/";

class Accepted : public testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  void SetUp() override {
    tree_.write(rendered(plan::example(GetParam().first, GetParam().second).plan));
  }
  [[nodiscard]] std::string path(const std::string& below) const {
    return "'" + (tree_.path() / below).string() + "'";
  }
  static void expect_fine(const std::string& command) {
    const auto outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }

  TemporaryDirectory tree_;
};

INSTANTIATE_TEST_SUITE_P(Render, Accepted,
                         testing::Values(std::pair{"quickstart", ""}, std::pair{"agentik", ""},
                                         std::pair{"agentik", "development"},
                                         std::pair{"devtools", ""}, std::pair{"devtools", "demo"},
                                         std::pair{"nginx", ""}),
                         [](const auto& example) {
                           return std::string(example.param.first) + example.param.second;
                         });

TEST_P(Accepted, ByYaml11JsonAndTheComposeSchema) {
  expect_fine("python3 '" + here + "accept_artifacts.py' '" + here +
              "schemas/compose-spec/compose-spec.json' " + path(""));
}

TEST_P(Accepted, ByYamllint) {
  expect_fine("yamllint --strict -d '{extends: default, rules: {line-length: disable}}' " +
              path("compose/compose.yaml"));
}

TEST_P(Accepted, ByTheProxy) {
  if (GetParam().first == std::string("nginx")) {
    for (const auto* target : {"compose", "local"}) {
      // Its own place for temporary files; everything else as it is.
      const auto file = (tree_.path() / target / "nginx.conf").string();
      const auto scratch = (tree_.path() / "scratch").string();
      std::filesystem::create_directories(scratch);
      expect_fine("sed -i 's#/tmp/#" + scratch + "/#; s#data/edge/#" + scratch + "/#' " + file);
      expect_fine("PATH=$PATH:/usr/sbin nginx -t -q -e stderr -c " + file);
    }
    return;
  }
  for (const auto* target : {"compose", "local"}) {
    const auto file = path(std::string(target) + "/Caddyfile");
    expect_fine("XDG_CONFIG_HOME=" + path("xdg") + " XDG_DATA_HOME=" + path("xdg") +
                " caddy validate --adapter caddyfile --config " + file);
    expect_fine("caddy fmt " + file + " | diff - " + file);
  }
}

TEST_P(Accepted, ByShellcheckAndTheShell) {
  const auto script = path("compose/secrets/generate.sh");
  expect_fine("shellcheck " + script);
  if (std::filesystem::exists(tree_.path() / "compose/certificates.sh")) {
    expect_fine("shellcheck " + path("compose/certificates.sh"));
  }
  // Run for real: what can be made is made once, and what cannot is named.
  const auto first = run("cd " + path("compose") + " && PAGERDUTY_KEY=x secrets/generate.sh");
  EXPECT_EQ(run("stat -c %a " + path("compose/secrets")).output, "700\n");
  EXPECT_EQ(run("stat -c %a " + path("compose/secrets/operator-token")).output, "440\n");
  const auto token = run("cat " + path("compose/secrets/operator-token")).output;
  EXPECT_EQ(token.size(), 43U);
  EXPECT_EQ(first.output.find(token), std::string::npos);
  const auto second = run("cd " + path("compose") + " && PAGERDUTY_KEY=x secrets/generate.sh");
  EXPECT_EQ(second.output, first.output);
  EXPECT_EQ(run("cat " + path("compose/secrets/operator-token")).output, token);
}

TEST_P(Accepted, ByTheRuntime) {
  const auto local = tree_.path() / "local";
  std::filesystem::create_directories(local / "secrets");
  int read = 0;
  const auto planned = plan::example(GetParam().first, GetParam().second).plan;
  for (const auto& secret : planned.secrets) {
    const auto file = local / "secrets" / secret.name;
    std::ofstream(file) << std::string(43, 'x');
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  }
  for (const auto& instance : planned.instances) {
    if (instance.role != plan::Role::runtime) continue;
    const auto config = context::load_configuration(local / "config" / (instance.name + ".json"));
    // Stores outside the runtime are not its business yet, and it says so by the key's name.
    const bool stores = planned.database.engine.value == plan::Database::Engine::postgres;
    ASSERT_EQ(config.has_value(), !stores)
        << config.error().front().pointer << " " << config.error().front().detail;
    ++read;

    // In a container everything but the places of secrets and tenants is the same to the reader.
    auto text = run("cat " + path("compose/" + instance.name + ".json")).output;
    const auto secrets = (local / "secrets").string();
    for (auto at = text.find("/run/secrets"); at != std::string::npos;
         at = text.find("/run/secrets", at + 1)) {
      text.replace(at, std::string_view("/run/secrets").size(), secrets);
    }
    const std::string_view there = "/etc/caisson/tenants";
    ASSERT_NE(text.find(there), std::string::npos);
    text.replace(text.find(there), there.size(),
                 (tree_.path() / "compose/tenants" / instance.name).string());
    const auto contained = context::parse_configuration(text, local);
    ASSERT_EQ(contained.has_value(), !stores) << text;
    if (stores) {
      EXPECT_EQ(contained.error().front().pointer, "/database");
    }
  }
  EXPECT_GT(read, 0);
}

/// The rules of a Dockerfile linter that apply to images without a distribution inside.
TEST_P(Accepted, ByTheRulesForDockerfiles) {
  const bool nginx = GetParam().first == std::string("nginx");
  for (const std::string name : {"runtime", "dashboard", "edge", "certificates"}) {
    if (name == "certificates" && !nginx) continue;
    const auto text = run("cat " + path("docker/" + name + ".Dockerfile")).output;
    const auto last_stage = text.substr(text.rfind("\nFROM "));
    // nginx and certbot are not static: they stay in their images.
    const bool foreign = nginx && (name == "edge" || name == "certificates");
    EXPECT_EQ(last_stage.find("\nFROM scratch\n") == std::string::npos, foreign) << name;
    EXPECT_NE(last_stage.find("\nUSER 10001:10001\n"), std::string::npos) << name;      // DL3002
    EXPECT_NE(last_stage.find("\nHEALTHCHECK --interval"), std::string::npos) << name;  // DL3057
    EXPECT_EQ(text.find(":latest"), std::string::npos) << name;                         // DL3007
    EXPECT_EQ(text.find("\nADD "), std::string::npos) << name;                          // DL3020
    for (const auto* form : {"\nCMD ", "\nENTRYPOINT ", "\nRUN "}) {                    // DL3025
      for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 1)) {
        EXPECT_EQ(text[at + std::string(form).size()], '[') << name;
      }
    }
  }
}

/// A secret is one value, whatever is in it: what a service reads from the file is what it finds in
/// its environment.
TEST(ComposeSecrets, AreTheSameAsAFileAndAsAVariable) {
  const std::vector<std::string> values{"plain",
                                        "a$b ${HOME} $$c $(id)",
                                        "it's",
                                        "say \"so\"",
                                        "both ' and \" and $x and \\ and `id`",
                                        "ends with \\",
                                        "\\n is no line",
                                        "two\nlines",
                                        "ends with a line\n",
                                        "# no comment",
                                        "  blanks  ",
                                        "a=b",
                                        "\t\u00e4\u4e2d"};
  const TemporaryDirectory tree;
  const auto place = tree.path();
  std::string spec = "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nsecrets:\n";
  std::string names;
  std::string variables;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto name = "s" + std::to_string(i);
    spec += "  " + name + ": { from: { file: { path: source/" + name + " } } }\n";
    names += (i == 0 ? "" : ", ") + name;
    variables += (i == 0 ? "" : ", ") + ("V" + std::to_string(i)) + ": '${secret:" + name + "}'";
    std::filesystem::create_directories(place / "source");
    std::ofstream(place / "source" / name, std::ios::binary) << values[i];
  }
  spec +=
      "services: { app: { image: r/x, secrets: [" + names + "], env: { " + variables + " } } }\n";
  tree.write(rendered(plan::plan_of(spec).plan, {Target::compose}));
  const auto compose = place / "compose";
  // Twice: what is there already is replaced, not repeated.
  for (int i = 0; i < 2; ++i) {
    const auto made =
        run("chmod +x '" + compose.string() + "/secrets/generate.sh' && SOURCE_DIR='" +
            place.string() + "' '" + compose.string() + "/secrets/generate.sh'");
    ASSERT_EQ(made.status, 0) << made.output;
  }
  const auto shown = run("cd '" + compose.string() + "' && \"$('" + CAISSON_SOURCE_DIR +
                         "/scripts/test-tools')/docker-compose\" config --format json > "
                         "shown.json && python3 - <<'E'\n"
                         "import json, pathlib\n"
                         "env = json.load(open('shown.json'))['services']['app']['environment']\n"
                         "for name, value in env.items():\n"
                         "    file = pathlib.Path('secrets/s' + name[1:]).read_bytes().decode()\n"
                         "    # config doubles the dollars of what it prints\n"
                         "    assert value.replace('$$', '$') == file, (name, value, file)\n"
                         "assert len(env) == " +
                         std::to_string(values.size()) + ", env\nE\ntest $? = 0");
  EXPECT_EQ(shown.status, 0) << shown.output;
}

/// Every way of getting certificates, with and without proxies in front and a shared runtime.
TEST(NginxConf, IsAcceptedByNginxInEveryMode) {
  const TemporaryDirectory tree;
  const auto place = tree.path().string();
  ASSERT_EQ(run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
                "/CN=x -keyout '" +
                place + "/edge-key' -out '" + place + "/edge-certificate'")
                .status,
            0);
  for (const std::string mode : {"mode: acme, email: a@b.example", "mode: internal", "mode: 'off'",
                                 "mode: files, cert: c.pem, key: k.pem"}) {
    for (const std::string trust : {"[]", "[10.0.0.0/8, 'fd00::/8']"}) {
      for (const std::string isolation : {"schema", "deployment"}) {
        const auto planned = plan::plan_of(R"(caisson: v1
name: shop
version: 1.0.0
domain: shop.example
tiers: { t: { isolation: )" + isolation + R"(, limits: { requests: 100/m } } }
tenants: [{ slug: globex, tier: t, domains: [orders.globex.example] }]
edge: { proxy: nginx, hsts: true, tls: { )" +
                                           mode + " }, trust: " + trust + " }\n")
                                 .plan;
        tree.write(rendered(planned, {Target::compose}));
        const auto file = place + "/compose/nginx.conf";
        ASSERT_EQ(
            run("sed -i 's#/tmp/#" + place + "/#; s#/run/secrets/#" + place + "/#' " + file).status,
            0);
        const auto outcome = run("PATH=$PATH:/usr/sbin nginx -t -q -e stderr -c " + file);
        EXPECT_EQ(outcome.status, 0) << mode << trust << isolation << "\n" << outcome.output;
        EXPECT_EQ(outcome.output, "") << mode << trust << isolation;
      }
    }
  }
}

/// Names of every length that the language allows, of hundreds of tenants, wherever nginx keeps
/// them.
TEST(NginxConf, StartsWithTheLongestHosts) {
  const TemporaryDirectory tree;
  const auto place = tree.path().string();
  ASSERT_EQ(run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
                "/CN=x -keyout '" +
                place + "/edge-key' -out '" + place + "/edge-certificate'")
                .status,
            0);
  const std::string label(60, 'x');
  const auto domain = label + "." + label + "." + label + ".example";
  for (const std::string mode : {"mode: 'off'", "mode: files, cert: c.pem, key: k.pem"}) {
    std::string spec = "caisson: v1\nname: shop\nversion: 1.0.0\ndomain: " + domain +
                       "\nedge: { proxy: nginx, hsts: true, tls: { " + mode + " } }\ntenants:\n";
    for (int i = 0; i < 400; ++i) {
      const auto slug = "t" + std::to_string(i) + std::string(36, 'y');
      spec += "  - { slug: " + slug + ", domains: [" + slug + "." + label + "." + label + "." +
              label + ".shop.example] }\n";
    }
    tree.write(rendered(plan::plan_of(spec).plan, {Target::compose}));
    const auto file = place + "/compose/nginx.conf";
    ASSERT_EQ(
        run("sed -i 's#/tmp/#" + place + "/#; s#/run/secrets/#" + place + "/#' " + file).status, 0);
    const auto outcome = run("PATH=$PATH:/usr/sbin nginx -t -q -e stderr -c " + file);
    EXPECT_EQ(outcome.status, 0) << mode << outcome.output;
    EXPECT_EQ(outcome.output, "") << mode;
  }
}

/// nginx reads every word back as it was, whatever is in it.
TEST(NginxConf, BringsHostileWordsThrough) {
  const std::vector<std::string> words{"plain",
                                       "two words",
                                       "semi;colon",
                                       "{brace}",
                                       "}",
                                       "#hash",
                                       "it's",
                                       "\"quoted\"",
                                       "back\\slash",
                                       "end\\",
                                       "\\\"both",
                                       "\\n is no line break",
                                       "100% of {{ it }}",
                                       "tab\tline\nend",
                                       "\xc3\xa9\xe2\x82\xac",
                                       std::string(253, 'x')};
  const TemporaryDirectory tree;
  const auto place = tree.path().string();
  std::vector<Directive> server{{.words = {"listen", "unix:" + place + "/socket"}}};
  for (std::size_t i = 0; i < words.size(); ++i) {
    server.push_back({.words = {"location", "=", "/" + std::to_string(i)},
                      .block = {{.words = {"return", "200", words[i]}}}});
  }
  std::vector<Directive> http{{.words = {"server"}, .block = std::move(server)},
                              {.words = {"access_log", "off"}}};
  for (const auto* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    http.push_back({.words = {std::string(kind) + "_temp_path", place + "/" + kind}});
  }
  std::ofstream(tree.path() / "nginx.conf")
      << to_nginx_conf({{.words = {"pid", place + "/pid"}},
                        {.words = {"events"}, .block = {{.words = {"worker_connections", "16"}}}},
                        {.words = {"http"}, .block = std::move(http)}},
                       "head", {})
             .bytes;
  ASSERT_EQ(run("chmod 755 " + place).status, 0);
  const auto started = run("PATH=$PATH:/usr/sbin nginx -e stderr -c " + place + "/nginx.conf >" +
                           place + "/log");  // its daemon would hold a pipe open
  ASSERT_EQ(started.status, 0) << started.output;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto got =
        run("curl -s --unix-socket " + place + "/socket http://x/" + std::to_string(i));
    EXPECT_EQ(got.output, words[i]);
  }
  EXPECT_EQ(run("kill $(cat " + place + "/pid)").status, 0);
}

}  // namespace
}  // namespace caisson::render
