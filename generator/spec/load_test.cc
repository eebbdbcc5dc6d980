#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "generator/source/codes.h"
#include "generator/spec/spec.h"

namespace caisson::spec {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Outcome {
  std::optional<Loaded> loaded;
  std::string diagnostics;
};

Outcome load_text(std::string text, LoadOptions options = {}) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  if (options.today.empty()) options.today = "2026-01-01";
  auto loaded = load("deployment.yaml", std::move(text), options, sources, diagnostics);
  return {std::move(loaded), render(diagnostics, sources, source::Format::text)};
}

Outcome load_example(const std::string& name, const std::string& environment = "") {
  const auto path =
      std::filesystem::path(CAISSON_SOURCE_DIR) / "examples" / name / "deployment.yaml";
  return load_text(contents(path), {.environment = environment});
}

TEST(LoadExample, Quickstart) {
  const auto [loaded, diagnostics] = load_example("quickstart");
  ASSERT_TRUE(loaded) << diagnostics;
  EXPECT_EQ(diagnostics, "");
  const Deployment& d = loaded->deployment;
  EXPECT_EQ(d.name, "acme");
  EXPECT_EQ(d.domain, "acme.localhost");
  ASSERT_EQ(d.tiers.size(), 2U);
  EXPECT_EQ(d.tiers[0].second.isolation, Isolation::schema);
  EXPECT_EQ(d.tiers[0].second.limits.requests, Rate{50});
  EXPECT_EQ(d.tiers[0].second.limits.storage, Bytes{100 << 20});
  ASSERT_EQ(d.tenants.size(), 3U);
  EXPECT_EQ(d.tenants[2].slug, "umbrella");
  EXPECT_EQ(d.tenants[2].name, "umbrella");
  EXPECT_EQ(d.tenants[2].pointer, "/tenants/2");
  EXPECT_EQ(d.runtime.modules.size(), 1U);
  EXPECT_EQ(d.targets.compose.project, "acme");
}

TEST(LoadExample, Agentik) {
  const auto [loaded, diagnostics] = load_example("agentik");
  ASSERT_TRUE(loaded) << diagnostics;
  EXPECT_EQ(diagnostics,
            R"(deployment.yaml:47:3: warning[W0202]: the secret 'admin-password' is never used
   47 |   admin-password: { from: { generate: { bytes: 24 } } }
      |   ^^^^^^^^^^^^^^ remove it, or refer to it
)");
  const Deployment& d = loaded->deployment;
  EXPECT_EQ(d.runtime.resources.cpu, (Range<Cpu>{{500}, {2000}}));
  EXPECT_EQ(d.dashboard.replicas, (Range<std::int64_t>{2, 10}));
  ASSERT_TRUE(d.auth.tokens);
  EXPECT_EQ(d.auth.tokens->key, SecretRef{"sso-verification-key"});
  EXPECT_EQ(d.secrets[0].second.source, Secret::Source::file);
  EXPECT_EQ(d.secrets[1].second.bytes, 24);
  EXPECT_EQ(d.observability.alerts.to[0].kind, AlertReceiver::Kind::pagerduty);
  EXPECT_TRUE(d.targets.bundle.enabled);
}

TEST(LoadExample, AgentikDevelopment) {
  const auto [loaded, diagnostics] = load_example("agentik", "development");
  ASSERT_TRUE(loaded) << diagnostics;
  EXPECT_EQ(loaded->deployment.domain, "agentik.localhost");
  EXPECT_EQ(loaded->deployment.edge.tls.mode, Edge::TlsMode::internal);
}

TEST(LoadExample, Devtools) {
  const auto [loaded, diagnostics] = load_example("devtools");
  ASSERT_TRUE(loaded) << diagnostics;
  EXPECT_TRUE(diagnostics.starts_with("deployment.yaml:46:77: warning[W0203]")) << diagnostics;
  const Deployment& d = loaded->deployment;
  EXPECT_EQ(d.database.engine, Database::Engine::postgres);
  EXPECT_EQ(d.database.version, "15");
  EXPECT_FALSE(d.targets.systemd.enabled);
  EXPECT_FALSE(d.targets.bundle.enabled);
  const Service& events = d.services.at(0).second;
  EXPECT_EQ(events.env.at(1).second.text, "0.50");
  EXPECT_EQ(events.env.at(2).second.text, "cost: $5 {{not a template}} 100%");
  EXPECT_EQ(events.egress.at(0), (HostPort{"api.model-vendor.example", 443}));
}

TEST(LoadExample, DevtoolsDemo) {
  const auto [loaded, diagnostics] = load_example("devtools", "demo");
  ASSERT_TRUE(loaded) << diagnostics;
  const Deployment& d = loaded->deployment;
  EXPECT_EQ(d.environment, "demo");
  EXPECT_EQ(d.database.engine, Database::Engine::sqlite);
  EXPECT_EQ(d.cache.engine, Cache::Engine::none);
  EXPECT_TRUE(d.services.at(0).second.needs.empty());
  EXPECT_EQ(d.tiers.at(1).second.isolation, Isolation::deployment);
}

