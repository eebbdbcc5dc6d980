#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

/// Bytes as Kubernetes writes them, whatever was written ("canonical form" of resource.Quantity):
/// the largest unit that divides them, "10Gi", "1Ti" and never "1024Gi", "1G" and never
/// "1000000000".
[[nodiscard]] std::string byte_size(std::int64_t bytes);

/// The reverse, of what a site writes: "1.5Gi", "20G", "1e9". Nothing when it is no amount, or none
/// that an int64 counts.
[[nodiscard]] std::optional<std::int64_t> bytes_of(std::string_view size);

/// The name of the StatefulSet of an instance that keeps something.
[[nodiscard]] std::string controller(const plan::Instance& instance);

/// The claim of such an instance's volume.
[[nodiscard]] std::string claim(const plan::Instance& instance, std::string_view volume);

/// The claim that copies of a runtime's data are kept in.
[[nodiscard]] std::string backup_claim(const plan::Instance& instance);

/// The CronJob that copies it: a label of DNS with room for what Kubernetes appends, 52 characters.
/// There is one in a namespace for each runtime, so that what is cut tells nothing apart.
[[nodiscard]] std::string backup_job(std::string_view instance);

/// Bytes of that claim: room for all copies that `backup.keep` asks for, each as large as the
/// volume may grow. Never more than an int64 counts.
[[nodiscard]] plan::Traced<std::int64_t> backup_bytes(const plan::Plan& plan,
                                                      const plan::Volume& volume);

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
