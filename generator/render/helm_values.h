#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"
#include "generator/render/compose_service.h"
#include "generator/render/helm_workload.h"
#include "generator/render/node.h"
#include "generator/render/site.h"

namespace caisson::render {

/// Builds the values of the chart. Its templates are static: everything that differs between two
/// deployments is here, by name (maps, never lists of things that have one).
///
/// The shared workloads live in the release's namespace, those of a tenant with a deployment of its
/// own in a namespace of its own. The cluster's Ingress takes the place of the edge, its Prometheus
/// Operator that of the planned observers.
class HelmValues {
 public:
  /// Reads every blueprint once. Fails when one is missing or is not YAML.
  [[nodiscard]] static Result<HelmValues> load(const plan::Plan& plan, const Index& index,
                                               const Blueprints& blueprints);

  [[nodiscard]] Result<Node> tree() const;

  /// Whether the chart runs the instance.
  [[nodiscard]] static bool runs(const plan::Instance& instance);
  [[nodiscard]] std::string image(const plan::Instance& instance) const;

 private:
  HelmValues(const plan::Plan& plan, const Index& index) : plan_(&plan), index_(&index) {}

  /// By the tenant in whose namespace it is; "" is the release's.
  using ByPlace = std::map<std::string, Node, std::less<>>;

  /// The tenant in whose namespace the instance runs; empty: the release's.
  [[nodiscard]] std::string place(const plan::Instance& instance) const;
  [[nodiscard]] Node workload(const plan::Instance& instance) const;
  void files(Node& node, const plan::Instance& instance) const;
  [[nodiscard]] Node backup(const plan::Instance& instance) const;
  [[nodiscard]] Node ports(const plan::Instance& instance) const;
  [[nodiscard]] Node aliases(const plan::Instance& instance) const;
  [[nodiscard]] Node tenant_networks() const;
  [[nodiscard]] Node init(const plan::Instance& instance) const;
  [[nodiscard]] ByPlace hosts() const;
  [[nodiscard]] Node ingress() const;
  [[nodiscard]] Node secrets() const;
  [[nodiscard]] Node secret(const plan::Secret& secret) const;

  const plan::Plan* plan_;
  const Index* index_;
  std::shared_ptr<const ComposeServices> images_;
  Node chart_;     ///< defaults of the whole chart
  Node tenant_;    ///< defaults of a tenant's namespace
  Node workload_;  ///< defaults of every workload
  std::map<plan::Role, Node> roles_;
  std::map<std::string, std::string, std::less<>> namespaces_;  ///< tenant -> namespace
  std::map<std::string, std::string, std::less<>> headless_;    ///< instance -> governing Service
  std::map<std::string, std::set<std::string>, std::less<>> network_places_;
  std::set<std::pair<std::string, std::string>> routed_;  ///< instance, port
  helm::Volumes volumes_;
  std::string closed_;  ///< Service without endpoints
  std::string database_init_;
};

}  // namespace caisson::render