TEST(Load, PointsAtTheDeclarationOfTiers) {
  const auto [loaded, diagnostics] = load_text(R"(caisson: v1
name: acme
version: 1.0.0

# plans
tiers:
  enterprise: {}
tenants:
  - slug: globex
    tier: enterprize
)");
  EXPECT_FALSE(loaded);
  EXPECT_EQ(diagnostics, R"(deployment.yaml:10:11: error[E0204]: unknown tier 'enterprize'
   10 |     tier: enterprize
      |           ^^^^^^^^^^ did you mean 'enterprise'? tiers are declared at line 6
)");
}

/// A target writes the reference as it stands, and a program takes it for the secret.
TEST(Load, SaysOfEveryTextThatNoSecretIsReplacedInIt) {
  const std::string head = "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n";
  const std::string service =
      "services:\n  web:\n    image: registry.example.com/web@sha256:" + std::string(64, '0') +
      "\n    port: 8080\n";
  const std::string secret = "\"${secret:unknown}\"";
  for (const std::string& text : {
           service + "    command: [" + secret + "]\n",
           service + "    command: [sh, -c, " + secret + "]\n",
           service + "    health: { command: [" + secret + "] }\n",
           service + "    health: { path: " + secret + " }\n",
           service + "    local: { command: [" + secret + "] }\n",
           service + "    local: { command: [serve, " + secret + "] }\n",
           service + "    storage: { path: " + secret + ", size: 1Gi }\n",
           service + "    writable: [" + secret + "]\n",
           service + "    egress: [" + secret + "]\n",
           service + "    needs: [" + secret + "]\n",
           service + "    module: " + secret + "\n",
           "services: { web: { image: " + secret + " } }\n",
           "services: { web: { build: { context: " + secret + " } } }\n",
           "services: { env: { image: " + secret + " } }\n",
           "backup: { schedule: \"0 3 * * *\", to: " + secret + " }\n",
           "domain: " + secret + "\n",
           "auth: { tokens: { issuer: " + secret + ", audience: a, jwks: { file: keys.json } } }\n",
           "assets: [{ path: a, description: " + secret + " }]\n",
           "observability: { tracing: { otlp: " + secret + " } }\n",
           "observability: { alerts: { to: [{ webhook: " + secret + " }] } }\n",
           "targets: { systemd: { prefix: " + secret + " } }\n",
           "secrets: { a: { from: { file: { path: " + secret + " } } } }\n",
           "conformance: { exclude: [{ probe: ID1, reason: " + secret + " }] }\n",
           "edge: { tls: { mode: acme, ca: " + secret + " } }\n",
       }) {
    const auto said = load_text(head + text).diagnostics;
    EXPECT_NE(said.find("nothing replaces ${secret:unknown} here"), std::string::npos)
        << text << said;
  }
  for (const std::string& text :
       {service + "    env: { A: " + secret + " }\n", "runtime: { env: { A: " + secret + " } }\n",
        "environments: { staging: { runtime: { env: { A: " + secret + " } } } }\n"}) {
    const auto said = load_text(head + text).diagnostics;
    EXPECT_EQ(said.find("nothing replaces"), std::string::npos) << said;
    EXPECT_NE(said.find("E0205"), std::string::npos) << said;
  }
}

TEST(Load, ReportsEveryMistakeInOneRun) {
  const auto [loaded, diagnostics] = load_text(R"(caisson: v1
name: Acme_Corp
versoin: 1.0
tenants:
  - { slug: a, limits: { body: 256M } }
services:
  billing:
    image: app@sha256:12
    enviroment: {}
runtime: { replicas: 6..2, drain: 10 }
)");
  EXPECT_FALSE(loaded);
  EXPECT_EQ(diagnostics, R"(deployment.yaml:1:1: error[E0104]: the spec has no 'version'
    1 | caisson: v1
      | ^^^^^^^^^^^ add 'version': version of this deployment
deployment.yaml:2:7: error[E0110]: invalid name 'Acme_Corp' in name
    2 | name: Acme_Corp
      |       ^^^^^^^^^ use lower-case letters, digits and '-' inside; did you mean 'acme-corp'?
deployment.yaml:3:1: error[E0101]: unknown key 'versoin'
    3 | versoin: 1.0
      | ^^^^^^^ did you mean 'version'?
deployment.yaml:5:32: error[E0116]: invalid size '256M' in tenants[0].limits.body
    5 |   - { slug: a, limits: { body: 256M } }
      |                                ^^^^ units are binary: write 256Mi
deployment.yaml:8:12: error[E0115]: invalid image 'app@sha256:12' in services.billing.image
    8 |     image: app@sha256:12
      |            ^^^^^^^^^^^^^ a digest is sha256: and 64 hexadecimal digits in lower case
deployment.yaml:9:5: error[E0101]: unknown key 'enviroment' in services.billing
    9 |     enviroment: {}
      |     ^^^^^^^^^^ did you mean 'env'?
deployment.yaml:10:22: error[E0121]: the upper bound is below the lower in runtime.replicas
   10 | runtime: { replicas: 6..2, drain: 10 }
      |                      ^^^^ write 2..6
deployment.yaml:10:35: error[E0118]: invalid duration '10' in runtime.drain
   10 | runtime: { replicas: 6..2, drain: 10 }
      |                                   ^^ a duration needs a unit: did you mean 10s?
)");
}

}  // namespace
}  // namespace caisson::spec
