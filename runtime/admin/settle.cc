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

/// What became of an act.
enum class Fate : std::uint8_t { done, not_done, unknown };

/// That, and of which key or snapshot.
struct Found {
  Fate fate = Fate::unknown;
  std::string what;
};

Fate done_if(bool done) { return done ? Fate::done : Fate::not_done; }

class Settlement {
 public:
  Settlement(observe::Audit& audit, const tenancy::Registry& registry, tenancy::Tenants& tenants)
      : audit_(audit), registry_(registry), tenants_(tenants) {}

  [[nodiscard]] Found what_became_of(const UnfinishedAct& act) {
    if (act.action == apply_action) {
      // It is one transaction; what it changed tells that it was done. Perhaps it had nothing to.
      complete_applied(act);
      return {.fate = applied_ > 0 ? Fate::done : Fate::unknown};
    }
    const TenantPtr tenant = registry_.by_id(act.tenant_id);
    if (act.action == "tenant.create") return {.fate = done_if(tenant != nullptr)};
    if (!tenant && (act.action == "tenant.delete" || act.action == "tenant.purge")) {
      return {.fate = Fate::done};  // a synthetic tenant leaves no tombstone
    }
    if (!tenant) return {};
    // A tombstone has no tier.
    if (act.action == "tenant.purge") return {.fate = done_if(tenant->tier.empty())};
    if (act.action == "snapshot.restore" || act.action == "records.import") {
      const std::optional<std::string> noted = noted_in_store(*tenant);
      if (noted && *noted == act.request_id) return {.fate = Fate::done};
      return {.fate = noted && is_last_of_its_tenant(act) ? Fate::not_done : Fate::unknown};
    }
    if (!is_last_of_its_tenant(act)) return {};
    return look_at(act, *tenant);
  }

  void record(const UnfinishedAct& act, const Found& found) {
    std::string reason = found.what.empty() ? act.reason : found.what;
    if (!reason.empty()) reason += ": ";
    std::string_view outcome = "unknown";
    if (found.fate == Fate::done) {
      outcome = "ok";
      reason += "done; the process ended before it could say so";
    } else if (found.fate == Fate::not_done) {
      outcome = "failed";
      reason += "not done: the process ended before";
    } else {
      reason += "unknown whether it was done: the process ended before it could say so";
    }
    static_cast<void>(audit_.end(act.seq, {.actor = by_runtime,
                                           .action = act.action,
                                           .tenant = act.tenant,
                                           .tenant_id = act.tenant_id,
                                           .request_id = act.request_id,
                                           .outcome = outcome,
                                           .reason = reason}));
  }

 private:
  /// What an act left of itself that nothing after it has changed.
  [[nodiscard]] Found look_at(const UnfinishedAct& act, const tenancy::Tenant& tenant) const {
    if (act.action == "tenant.delete") return {.fate = done_if(tenant.status == Status::deleted)};
    if (act.action == "tenant.suspend")
      return {.fate = done_if(tenant.status == Status::suspended)};
    if (act.action == "tenant.resume") return {.fate = done_if(tenant.status == Status::active)};
    if (act.action == "key.revoke") {
      const tenancy::ApiKeyPtr key = registry_.key(act.reason);
      return key ? Found{.fate = done_if(key->revoked)} : Found{};
    }
    if (act.action == "snapshot.delete") {
      const auto left = tenants_.snapshots(tenant.slug);
      if (!left) return {};
      return {.fate = done_if(std::ranges::none_of(
                  *left, [&](const auto& snapshot) { return snapshot.id == act.reason; }))};
    }
    if (is_ambiguous_by_time(act)) return {};
    if (act.action == "tenant.update") return {.fate = done_if(tenant.updated_ms >= act.time_ms)};
    if (act.action == "key.create") return made_key(act, tenant);
    if (act.action == "snapshot.create") return made_snapshot(act, tenant);
    return {};  // it reads, or goes on where it stopped when it is asked again
  }

  /// Whether nothing else that was recorded has changed the tenant since.
  [[nodiscard]] bool is_last_of_its_tenant(const UnfinishedAct& act) const {
    bool last = true;
    each_record_after(act.seq, act.tenant, [&](const observe::AuditRecord& record) {
      const bool changes = record.outcome == observe::intent_outcome ||
                           (record.intent == 0 && record.outcome == "ok");
      if (record.tenant_id == act.tenant_id && changes) last = false;
    });
    return last;
  }

