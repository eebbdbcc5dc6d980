#include "runtime/observe/audit.h"

#include <array>
#include <new>
#include <utility>

namespace caisson::observe {
namespace {

constexpr std::string_view refusals_name = "refusals";

/// Whether there is anything of a log in `directory`.
bool is_there(const std::filesystem::path& directory) {
  std::error_code error;
  return std::filesystem::is_directory(directory, error) &&
         !std::filesystem::is_empty(directory, error) && !error;
}

}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(const std::filesystem::path& directory,
                                           const Clock& clock, const Log& log, Metrics& metrics,
                                           Bounds bounds) {
  auto operations = AuditLog::open(directory, clock, log, metrics, bounds.operations);
  if (!operations) return tl::unexpected(operations.error());
  const bool gone = (*operations)->has_refusals() && !is_there(directory / refusals_name);
  auto refusals = AuditLog::open(directory / refusals_name, clock, log, metrics, bounds.refusals);
  if (!refusals) return tl::unexpected(refusals.error());
  if (gone) {
    log.error("the audit log of refusals was missing, and begins anew");
    (*operations)
        ->append({.actor = {.kind = Actor::Kind::runtime},
                  .action = "audit.damaged",
                  .outcome = "failed",
                  .reason = "the log of refusals was missing"});
  }
  if (!(*operations)->note_refusals())
    return fail("cannot write the audit log in " + directory.string(),
                "check that the directory belongs to the runtime and the disk has space");
  return std::unique_ptr<Audit>(
      new Audit(std::move(*operations), std::move(*refusals), clock, metrics, bounds.in_full));
}

Audit::Audit(std::unique_ptr<AuditLog> operations, std::unique_ptr<AuditLog> refusals,
             const Clock& clock, Metrics& metrics, const RefusalBounds& bounds)
    : operations_(std::move(operations)),
      refusals_(std::move(refusals)),
      clock_(clock),
      metrics_(metrics),
      kinds_(bounds) {}

Audit::~Audit() {
  const std::lock_guard lock(mutex_);
  write_counts();
}

void Audit::refuse(const AuditEvent& event) {
  const std::int64_t now_ms = clock_.unix_ms();
  const std::int64_t now_ns = clock_.steady_ns();
  const std::lock_guard lock(mutex_);
  if (kinds_.due(now_ms)) write_counts();
  if (kinds_.in_full(event, now_ms, now_ns)) {
    if (refusals_->try_append(event)) return;
    kinds_.count(event, now_ms, now_ns);
  }
  metrics_.audit_counted();
}

void Audit::tick() {
  const std::lock_guard lock(mutex_);
  if (kinds_.due(clock_.unix_ms())) write_counts();
}

void Audit::count_so_far() {
  const std::lock_guard lock(mutex_);
  write_counts();
}

void Audit::write_counts() {
  // While the disk refuses writes, counting goes on.
  if (!refusals_->healthy()) return;
  try {
    const std::vector<RefusalCount> rows = kinds_.counts();
    std::vector<std::array<std::string, 3>> times;
    times.reserve(rows.size());
    std::vector<AuditEvent> events;
    for (const RefusalCount& row : rows) {
      const auto& [from, to, since] = times.emplace_back(
          std::array{rfc3339(row.from_ms), rfc3339(row.to_ms), rfc3339(row.since_ms)});
      events.push_back({.actor = {.kind = row.actor, .id = row.actor_id},
                        .action = row.action,
                        .tenant = row.tenant,
                        .tenant_id = row.tenant_id,
                        .request_id = row.request_id,
                        .outcome = "refused",
                        .reason = row.reason,
                        .count = row.count,
                        .from = from,
                        .to = to,
                        .since = since});
    }
    refusals_->append_soon(events);
    kinds_.clear();
  } catch (const std::bad_alloc&) {
    return;  // nor while memory is out
  }
}

bool Audit::record(const AuditEvent& event) {
  return operations_->append(event) != 0 && operations_->flush();
}

std::uint64_t Audit::begin(AuditEvent event) {
  event.outcome = intent_outcome;
  const std::uint64_t seq = operations_->append(event);
  if (seq == 0 || operations_->flush()) return seq;
  // It may still reach the disk, and then it has an outcome there as well.
  event.outcome = "failed";
  event.reason = "not begun: the audit log could not be written";
  event.intent = seq;
  operations_->append_soon({&event, 1});
  return 0;
}

bool Audit::end(std::uint64_t seq, AuditEvent event) {
  event.intent = seq;
  operations_->append_soon({&event, 1});  // as bounded as intents are, which may be refused
  return operations_->flush();
}

AuditReport Audit::verify() {
  return {.operations = operations_->verify(), .refusals = refusals_->verify()};
}

Result<AuditReport> verify_audit(const std::filesystem::path& path) {
  auto operations = verify_audit_log(path);
  if (!operations) return tl::unexpected(operations.error());
  AuditReport report{.operations = std::move(*operations), .refusals = {}};
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return report;
  if (!is_there(path / refusals_name)) {
    if (report.operations.has_refusals)
      report.refusals = AuditVerification{
          .valid = false, .broken_at = 1, .reason = "the log of refusals is missing"};
    return report;
  }
  auto refusals = verify_audit_log(path / refusals_name);
  if (!refusals) return tl::unexpected(refusals.error());
  report.refusals = std::move(*refusals);
  return report;
}

}  // namespace caisson::observe
