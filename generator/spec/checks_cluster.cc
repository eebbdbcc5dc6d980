// Checks of what a deployment takes on a cluster of target `helm`: namespaces.

#include <algorithm>
#include <string>

#include "generator/spec/checker.h"
#include "generator/spec/reader.h"
#include "generator/spec/reserved.h"

namespace caisson::spec {
namespace {

/// A namespace beside the reserved ones: what is left of the name, or something that is.
std::string free_namespace(std::string name) {
  while (name.starts_with(namespaces_of_kubernetes)) name.erase(0, namespaces_of_kubernetes.size());
  if (name == default_namespace) return name + "-app";
  return name.empty() || name == "kube" ? "app" : name;
}

}  // namespace

/// The namespace of the release and those of tenants, which begin with its name, are not the
/// cluster's: what is there is not the deployment's, and the chart gives its own policies and
/// labels to the whole namespace.
void check_cluster(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  const auto& helm = deployment.targets.helm;
  if (!helm.enabled || helm.namespace_.empty()) return;
  std::string reserved = helm.namespace_;
  std::string whose;
  if (!is_of_the_cluster(reserved)) {
    if (reserved + "-" != namespaces_of_kubernetes) return;
    const auto tenant = std::ranges::find_if(deployment.tenants, [&](const Tenant& each) {
      return has_own_deployment(deployment, each);
    });
    if (tenant == deployment.tenants.end()) return;
    reserved += "-" + tenant->slug;
    whose = " of tenant " + quote(tenant->slug);
  }
  const bool written = checker.written("/targets/helm/namespace");
  const auto other = free_namespace(written ? deployment.name : helm.namespace_);
  checker.refuse("E0202", checker.value(written ? "/targets/helm/namespace" : "/name"),
                 "the namespace " + quote(reserved) + whose + " is one of the cluster's own",
                 written ? "name another, as " + other
                         : "name another: targets: { helm: { namespace: " + other +
                               " } }, or set targets.helm: false");
}

}  // namespace caisson::spec
