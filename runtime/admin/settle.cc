#include "runtime/admin/settle.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "runtime/storage/store.h"

namespace caisson::admin {
namespace {

using observe::UnfinishedAct;
using tenancy::Status;
using tenancy::TenantPtr;

constexpr observe::Actor by_runtime{.kind = observe::Actor::Kind::runtime};
constexpr observe::Actor by_configuration{.kind = observe::Actor::Kind::configuration};

/// What became of an act, and of which key or snapshot.
struct Found {
  bool done = false;
  std::string what;
};

class Settlement {
 public:
  Settlement(observe::Audit& audit, const tenancy::Registry& registry, tenancy::Tenants& tenants)
      : audit_(audit), registry_(registry), tenants_(tenants) {}

  void settle(const UnfinishedAct& act) {
    if (act.action == apply_action) complete_applied(act);
    const Found found = what_became_of(act);
    std::string reason = found.what.empty() ? act.reason : found.what;
    if (!reason.empty()) reason += ": ";
    reason += found.done ? "done; the process ended before it could say so"
                         : "not done: the process ended before";
    static_cast<void>(audit_.end(act.seq, {.actor = by_runtime,
                                           .action = act.action,
                                           .tenant = act.tenant,
                                           .tenant_id = act.tenant_id,
                                           .request_id = act.request_id,
                                           .outcome = found.done ? "ok" : "failed",
                                           .reason = reason}));
  }

 private:
  [[nodiscard]] Found what_became_of(const UnfinishedAct& act) {
    // The configuration is applied in one transaction; what it changed tells that it was.
    if (act.action == apply_action) return {.done = applied_ > 0};
    // Recovery has finished, or the next sweep does it again as an act of its own.
    if (act.action == "tenant.purge") return {.done = true};
    const TenantPtr tenant = registry_.by_id(act.tenant_id);
    if (act.action == "tenant.delete")
      return {.done = tenant == nullptr || tenant->status == Status::deleted};
    if (!tenant) return {};
    if (act.action == "tenant.create") return {.done = true};
    if (act.action == "tenant.update") return {.done = tenant->updated_ms >= act.time_ms};
    if (act.action == "tenant.suspend") return {.done = tenant->status == Status::suspended};
    if (act.action == "tenant.resume") return {.done = tenant->status == Status::active};
    if (act.action == "key.create") return made_key(act, *tenant);
    if (act.action == "key.revoke") {
      const tenancy::ApiKeyPtr key = registry_.key(act.reason);
      return {.done = key == nullptr || key->revoked};
    }
    if (act.action == "snapshot.create") return made_snapshot(act, *tenant);
    if (act.action == "snapshot.restore" || act.action == "records.import")
      return {.done = noted_in_store(*tenant) == act.request_id};
    return {};  // it reads, or goes on where it stopped when it is asked again
  }

  [[nodiscard]] Found made_key(const UnfinishedAct& act, const tenancy::Tenant& tenant) const {
    const auto keys = registry_.keys(tenant.slug);
    if (!keys) return {};
    for (const tenancy::ApiKeyPtr& key : *keys) {
      if (key->created_ms >= act.time_ms) return {.done = true, .what = key->id};
    }
    return {};
  }

  [[nodiscard]] Found made_snapshot(const UnfinishedAct& act, const tenancy::Tenant& tenant) const {
    const auto snapshots = tenants_.snapshots(tenant.slug);
    if (!snapshots) return {};
    for (const storage::Snapshot& snapshot : *snapshots) {
      if (snapshot.created_ms >= act.time_ms) return {.done = true, .what = snapshot.id};
    }
    return {};
  }

  /// The request that last changed the tenant's store as a whole.
  [[nodiscard]] std::string noted_in_store(const tenancy::Tenant& tenant) {
    using Answer = tl::expected<std::string, tenancy::Refusal>;
    std::promise<Answer> promise;
    auto answered = promise.get_future();
    tenants_.submit(
        tenant, storage::Access::read, tenancy::Deadline::max(),
        [](storage::TenantStore& store) { return storage::noted_request(store); },
        [&promise](const Answer& answer) { promise.set_value(answer); });
    return answered.get().value_or(std::string());
  }

  /// Writes the records of the tenants that the configuration changed, as far as they are missing.
  void complete_applied(const UnfinishedAct& act) {
    std::set<std::string> recorded;
    observe::AuditQuery query{.after = act.seq, .limit = 1000};
    std::vector<std::string> lines;
    do {
      lines = audit_.operations().query(query);
      for (const std::string& line : lines) {
        const observe::AuditRecord record = observe::read_record(line);
        recorded.insert(record.tenant_id);
        query.after = record.seq;
      }
    } while (lines.size() == query.limit);
    std::vector<TenantPtr> created;
    std::vector<TenantPtr> updated;
    std::optional<std::string> next = "";
    while (next) {
      const tenancy::TenantPage page = registry_.list({}, 1000, *next);
      for (const TenantPtr& tenant : page.tenants) {
        if (tenant->status == Status::deleted || tenant->updated_ms < act.time_ms) continue;
        ++applied_;
        if (recorded.contains(tenant->id)) continue;
        (tenant->created_ms >= act.time_ms ? created : updated).push_back(tenant);
      }
      next = page.next;
    }
    record_applied(audit_, "tenant.create", created);
    record_applied(audit_, "tenant.update", updated);
  }

  observe::Audit& audit_;
  const tenancy::Registry& registry_;
  tenancy::Tenants& tenants_;
  std::size_t applied_ = 0;
};

}  // namespace

std::size_t settle(observe::Audit& audit, const tenancy::Registry& registry,
                   tenancy::Tenants& tenants) {
  Settlement settlement(audit, registry, tenants);
  const auto& acts = audit.unfinished();
  for (const UnfinishedAct& act : acts) settlement.settle(act);
  return acts.size();
}

void record_applied(observe::Audit& audit, std::string_view action,
                    const std::vector<TenantPtr>& tenants) {
  for (const TenantPtr& tenant : tenants) {
    audit.operations().append({.actor = by_configuration,
                               .action = action,
                               .tenant = tenant->slug,
                               .tenant_id = tenant->id,
                               .outcome = "ok"});
  }
}

}  // namespace caisson::admin
