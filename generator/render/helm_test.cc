#include "generator/render/helm.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/helm_schema.h"
#include "generator/render/helm_workload.h"
#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;

constexpr TargetSet chart_alone{Target::helm};

plan::Plan small(const std::string& more = {}) {
  return plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n" + more).plan;
}

const Node& tree(const Artifacts& artifacts, const std::string& name) {
  return *artifact(artifacts, "helm/shop/" + name).tree;
}

TEST(HelmChart, TakesClustersOfEveryVendor) {
  for (const auto& [asked, written] :
       {std::pair{">=1.28", ">=1.28.0-0"}, std::pair{">= 1.28.3 <1.35", ">= 1.28.3-0 <1.35.0-0"},
        std::pair{"~1.30 || ^1.32", "~1.30.0-0 || ^1.32.0-0"},
        std::pair{">=1.28.0-0", ">=1.28.0-0"}, std::pair{"1.31.x", "1.31.x"},
        std::pair{"1.28 - 1.34", "1.28 - 1.34"}}) {
    const auto artifacts = rendered(
        small("targets: { helm: { kubernetes: '" + std::string(asked) + "' } }\n"), chart_alone);
    EXPECT_EQ(*tree(artifacts, "Chart.yaml").find("kubeVersion")->text(), written);
  }
}

TEST(HelmChart, WritesSizesAsKubernetesDoes) {
  // Canonical form of k8s.io/apimachinery/pkg/api/resource.Quantity, which the API server answers
  // with.
  for (const auto& [written, canonical] : {std::pair{"1Ti", "1Ti"},
                                           {"1024Gi", "1Ti"},
                                           {"10240Mi", "10Gi"},
                                           {"1536Mi", "1536Mi"},
                                           {"1000000000B", "1G"},
                                           {"1500000000B", "1500M"},
                                           {"1000000001B", "1000000001"},
                                           {"2048Ti", "2Pi"},
                                           {"1024000B", "1000Ki"}}) {
    const auto artifacts =
        rendered(small("services: { files: { image: x, port: 5000, storage: { path: /data, size: " +
                       std::string(written) + " } } }\n"),
                 chart_alone);
    EXPECT_EQ(
        *tree(artifacts, "values.yaml").at("/workloads/files/volumes/files-data/size")->text(),
        canonical);
  }
}

TEST(HelmChart, TakesNoLabelByWhichItSelects) {
  for (const std::string at :
       {"/pods", "/objects", "/workloads/runtime/pod", "/workloads/runtime/object", "/metrics"}) {
    const auto mistakes_with = [&](const std::string& label) {
      const auto cut = at.rfind('/');
      const std::string labels = "{ labels: { '" + label + "': 'true' } }";
      const auto plan = small(
          "patches: [{ file: helm/shop/values.yaml, at: " + (cut > 0 ? at.substr(0, cut) : at) +
          ", merge: " + (cut > 0 ? "{ " + at.substr(cut + 1) + ": " + labels + " }" : labels) +
          ", reason: a test }]\n");
      std::vector<Mistake> mistakes;
      EXPECT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes));
      return mistakes;
    };
    for (const auto* label :
         {"network.caisson/operator", "reaches.caisson/tenants", "caisson/tenant",
          "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of"}) {
      const auto mistakes = mistakes_with(label);
      ASSERT_EQ(mistakes.size(), 1U) << at << ' ' << label;
      EXPECT_EQ(mistakes[0].code, "E0307");
      EXPECT_THAT(mistakes[0].message, HasSubstr("selects"));
    }
    for (const auto* label : {"team", "example.com/caisson", "app.kubernetes.io/namespace"})
      EXPECT_TRUE(mistakes_with(label).empty()) << at << ' ' << label;
  }
}

TEST(HelmChart, MakesNoNamespaceOfTheClusters) {
  const auto mistakes_with = [](const std::string& name) {
    const auto plan =
        plan::plan_of(
            "caisson: v1\nname: shop\nversion: 1.0.0\ntiers: { own: { isolation: deployment } }\n"
            "tenants: [{ slug: globex, tier: own }]\n"
            "patches: [{ file: helm/shop/values.yaml, at: /tenants/globex, merge: { namespace: '" +
            name + "' }, reason: a test }]\n")
            .plan;
    std::vector<Mistake> mistakes;
    EXPECT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes));
    return mistakes;
  };
  for (const auto* name : {"kube-system", "kube-anything", "default"}) {
    const auto mistakes = mistakes_with(name);
    ASSERT_EQ(mistakes.size(), 1U) << name;
    EXPECT_EQ(mistakes[0].code, "E0307");
    EXPECT_EQ(mistakes[0].pointer, "/patches/0");
    EXPECT_THAT(mistakes[0].message, HasSubstr("is a namespace of the cluster's own"));
  }
  for (const auto* name : {"shop-kube-system", "default-app"})
    EXPECT_TRUE(mistakes_with(name).empty()) << name;
}

