#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "runtime/context/configuration.h"
#include "runtime/http/message.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/budget.h"
#include "runtime/observe/metrics.h"
#include "runtime/observe/process_meter.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::admin {

/// What the metrics listener of docs/runtime.md serves: `GET /metrics` to everybody who reaches it,
/// and nothing else, whatever token is sent along.
class MetricsApi {
 public:
  /// All outlive this.
  struct Services {
    const context::Configuration& configuration;
    const Clock& clock;
    observe::Metrics& metrics;
    observe::Audit& audit;
    tenancy::Registry& registry;
    tenancy::Tenants& tenants;
    std::function<observe::ConnectionReadings()> connections;  ///< of the data listener
    const observe::ProcessMeter& process;
    std::function<observe::SocketReadings()> sockets{};  ///< may be empty
    std::shared_ptr<const observe::Budget> budget{};     ///< may be null
    /// Whether the tenants are as the tenants file says.
    std::function<bool()> tenants_current = [] { return true; };
  };

  explicit MetricsApi(Services services) : services_(std::move(services)) {}

  /// Answers now, on the calling thread: it asks the file system for its free space.
  [[nodiscard]] http::Response answer(const http::Request& head) const;

 private:
  /// The numbers of others for a scrape, tenants by slug.
  [[nodiscard]] observe::Readings readings() const;

  Services services_;
};

}  // namespace caisson::admin
