#include "runtime/admin/metrics_api.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "base/uuid.h"
#include "runtime/ingress/problem_response.h"

namespace caisson::admin {

http::Response MetricsApi::answer(const http::Request& head) const {
  if (head.path == "/metrics" && head.method == "GET") {
    return {.status = 200,
            .fields = {{"Content-Type", std::string(observe::metrics_type)}},
            .body = services_.metrics.scrape(readings())};
  }
  const observe::Problem problem{.code = observe::Code::not_found,
                                 .detail = "this listener answers GET /metrics and nothing else"};
  services_.metrics.refusal(problem.code);
  return ingress::problem_response(problem, new_uuid(services_.clock.unix_ms()));
}

observe::Readings MetricsApi::readings() const {
  const tenancy::Tenants::Stats stats = services_.tenants.stats();
  std::error_code ignored;  // of a directory that is gone nothing is known
  const auto disk = std::filesystem::space(services_.configuration.data, ignored);
  observe::Readings readings{.connections = services_.connections(),
                             .open_tenants = stats.open,
                             .open_tenants_limit = stats.open_limit,
                             .tenant_opens = stats.opens,
                             .tenant_evictions = stats.evictions,
                             .commits = stats.commits,
                             .commit_failures = stats.commit_failures,
                             .committed_operations = stats.committed_jobs,
                             .commit_sizes = stats.batches,
                             .commit_seconds = stats.commit_seconds,
                             .mailbox_limit = stats.mailbox_limit,
                             .mailbox_wait = stats.wait_seconds,
                             .disk_bytes = disk.capacity,
                             .disk_free_bytes = disk.available,
                             .audit_healthy = services_.audit.healthy(),
                             .tenants_current = services_.tenants_current(),
                             .process = services_.process.read()};
  if (services_.sockets) readings.sockets = services_.sockets();
  if (services_.budget) readings.buffers = read(*services_.budget);
  for (const tenancy::Tenants::Usage& usage : services_.tenants.usage()) {
    const tenancy::TenantPtr tenant = services_.registry.by_id(usage.tenant_id);
    if (!tenant || tenant->status == tenancy::Status::deleted || tenant->synthetic()) continue;
    readings.tenants.push_back({.tenant = tenant->slug,
                                .mailbox_depth = static_cast<std::int64_t>(usage.mailbox),
                                .mailbox_oldest_seconds = usage.oldest_seconds,
                                .store_bytes = usage.store_bytes,
                                .store_limit_bytes = tenant->limits.storage_bytes.value_or(0),
                                .broken = usage.broken ? 1 : 0});
  }
  for (const tenancy::Tenants::Protection& protection : services_.tenants.protection()) {
    readings.backups.push_back({.tenant = protection.tenant->slug,
                                .seconds = static_cast<double>(protection.until_ms) / 1000});
  }
  return readings;
}

}  // namespace caisson::admin
