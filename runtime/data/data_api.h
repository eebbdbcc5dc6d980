#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/operations.h"
#include "base/time.h"
#include "runtime/context/configuration.h"
#include "runtime/http/limits.h"
#include "runtime/http/reply.h"
#include "runtime/http/visit.h"
#include "runtime/ingress/directory.h"
#include "runtime/ingress/gate.h"
#include "runtime/modules/records.h"
#include "runtime/observe/log.h"
#include "runtime/observe/metrics.h"
#include "runtime/tenancy/tenants.h"
#include "runtime/watch/watch_api.h"

namespace caisson::data {

/// What the data listener answers: health, and the tenants' API. A request walks downward, each
/// step or a refusal: the gate (who, which tenant, how much) as soon as its head is there, then,
/// when its body is, the route, the module on the tenant's actor. Its permit is held until its
/// answer is sent, and the bytes of both are charged to the tenant. Thread-safe.
class DataApi {
 public:
  /// What it works with; everything outlives it.
  struct Services {
    const context::Configuration& configuration;
    const Clock& clock;
    const observe::Log& log;
    observe::Metrics& metrics;
    const ingress::Directory& directory;
    ingress::Gate& gate;
    tenancy::Tenants& tenants;
    const modules::Records& records;
    const watch::WatchApi& watch;
    http::Admit operator_api;  ///< reachable here only when its wall is down: a sabotage
  };

  explicit DataApi(Services services) : services_(std::move(services)) {}

  /// Health is answered, strangers are refused, tenants are let in.
  [[nodiscard]] http::Admission admit(const http::Request& head);

  /// The answer to what the server refuses by itself.
  [[nodiscard]] http::Response refuse(const http::Refusal& refusal) const;

  /// `/readyz` says 200 between these two, and 503 before and after: whoever is told that the
  /// runtime is ready may ask every listener of it.
  void begin_work() { working_ = true; }
  void begin_drain() { working_ = false; }

 private:
  /// One request on its way to its answer.
  struct Exchange;
  class Guest;
  using ExchangePtr = std::shared_ptr<Exchange>;

  [[nodiscard]] std::optional<http::Response> answer_without_tenant(
      const http::Request& request) const;
  [[nodiscard]] bool is_known_domain(std::string_view domain) const;
  [[nodiscard]] http::Response answer_to_record(
      const context::RequestContext& context,
      tl::expected<modules::RecordsAnswer, tenancy::Refusal> answer) const;
  [[nodiscard]] std::optional<http::Response> refuse_by_head(
      const http::Request& head, const context::RequestContext& context) const;
  void route(const ExchangePtr& exchange) const;
  void run_records(const ExchangePtr& exchange, const api::Call& call) const;
  [[nodiscard]] modules::RecordsAnswer answer_within_bounds(const modules::RecordsRequest& asked,
                                                            Exchange& exchange,
                                                            storage::TenantStore& store) const;
  void finish(Exchange& exchange, http::Response response) const;
  [[nodiscard]] http::Response dress(Exchange& exchange, const http::Request& head,
                                     http::Response response) const;
  void log(const Exchange& exchange, const http::Request& head, int status,
           std::int64_t took_ns) const;

  const Services services_;
  std::atomic<bool> working_ = false;
};

}  // namespace caisson::data
