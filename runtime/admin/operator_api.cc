#include "runtime/admin/operator_api.h"

#include <array>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "runtime/admin/call.h"
#include "runtime/admin/routes.h"
#include "runtime/ingress/problem_response.h"
#include "runtime/ingress/signals.h"
#include "runtime/observe/digest.h"
#include "runtime/observe/ids.h"

namespace caisson::admin {
namespace {

using observe::Code;
using observe::Problem;

constexpr std::size_t max_waiting = 256;
constexpr int worker_count = 2;

/// The entry for a request; otherwise the methods that its path knows, empty for a path that is not
/// there.
struct Found {
  const Entry* entry = nullptr;
  PathParts captured;
  std::string allow;
};

Found find(const http::Request& request) {
  Found found;
  for (const Entry& entry : entries()) {
    const auto captured = match(entry.path, request.path);
    if (!captured) continue;
    if (entry.method == request.method) {
      found.entry = &entry;
      found.captured = *captured;
      return found;
    }
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += entry.method;
  }
  return found;
}

/// Compares digests, so that the time taken tells not even the token's length.
bool is_operator(const http::Request& request, const std::string& token) {
  const auto bearer = ingress::read_bearer(request);
  if (!bearer || !*bearer) return false;
  return observe::equal_constant_time(observe::hex(observe::sha256(**bearer)),
                                      observe::hex(observe::sha256(token)));
}

/// The numbers of others for a scrape, tenants by slug.
observe::Readings take_readings(const OperatorApi::Services& services) {
  const tenancy::Tenants::Stats stats = services.tenants.stats();
  std::error_code ignored;  // of a directory that is gone nothing is known
  const auto disk = std::filesystem::space(services.configuration.data, ignored);
  observe::Readings readings{.connections = services.connections(),
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
                             .audit_healthy = services.audit.healthy(),
                             .process = services.process.read()};
  if (services.sockets) readings.sockets = services.sockets();
  if (services.budget) readings.buffers = read(*services.budget);
  for (const tenancy::Tenants::Usage& usage : services.tenants.usage()) {
    const tenancy::TenantPtr tenant = services.registry.by_id(usage.tenant_id);
    if (!tenant || tenant->status == tenancy::Status::deleted) continue;
    readings.tenants.push_back({.tenant = tenant->slug,
                                .mailbox_depth = static_cast<std::int64_t>(usage.mailbox),
                                .mailbox_oldest_seconds = usage.oldest_seconds,
                                .store_bytes = usage.store_bytes,
                                .store_limit_bytes = tenant->limits.storage_bytes.value_or(0),
                                .broken = usage.broken ? 1 : 0});
  }
  for (const tenancy::Tenants::Protection& protection : services.tenants.protection()) {
    readings.backups.push_back({.tenant = protection.tenant->slug,
                                .seconds = static_cast<double>(protection.until_ms) / 1000});
  }
  return readings;
}

/// What a call leaves in the audit log, durable before its answer leaves. False when the disk
/// refuses it.
bool record(const Call& call, std::string_view action, std::string_view request_id,
            const Answer& answer) {
  std::string reason = call.note;
  if (!answer) {
    if (!reason.empty()) reason += ": ";
    reason += info(answer.error().code).name;
  }
  call.services.audit.append(
      {.actor = "operator",
       .action = action,
       .tenant = call.tenant.empty() ? call.slug : std::string_view(call.tenant),
       .tenant_id = call.tenant_id,
       .request_id = request_id,
       .outcome = answer ? "ok" : "failed",
       .reason = reason});
  return call.services.audit.flush();
}

}  // namespace

OperatorApi::OperatorApi(Services services)
    : services_(std::move(services)), started_ns_(services_.clock.steady_ns()) {
  for (int i = 0; i < worker_count; ++i) workers_.emplace_back([this] { work(); });
}

OperatorApi::~OperatorApi() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  waiting_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void OperatorApi::handle(http::Request&& request, http::Reply&& reply) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < max_waiting) {
      queue_.emplace_back(std::move(request), std::move(reply));
      waiting_.notify_one();
      return;
    }
  }
  reply(ingress::problem_response(
      {.code = Code::overloaded, .detail = "too many operator calls are waiting"},
      observe::new_uuid(services_.clock.unix_ms())));
}

void OperatorApi::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    waiting_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto [request, reply] = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      reply(answer(request));
    } catch (const std::bad_alloc&) {
      reply = {};  // the server answers in its place
    }
    request = {};
    lock.lock();
  }
}

std::optional<http::Response> OperatorApi::refuse_stranger(const http::Request& head) const {
  const bool open = head.method == "GET" && (head.path == "/livez" || head.path == "/metrics");
  if (open || is_operator(head, services_.configuration.operator_token)) return {};
  const std::string request_id = observe::new_uuid(services_.clock.unix_ms());
  const bool sent = head.count("authorization") > 0;
  const Problem problem{.code = sent ? Code::invalid_credential : Code::unauthenticated,
                        .detail = "the operator API answers to the operator's bearer token alone"};
  services_.metrics.refusal(problem.code);
  services_.audit.append({.actor = "anonymous",
                          .action = "operator.refuse",
                          .request_id = request_id,
                          .outcome = "refused",
                          .reason = info(problem.code).name});
  return ingress::problem_response(problem, request_id);
}

http::Response OperatorApi::answer(const http::Request& request) {
  const std::string request_id = observe::new_uuid(services_.clock.unix_ms());
  const auto refused = [&](const Problem& problem) {
    return ingress::problem_response(problem, request_id);
  };
  const bool get = request.method == "GET";
  if (get && request.path == "/livez") {
    return {.status = 200, .fields = {{"Content-Type", "text/plain"}}, .body = "ok\n"};
  }
  if (get && request.path == "/metrics") {
    return {.status = 200,
            .fields = {{"Content-Type", std::string(observe::metrics_type)}},
            .body = services_.metrics.scrape(take_readings(services_))};
  }
  if (auto refused_stranger = refuse_stranger(request)) return std::move(*refused_stranger);
  const Found found = find(request);
  if (found.entry == nullptr) {
    if (found.allow.empty())
      return refused({.code = Code::not_found, .detail = "there is no such route"});
    http::Response response =
        refused({.code = Code::method_not_allowed, .detail = "allowed: " + found.allow});
    response.fields.emplace_back("Allow", found.allow);
    return response;
  }
  const bool changes = !found.entry->action.empty();
  const Problem unrecorded{
      .code = Code::overloaded,
      .detail = "the audit log cannot be written, and nothing is changed without it"};
  if (changes && !services_.audit.healthy()) return refused(unrecorded);

  Call call{.services = services_,
            .request = request,
            .slug = found.captured[0],
            .id = found.captured[1],
            .uptime_ms = (services_.clock.steady_ns() - started_ns_) / 1'000'000,
            .tenant = {},
            .tenant_id = {},
            .note = {}};
  Answer answer = found.entry->route(call);
  if (changes && !record(call, found.entry->action, request_id, answer)) {
    services_.log.error("an operator call was done and its audit record is not durable yet",
                        {{"action", found.entry->action}, {"request_id", request_id}});
  }
  services_.log.info("operator call",
                     {{"method", request.method},
                      {"path", request.path},
                      {"status", answer ? answer->status : info(answer.error().code).status},
                      {"request_id", request_id}});
  if (!answer) return refused(answer.error());
  answer->fields.emplace_back("Caisson-Request-Id", request_id);
  return std::move(*answer);
}

}  // namespace caisson::admin
