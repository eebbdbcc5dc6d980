#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/context/configuration.h"
#include "runtime/http/reply.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/clock.h"
#include "runtime/observe/log.h"
#include "runtime/observe/metrics.h"
#include "runtime/observe/process_meter.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::admin {

/// The operator API of docs/runtime.md. Everything but `GET /livez` and `GET /metrics` answers to
/// the operator's bearer token alone. Every call that changes something, and every refused one, is
/// durable in the audit log before its answer leaves.
class OperatorApi {
 public:
  /// All outlive this.
  struct Services {
    const context::Configuration& configuration;
    const observe::Clock& clock;
    const observe::Log& log;
    observe::Metrics& metrics;
    observe::Audit& audit;
    tenancy::Registry& registry;
    tenancy::Tenants& tenants;
    std::function<observe::ConnectionReadings()> connections;  ///< of the data listener
    const observe::ProcessMeter& process;
    std::function<observe::SocketReadings()> sockets{};  ///< may be empty
    std::shared_ptr<const observe::Budget> budget{};     ///< may be null
  };

  explicit OperatorApi(Services services);
  OperatorApi(const OperatorApi&) = delete;
  OperatorApi& operator=(const OperatorApi&) = delete;
  /// Answers what waits, then stops.
  ~OperatorApi();

  /// The answer to a request that needs the operator's token and has it not; of its head alone.
  [[nodiscard]] std::optional<http::Response> refuse_stranger(const http::Request& head) const;

  /// Answers later, on one of two threads of its own: operations wait for disks. At most 256
  /// requests wait; more are told to come back.
  void handle(http::Request&& request, http::Reply&& reply);

  /// Answers now, on the calling thread.
  [[nodiscard]] http::Response answer(const http::Request& request);

 private:
  void work();

  Services services_;
  const std::int64_t started_ns_;
  std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<std::pair<http::Request, http::Reply>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace caisson::admin
