#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/admin/metrics_api.h"
#include "runtime/admin/operator_api.h"
#include "runtime/context/configuration.h"
#include "runtime/context/file_state.h"
#include "runtime/data/data_api.h"
#include "runtime/host/memory.h"
#include "runtime/http/server.h"
#include "runtime/ingress/gate.h"
#include "runtime/ingress/registry_directory.h"
#include "runtime/ingress/resolver.h"
#include "runtime/ingress/tickets.h"
#include "runtime/ingress/token_verifier.h"
#include "runtime/modules/records.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/budget.h"
#include "runtime/observe/log.h"
#include "runtime/observe/metrics.h"
#include "runtime/observe/process_meter.h"
#include "runtime/policy/limiter.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"
#include "runtime/watch/watch_api.h"

namespace caisson::runtime {

/// One running runtime: every part, made in the order in which they need each other. This is the
/// only place that knows them all.
class Application {
 public:
  /// Opens the data directory, reconciles the configured tenants and listens. Logs to `log_fd`.
  /// `process` was made before the process was confined.
  [[nodiscard]] static Result<std::unique_ptr<Application>> start(
      context::ConfigurationPtr configuration, int log_fd = 2,
      std::unique_ptr<observe::ProcessMeter> process = std::make_unique<observe::ProcessMeter>());

  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  /// Stops without a drain, unless `stop` was called.
  ~Application();

  [[nodiscard]] std::uint16_t data_port() const { return data_server_->port(); }
  [[nodiscard]] std::uint16_t operator_port() const { return operator_server_->port(); }
  /// 0 when nobody reads metrics.
  [[nodiscard]] std::uint16_t metrics_port() const {
    return metrics_server_ ? metrics_server_->port() : std::uint16_t{0};
  }

  /// Loads the certificate and the tenants file again.
  void reload();

  /// `/readyz` turns to 503, all else is served as before: whoever routes by readiness is to route
  /// elsewhere before `stop`.
  void begin_to_leave();

  /// Ends the service. With `drain`, `/readyz` turns to 503, requests that have begun are answered,
  /// those that come later are refused (503 `draining`), and what is left after `drain-ms` is cut.
  void stop(bool drain);

 private:
  Application(context::ConfigurationPtr configuration, int log_fd,
              std::unique_ptr<observe::ProcessMeter> process);
  [[nodiscard]] Result<void> open();
  /// Applies tiers and tenants of the configuration, which names all of `named`, with a record
  /// before and one after.
  [[nodiscard]] Result<void> apply(const std::vector<tenancy::TenantSpec>& tenants,
                                   const tenancy::Tiers& tiers, tenancy::Named named);
  /// Applies what is new in the tenants file since it was last applied, when it has changed, or
  /// when it is to be looked at `again`. What cannot be read or applied is logged, and all stays as
  /// it is.
  void follow_tenants(bool again);
  [[nodiscard]] Result<void> apply_changes();
  [[nodiscard]] std::uint64_t begin_purge(const tenancy::Tenant& tenant);
  void end_purge(std::uint64_t begun, const tenancy::Tenant& tenant, bool done);
  [[nodiscard]] Result<void> listen();
  /// The operator API asks for its token before it reads a body; see http::Admit.
  [[nodiscard]] http::Admission admit_operator(const http::Request& head);
  [[nodiscard]] http::Admission admit_scrape(const http::Request& head);
  void maintain(const std::stop_token& stopping);
  void note_end(const watch::Terms& terms, std::uint16_t code, bool ours);

  const context::ConfigurationPtr configuration_;
  const SystemClock clock_;
  const observe::Log log_;
  const std::unique_ptr<observe::ProcessMeter> process_;
  const host::MemoryPlan plan_;
  const std::shared_ptr<observe::Budget> budget_;
  const std::shared_ptr<observe::Share> operator_share_;
  const std::shared_ptr<observe::Share> scrape_share_;
  observe::Metrics metrics_;
  std::unique_ptr<observe::Audit> audit_;
  watch::Feeds feeds_;
  std::unique_ptr<tenancy::Registry> registry_;
  std::unique_ptr<tenancy::Tenants> tenants_;
  bool settled_ = false;  ///< what the last process left has its outcomes, and purging may begin
  std::optional<ingress::RegistryDirectory> directory_;
  std::unique_ptr<ingress::TokenVerifier> tokens_;
  ingress::Tickets tickets_;
  std::optional<ingress::Resolver> resolver_;
  policy::Limiter limiter_;
  std::optional<ingress::Gate> gate_;
  std::optional<modules::Records> records_;
  std::optional<admin::OperatorApi> operator_api_;
  std::optional<admin::MetricsApi> metrics_api_;
  std::optional<watch::WatchApi> watch_api_;
  http::Admit operator_calls_;
  std::optional<data::DataApi> data_api_;
  std::optional<http::Server> data_server_;
  std::optional<http::Server> operator_server_;
  std::optional<http::Server> metrics_server_;
  std::mutex following_;  ///< of what follows, but for the last
  std::map<std::string, tenancy::TenantSpec, std::less<>>
      applied_;  ///< of the configuration, by slug
  context::FileState tenants_file_;
  std::atomic<bool> tenants_current_{true};  ///< the tenants are as the file says
  std::jthread maintenance_;
};

}  // namespace caisson::runtime
