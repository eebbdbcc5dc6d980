#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render::helm {

/// The plan's volumes by name.
using Volumes = std::unordered_map<std::string_view, const plan::Volume*>;

/// What the plan says of an instance whatever the target, laid over its blueprint: replicas,
/// resources, environment, probes, volumes, secrets, networks and egress. Every volume that it
/// mounts must be in `volumes`.
void lay_over(Node& node, const plan::Instance& instance, const Volumes& volumes);

/// Kubernetes' notation of bytes: "10Gi".
[[nodiscard]] std::string byte_size(std::int64_t bytes);

/// The name of the StatefulSet of an instance that keeps something.
[[nodiscard]] std::string controller(const plan::Instance& instance);

/// The claim of such an instance's volume.
[[nodiscard]] std::string claim(const plan::Instance& instance, std::string_view volume);

/// The namespaces of tenants with a deployment of their own, by slug.
[[nodiscard]] std::map<std::string, std::string, std::less<>> namespaces(const plan::Plan& plan);

/// One line about the workload for the reader of values.yaml; empty when its name says it.
[[nodiscard]] std::string remark(const plan::Instance& instance);

/// What workloads take at most.
class Amount {
 public:
  /// `backed_up`: its data is copied to a claim of its own, from time to time.
  void add(const plan::Instance& instance, bool backed_up);
  /// As the `hard` part of a ResourceQuota.
  [[nodiscard]] Node quota(const plan::Origin& origin) const;

 private:
  std::int64_t pods_ = 0;
  std::int64_t cpu_request_millis_ = 0;
  std::int64_t cpu_limit_millis_ = 0;
  std::int64_t memory_request_bytes_ = 0;
  std::int64_t memory_limit_bytes_ = 0;
  std::int64_t claims_ = 0;
};

}  // namespace caisson::render::helm