TEST(HelmChart, WarnsOfPodsThatLeaveTheirNetworks) {
  const auto warnings_of = [](const std::string& at, const std::string& merge) {
    const auto plan = small("patches: [{ file: helm/shop/values.yaml, at: " + at +
                            ", merge: " + merge + ", reason: a test }]\n");
    std::vector<Mistake> mistakes;
    EXPECT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes));
    // It is generated all the same.
    EXPECT_TRUE(render(plan, Blueprints{}, chart_alone));
    std::string codes;
    for (const auto& mistake : mistakes) {
      EXPECT_EQ(mistake.severity, source::Severity::warning);
      codes += std::string(mistake.code) + " " + mistake.pointer + " ";
    }
    return codes;
  };
  for (const std::string key : {"hostNetwork", "hostPID", "hostIPC"}) {
    EXPECT_THAT(warnings_of("/pods", "{ spec: { " + key + ": true } }"), HasSubstr("W0305"));
    EXPECT_THAT(warnings_of("/workloads/runtime", "{ pod: { spec: { " + key + ": true } } }"),
                HasSubstr("W0305"));
    EXPECT_EQ(warnings_of("/pods", "{ spec: { " + key + ": false } }"), "");
  }
  EXPECT_THAT(
      warnings_of("/pods", "{ spec: { containers: [{ securityContext: { privileged: true } }] } }"),
      HasSubstr("W0305"));
  EXPECT_EQ(warnings_of("/pods", "{ spec: { nodeSelector: { disk: ssd } } }"), "");
  for (const auto* object : {"{ kind: Pod, spec: { hostPID: true } }",
                             "{ kind: CronJob, spec: { jobTemplate: { spec: { template: { spec: { "
                             "hostIPC: true } } } } } }",
                             "{ kind: List, items: [{ kind: DaemonSet, spec: { template: { spec: { "
                             "hostNetwork: true } } } }] }"})
    EXPECT_THAT(warnings_of("/extraObjects", "{ agent: " + std::string(object) + " }"),
                HasSubstr("W0305"))
        << object;
  EXPECT_EQ(warnings_of("/extraObjects", "{ agent: { kind: Pod, spec: { hostPID: false } } }"), "");
}

TEST(Exposures, WarnOfNetworksThatAPatchJoins) {
  const auto warnings_of = [](const std::string& patch) {
    const auto plan = small(
        "services: { web: { image: x, port: 80 } }\n"
        "patches: [{ file: " +
        patch + ", reason: a test }]\n");
    std::vector<Mistake> mistakes;
    EXPECT_TRUE(render(plan, Blueprints{}, {Target::helm, Target::compose}, mistakes));
    std::string said;
    for (const auto& mistake : mistakes) {
      EXPECT_EQ(mistake.severity, source::Severity::warning) << mistake.message;
      EXPECT_EQ(mistake.pointer, "/patches/0");
      said += std::string(mistake.code) + ": " + mistake.message + "\n";
    }
    return said;
  };
  const std::string values = "helm/shop/values.yaml, at: ";
  const std::string compose = "compose/compose.yaml, at: ";
  for (const auto& [patch, said] : std::vector<std::pair<std::string, std::string>>{
           {values + "/workloads/web, merge: { networks: { operator: true } }",
            "W0305: a patch puts pods of 'web' on network 'operator'\n"},
           {values + "/workloads/web/networks/operator, set: true",
            "W0305: a patch puts pods of 'web' on network 'operator'\n"},
           {values + "/workloads/web/networks, set: { operator: true }",
            "W0305: a patch puts pods of 'web' on network 'operator'\n"},
           {values + "/workloads/runtime/ports/operator, merge: { networks: { front: true } }",
            "W0305: a patch puts port 'operator' of pods of 'runtime' on network 'front'\n"},
           {compose + "/services/web/networks/operator, set: {}",
            "W0305: a patch puts service 'web' on network 'operator'\n"},
           {compose + "/services/web, merge: { networks: { operator: {} } }",
            "W0305: a patch puts service 'web' on network 'operator'\n"},
           {compose + "/services/web, merge: { ipc: host }",
            "W0305: ipc: host gives service 'web' the shared memory of the host\n"},
           {compose + "/services/web, merge: { pid: host }",
            "W0305: pid: host gives service 'web' the processes of the host\n"},
           {compose + "/services/web, merge: { privileged: true }",
            "W0305: privileged: true gives service 'web' the devices of the host\n"},
           {values + "/workloads/web, merge: { object: { labels: { a: b } } }", ""},
           {compose + "/services/web, merge: { labels: { a: b } }", ""}})
    EXPECT_EQ(warnings_of(patch), said) << patch;
}