  /// Whether a time of the tenant that is not before the act's can be an earlier act's: one of the
  /// same millisecond, or from before the clock was set back.
  [[nodiscard]] bool is_ambiguous_by_time(const UnfinishedAct& act) const {
    constexpr std::uint64_t shortly_before = 1000;  // records
    bool ambiguous = false;
    each_record_after(act.seq - std::min(act.seq, shortly_before), act.tenant,
                      [&](const observe::AuditRecord& record) {
                        if (record.tenant_id == act.tenant_id && record.seq < act.seq &&
                            record.outcome != "failed" && parse_rfc3339(record.time) >= act.time_ms)
                          ambiguous = true;
                      });
    return ambiguous;
  }

  template <class Take>
  void each_record_after(std::uint64_t seq, const std::string& tenant, const Take& take) const {
    observe::AuditQuery query{.tenant = tenant, .after = seq, .limit = 1000};
    std::vector<std::string> lines;
    do {
      lines = audit_.operations().query(query);
      for (const std::string& line : lines) {
        const observe::AuditRecord record = observe::read_record(line);
        take(record);
        query.after = record.seq;
      }
    } while (lines.size() == query.limit);
  }

  /// The one thing of `made` that was made since the act began.
  template <class Made, class Id>
  [[nodiscard]] static Found only_since(const UnfinishedAct& act, const Made& made, const Id& id) {
    if (!made) return {};
    Found found{.fate = Fate::not_done};
    for (const auto& one : *made) {
      const auto& [created_ms, name] = id(one);
      if (created_ms < act.time_ms) continue;
      if (found.fate == Fate::done) return {};
      found = {.fate = Fate::done, .what = name};
    }
    return found;
  }

  [[nodiscard]] Found made_key(const UnfinishedAct& act, const tenancy::Tenant& tenant) const {
    return only_since(act, registry_.keys(tenant.slug), [](const tenancy::ApiKeyPtr& key) {
      return std::pair(key->created_ms, key->id);
    });
  }

  [[nodiscard]] Found made_snapshot(const UnfinishedAct& act, const tenancy::Tenant& tenant) const {
    return only_since(act, tenants_.snapshots(tenant.slug), [](const storage::Snapshot& snapshot) {
      return std::pair(snapshot.created_ms, snapshot.id);
    });
  }

  /// The request that last changed the tenant's store as a whole; nothing when that cannot be read.
  [[nodiscard]] std::optional<std::string> noted_in_store(const tenancy::Tenant& tenant) {
    using Answer = tl::expected<std::string, tenancy::Refusal>;
    std::promise<Answer> promise;
    auto answered = promise.get_future();
    tenants_.submit(
        tenant, storage::Access::read, tenancy::Deadline::max(),
        [](storage::TenantStore& store) { return storage::noted_request(store); },
        [&promise](const Answer& answer) { promise.set_value(answer); });
    Answer answer = answered.get();
    return answer ? std::optional(*std::move(answer)) : std::nullopt;
  }

  /// Writes the records of the tenants that the configuration changed, as far as they are missing.
  void complete_applied(const UnfinishedAct& act) {
    std::set<std::string> recorded;
    each_record_after(act.seq, {}, [&](const observe::AuditRecord& record) {
      recorded.insert(record.tenant_id);
    });
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
  // All is looked at before anything is recorded, which would look like a later act.
  std::vector<Found> found;
  found.reserve(acts.size());
  for (const UnfinishedAct& act : acts) found.push_back(settlement.what_became_of(act));
  for (std::size_t i = 0; i < acts.size(); ++i) settlement.record(acts[i], found[i]);
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

void record_taken(observe::Audit& audit, const std::vector<tenancy::TakenDomain>& taken) {
  for (const auto& [domain, from, to] : taken) {
    const std::string reason = "the configuration gives " + domain + " to tenant " + to->slug;
    audit.operations().append({.actor = by_configuration,
                               .action = "tenant.update",
                               .tenant = from->slug,
                               .tenant_id = from->id,
                               .outcome = "ok",
                               .reason = reason});
  }
}

std::string domains_given_up(const tenancy::Tenant& tenant) {
  std::string text;
  for (const std::string& domain : tenant.domains)
    (text += text.empty() ? "gives up " : ", ") += domain;
  return text;
}

}  // namespace caisson::admin
