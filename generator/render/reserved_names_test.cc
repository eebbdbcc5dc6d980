// Names of Caisson's own, as they stand in what is generated: no service and no secret of a spec
// may have one. The names come from the artifacts, so that a new one cannot be forgotten.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "generator/plan/planner.h"
#include "generator/render/render_testing.h"
#include "generator/spec/spec.h"

namespace caisson::render {
namespace {

constexpr std::string_view image =
    "registry.example.com/web@sha256:"
    "0000000000000000000000000000000000000000000000000000000000000000";

/// A spec with all that Caisson adds to a stack, and with services of every kind; `more` is put
/// among its services, `secret` among its secrets.
std::string maximal(const std::string& service = {}, const std::string& secret = {}) {
  const std::string web = "image: " + std::string(image) + ", local: { command: [run] }";
  return "caisson: v1\nname: acme\nversion: 1.0.0\ndomain: intranet\n"
         "tiers: { free: { isolation: row }, own: { isolation: deployment } }\n"
         "tenants: [{ slug: globex, tier: free }, { slug: big, tier: own }]\n"
         "runtime: { modules: [records] }\n"
         "backup: { schedule: '0 3 * * *', keep: 7, to: backups }\n"
         "auth: { tokens: { issuer: 'https://id.example.com', audience: acme, key: token-key } }\n"
         "secrets:\n  token-key: { from: { file: { path: key.pem } } }\n" +
         (secret.empty() ? "" : "  " + secret + ": { from: generate }\n") +
         "observability: { alerts: { to: [{ webhook: token-key }] } }\n"
         "services:\n"
         "  files: { " +
         web +
         ", port: 3001, storage: { path: /data, size: 1Gi } }\n"
         "  front-office: { " +
         web +
         ", port: 3002, needs: [files] }\n"
         "  mine: { " +
         web + ", port: 3003, replica-per-tenant: true, storage: { path: /data, size: 1Gi } }\n" +
         (service.empty() ? "" : "  " + service + ": { " + web + " }\n");
}

std::string faults(const std::string& text, std::optional<spec::Loaded>* loaded = nullptr) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  auto result = spec::load("spec.yaml", text, {.today = "2026-06-01"}, sources, diagnostics);
  std::string codes;
  for (const auto& each : diagnostics.sorted()) {
    if (each.severity == source::Severity::error)
      codes += std::string(each.code) + ": " + each.message + "\n";
  }
  if (loaded != nullptr) *loaded = std::move(result);
  return codes;
}

void add_keys(const Node* map, std::set<std::string>& names) {
  if (map == nullptr || map->map() == nullptr) return;
  for (const auto& [key, value] : *map->map()) names.insert(key);
}

/// Names of the workloads of the chart, and of what it makes beside them.
void add_workloads(const Node& workloads, std::set<std::string>& names) {
  for (const auto& [name, workload] : *workloads.map()) {
    names.insert(name);
    for (const auto* key : {"headless", "controller"})
      if (const auto* other = workload.find(key)) names.insert(*other->text());
  }
}

/// What is called by a service's name on a target: services and their aliases, the chart's Services
/// and accounts, units, processes.
std::set<std::string> service_names(const Artifacts& artifacts) {
  std::set<std::string> names;
  const auto& project = *artifact(artifacts, "compose/compose.yaml").tree;
  add_keys(project.find("services"), names);
  for (const auto& [name, service] : *project.find("services")->map()) {
    const auto* networks = service.find("networks");
    if (networks == nullptr || networks->map() == nullptr) continue;
    for (const auto& [network, about] : *networks->map()) {
      const auto* aliases = about.find("aliases");
      if (aliases == nullptr) continue;
      for (const auto& alias : *aliases->list()) names.insert(*alias.text());
    }
  }
  const auto& values = *artifact(artifacts, "helm/acme/values.yaml").tree;
  add_workloads(*values.find("workloads"), names);
  for (const auto& [slug, tenant] : *values.find("tenants")->map())
    add_workloads(*tenant.find("workloads"), names);
  names.insert(*values.at("/ingress/closed")->text());
  for (const auto& process :
       *artifact(artifacts, "local/stack.json").tree->find("processes")->list())
    names.insert(*process.find("name")->text());
  const std::string units = "systemd/system/acme-";
  for (const auto& each : artifacts) {
    if (each.path.starts_with(units) && each.path.ends_with(".service"))
      names.insert(each.path.substr(units.size(), each.path.rfind('.') - units.size()));
  }
  return names;
}

std::set<std::string> secret_names(const Artifacts& artifacts) {
  std::set<std::string> names;
  add_keys(artifact(artifacts, "compose/compose.yaml").tree->find("secrets"), names);
  const auto& values = *artifact(artifacts, "helm/acme/values.yaml").tree;
  add_keys(values.find("secrets"), names);
  // As the template names the certificates of an Ingress.
  for (const auto& [host, paths] : *values.find("hosts")->map()) names.insert(host + "-tls");
  for (const auto& [slug, tenant] : *values.find("tenants")->map())
    for (const auto& [host, paths] : *tenant.find("hosts")->map()) names.insert(host + "-tls");
  return names;
}

bool can_be_written(const std::string& name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

TEST(ReservedNames, AreAllThatStandInWhatIsGenerated) {
  std::optional<spec::Loaded> loaded;
  ASSERT_EQ(faults(maximal(), &loaded), "");
  const auto artifacts = rendered(plan::plan(*loaded));
  const auto services = service_names(artifacts);
  for (const auto* name : {"runtime", "runtime-big", "runtime-pods", "runtime-big-pods", "closed",
                           "files-volume", "files-pods", "runtime-operator", "prometheus-http"})
    EXPECT_TRUE(services.contains(name)) << name << " is generated no more";
  for (const auto& name : services) {
    if (!can_be_written(name)) continue;
    EXPECT_NE(faults(maximal(name)), "") << "service " << name;
  }
  for (const auto& name : secret_names(artifacts)) {
    if (!can_be_written(name)) continue;
    EXPECT_NE(faults(maximal({}, name)), "") << "secret " << name;
  }
  EXPECT_NE(faults(maximal({}, "operator-token-big")), "");
  // Not ours, and yet taken wherever Kubernetes or a resolver is.
  for (const auto* name : {"default", "kubernetes", "localhost"})
    EXPECT_NE(faults(maximal(name)), "") << name;
}

TEST(ReservedNames, AreNoMoreThanThat) {
  for (const auto* name : {"web", "files-data", "web-http", "web-pods", "front-office-volume",
                           "operator-token", "runtimes", "pods", "data"})
    EXPECT_EQ(faults(maximal(name)), "") << name;
  EXPECT_EQ(faults(maximal({}, "operator-token-globex")), "");
}

/// A tenant whose runtime would have the name of something of the shared runtime's.
TEST(ReservedNames, AreKeptFromTenantsToo) {
  const auto with_tenant = [](const std::string& slug) {
    auto text = maximal();
    return text.replace(text.find("slug: big"), 9, "slug: " + slug);
  };
  EXPECT_NE(faults(with_tenant("pods")).find("runtime of tenant 'pods'"), std::string::npos);
  EXPECT_EQ(faults(with_tenant("big-pods")), "");
}

}  // namespace
}  // namespace caisson::render