TEST(HelmChart, KeepsVolumesInStatefulSetsAlone) {
  const auto plan = small(
      "services: { files: { image: x, port: 5000, storage: { path: /data, size: 1Gi } },\n"
      "  web: { image: x, port: 80 } }\n"
      "patches: [{ file: helm/shop/values.yaml, at: /workloads/files/kind, set: Deployment, "
      "reason: a test }]\n");
  std::vector<Mistake> mistakes;
  EXPECT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes));
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_EQ(mistakes[0].pointer, "/patches/0");
  EXPECT_THAT(mistakes[0].message, HasSubstr("files keeps volumes"));
  // Helm holds what a site says itself against the schema.
  const auto schema = helm_values_schema(1);
  const auto& workload = *schema.at("/definitions/workload/allOf/0");
  EXPECT_EQ(*workload.at("/if/required/0"), Node{"volumes"});
  EXPECT_EQ(*workload.at("/then/properties/kind/const"), Node{"StatefulSet"});
}

TEST(HelmWorkload, ReadsSizesAsKubernetesDoes) {
  for (const auto& [text, bytes] :
       std::vector<std::pair<std::string, std::int64_t>>{{"0", 0},
                                                         {"1Gi", 1LL << 30},
                                                         {"1.5Gi", 3LL << 29},
                                                         {"20G", 20'000'000'000},
                                                         {"1e9", 1'000'000'000},
                                                         {"1E", 1'000'000'000'000'000'000},
                                                         {"7Ei", 7LL << 60}})
    EXPECT_EQ(helm::bytes_of(text), bytes) << text;
  for (const auto* text : {"", "Gi", "-1Gi", "1GiB", "1 Gi", "9Ei", "1e40", "inf", "nan", "100m"})
    EXPECT_EQ(helm::bytes_of(text), std::nullopt) << text;
}

TEST(HelmChart, NeverWritesAValueThatTheSchemaDoesNotDescribe) {
  const auto patch = [](const std::string& merge) {
    return small("patches: [{ file: helm/shop/values.yaml, at: /workloads/runtime, merge: " +
                 merge + ", reason: a test }]\n");
  };
  const auto misspelt = render(patch("{ replica: 2 }"), Blueprints{}, chart_alone);
  ASSERT_FALSE(misspelt.has_value());
  EXPECT_THAT(misspelt.error().text(),
              HasSubstr("values.yaml:/workloads/runtime/replica is not in the schema"));
  const auto mistyped = render(patch("{ replicas: { min: two } }"), Blueprints{}, chart_alone);
  ASSERT_FALSE(mistyped.has_value());
  EXPECT_THAT(mistyped.error().text(),
              HasSubstr("/workloads/runtime/replicas/min is not of the type"));
  const auto right = render(patch("{ grace: 30 }"), Blueprints{}, chart_alone);
  ASSERT_TRUE(right.has_value());
  EXPECT_EQ(*tree(*right, "values.yaml").at("/workloads/runtime/grace"), Node{30});
}

TEST(HelmChart, LetsNobodyScaleARuntimeBeyondTheSpec) {
  const auto artifacts = rendered(small(), chart_alone);
  EXPECT_EQ(*tree(artifacts, "values.schema.json")
                 .at("/definitions/workload/then/properties/replicas/properties/max/maximum"),
            Node{1});
  std::vector<Mistake> mistakes;
  const auto plan = small(
      "patches: [{ file: helm/shop/values.yaml, at: /workloads/runtime, merge: { replicas: { max: "
      "3 "
      "} }, reason: a test }]\n");
  ASSERT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes).has_value());
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_EQ(mistakes[0].pointer, "/patches/0");
  EXPECT_EQ(mistakes[0].remedy, "leave replicas at 1");
}

TEST(HelmChart, MeasuresTheConfigMapInBytes) {
  const auto with = [](std::size_t count) {
    std::string tenants = "caisson: v1\nname: shop\nversion: 1.0.0\ntenants:\n";
    for (std::size_t i = 0; i < count; ++i) {
      const auto slug = "tenant-" + std::to_string(i);
      tenants += "  - { slug: " + slug + ", name: Tenant " + std::to_string(i) + ", owner: ops@" +
                 slug + ".example.com }\n";
    }
    return plan::plan_of(tenants).plan;
  };
  std::vector<Mistake> mistakes;
  ASSERT_TRUE(render(with(5'000), Blueprints{}, chart_alone, mistakes).has_value());
  EXPECT_TRUE(mistakes.empty());
  ASSERT_TRUE(render(with(12'000), Blueprints{}, chart_alone, mistakes).has_value());
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_EQ(mistakes[0].pointer, "/tenants");
  EXPECT_THAT(mistakes[0].message, HasSubstr("bytes, and a ConfigMap holds 1048576"));
  EXPECT_THAT(mistakes[0].remedy, HasSubstr("of its 12000 tenants about "));
}

TEST(HelmChart, FitsIntoTheSecretThatHelmKeepsItIn) {
  const auto with = [](std::size_t count) {
    std::string tenants = "caisson: v1\nname: shop\nversion: 1.0.0\ntenants:\n";
    std::size_t state = 1;
    const auto domain = [&] {
      std::string letters;
      for (int i = 0; i < 180; ++i) {
        state = (state * 6364136223846793005U) + 1442695040888963407U;
        letters += i % 60 == 59 ? '.' : static_cast<char>('a' + ((state >> 33U) % 26));
      }
      return letters + "example";
    };
    for (std::size_t i = 0; i < count; ++i) {
      tenants += "  - { slug: tenant-" + std::to_string(i) + ", domains: [" + domain() + ", " +
                 domain() + ", " + domain() + "] }\n";
    }
    return plan::plan_of(tenants).plan;
  };
  std::vector<Mistake> mistakes;
  ASSERT_TRUE(render(with(300), Blueprints{}, chart_alone, mistakes).has_value());
  EXPECT_TRUE(mistakes.empty());
  ASSERT_TRUE(render(with(700), Blueprints{}, chart_alone, mistakes).has_value());
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_EQ(mistakes[0].code, "E0308");
  EXPECT_EQ(mistakes[0].pointer, "/tenants");
  EXPECT_THAT(mistakes[0].message, HasSubstr("and the Secret that Helm keeps it in holds 1048576"));
  EXPECT_THAT(mistakes[0].remedy, HasSubstr("of its 700 tenants about "));
}

TEST(HelmRunbook, RotatesAGivenSecretByHandWhereverItIs) {
  const auto artifacts =
      rendered(plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\n"
                             "tiers: { own: { isolation: deployment } }\n"
                             "tenants: [{ slug: a, tier: own }]\n"
                             "secrets: { key: { from: { file: { path: key.txt } } } }\n"
                             "services: { app: { image: x, secrets: [key], "
                             "replica-per-tenant: true } }\n")
                   .plan,
               chart_alone);
  const auto& text = artifact(artifacts, "helm/shop/RUNBOOK.md").bytes;
  const auto section = text.substr(text.find("\n## Rotate secrets"));
  for (const auto* place : {"shop", "shop-a"}) {
    EXPECT_THAT(section, HasSubstr("kubectl create secret generic key --namespace " +
                                   std::string(place) + " --from-file=value=key.txt"));
  }
  EXPECT_THAT(artifact(artifacts, "helm/shop/README.md").bytes, Not(HasSubstr("--set-file")));
}

TEST(HelmChart, CanBeAPartOfAnotherOne) {
  const auto artifacts = rendered(small(), chart_alone);
  EXPECT_EQ(*tree(artifacts, "values.schema.json").at("/properties/enabled/type"), Node{"boolean"});
  EXPECT_EQ(tree(artifacts, "values.yaml").find("enabled"), nullptr);
}

TEST(HelmRunbook, RestartsEveryWorkloadThatReadsASecretThatIsRotated) {
  const auto artifacts =
      rendered(small("secrets: { key: { from: generate } }\n"
                     "services:\n"
                     "  file: { image: x, secrets: [key] }\n"
                     "  both: { image: x, secrets: [key], env: { K: '${secret:key}' } }\n"
                     "  variable: { image: x, env: { K: '${secret:key}' } }\n"),
               chart_alone);
  const auto& text = artifact(artifacts, "helm/shop/RUNBOOK.md").bytes;
  const auto begin = text.find("\n`key`: ");
  ASSERT_NE(begin, std::string::npos);
  const auto section = text.substr(begin, text.find("\n```\n", begin) - begin);
  for (const auto* service : {"file", "both", "variable"}) {
    const auto restart = "rollout restart deployment/" + std::string(service) + "\n";
    const auto at = section.find(restart);
    ASSERT_NE(at, std::string::npos) << section;
    EXPECT_EQ(section.find(restart, at + 1), std::string::npos) << service << " twice";
  }
}

TEST(HelmChart, OfAPatchTheMistakeIsTheSpecs) {
  for (const auto* merge : {"{ replicas: { min: two } }", "{ replicas: many }", "{ replica: 2 }"}) {
    std::vector<Mistake> mistakes;
    const auto plan =
        small("patches: [{ file: helm/shop/values.yaml, at: /workloads/runtime, merge: " +
              std::string(merge) + ", reason: a test }]\n");
    ASSERT_TRUE(render(plan, Blueprints{}, chart_alone, mistakes).has_value()) << merge;
    ASSERT_EQ(mistakes.size(), 1U) << merge;
    EXPECT_EQ(mistakes[0].pointer, "/patches/0");
    EXPECT_THAT(mistakes[0].message + mistakes[0].remedy, Not(HasSubstr("bug")));
  }
}

TEST(HelmChart, OpensTheAddressThatIsNamedAndNothingElse) {
  const auto artifacts = rendered(small(R"(services:
  a:
    image: x
    egress: ["10.0.0.5:6379", "[2001:db8::1]:443", "db.internal:5432", "smtp.example.com:587"]
)"),
                                  chart_alone);
  const auto& egress = *tree(artifacts, "values.yaml").at("/workloads/a/egress");
  std::vector<std::string> opened;
  for (const auto& [destination, where] : *egress.map()) {
    opened.push_back(
        *where.find("cidr")->text() + " but " +
        std::to_string(where.find("except") == nullptr ? 0 : where.find("except")->map()->size()));
  }
  EXPECT_THAT(opened, testing::UnorderedElementsAre(
                          "10.0.0.5/32 but 0", "2001:db8::1/128 but 0", "10.0.0.0/8 but 0",
                          "100.64.0.0/10 but 1", "172.16.0.0/12 but 0", "192.168.0.0/16 but 0",
                          "fc00::/7 but 3", "0.0.0.0/0 but 7", "2000::/3 but 0"));
}

TEST(HelmEnvironment, SaysOnlyWhatIsDifferent) {
  const auto base = plan::example("agentik").plan;
  std::vector<Mistake> mistakes;
  const auto values =
      helm_environment(base, plan::example("agentik", "development").plan, Blueprints{}, mistakes);
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(values->path, "helm/agentik/values-development.yaml");
  const auto& tree = *values->tree;
  EXPECT_EQ(tree.find("name"), nullptr);
  EXPECT_EQ(*tree.at("/workloads/dashboard/replicas/max"), Node{1});
  EXPECT_EQ(*tree.at("/workloads/runtime/config/domain"), Node{"agentik.localhost"});
  // Hosts have other names, so the base's go.
  EXPECT_TRUE(tree.at("/hosts/agentik.example.com")->is_null());
  const auto same = helm_environment(base, base, Blueprints{}, mistakes);
  ASSERT_TRUE(same.has_value());
  EXPECT_TRUE(same->tree->empty());
  EXPECT_TRUE(mistakes.empty());
}

TEST(HelmValues, RepeatNoHostThatTheWildcardServesAlike) {
  const auto artifacts = rendered(
      plan::plan_of(
          "caisson: v1\nname: shop\nversion: 1.0.0\ntiers: { own: { isolation: deployment }, "
          "pooled: { isolation: row } }\ntenants: [{ slug: a, tier: pooled, domains: "
          "[a.example] }, { slug: b, tier: own }]\n")
          .plan,
      chart_alone);
  const auto& values = tree(artifacts, "values.yaml");
  EXPECT_THAT(values.find("hosts")->keys(),
              testing::UnorderedElementsAre("a.example", "b.shop.localhost", "shop.localhost",
                                            "*.shop.localhost"));
  EXPECT_THAT(values.at("/tenants/b/hosts")->keys(), testing::ElementsAre("b.shop.localhost"));
}

}  // namespace
}  // namespace caisson::render
