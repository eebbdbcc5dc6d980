#include "runtime/observe/refusals.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace caisson::observe {
namespace {

constexpr double minute_ns = 60e9;
constexpr std::int64_t minute_ms = 60'000;

/// What makes refusals one kind. No part contains a NUL.
std::string key_of(const AuditEvent& event, std::string_view tenant_id) {
  std::string key(event.action);
  (key += '\0') += event.reason;
  (key += '\0') += static_cast<char>('0' + static_cast<int>(event.actor.kind));
  return key += tenant_id;
}

/// Adds `more` to `all`, which is of the same reason, action and kind of actor.
void merge(RefusalCount& all, const RefusalCount& more) {
  all.count += more.count;
  all.from_ms = std::min(all.from_ms, more.from_ms);
  all.to_ms = std::max(all.to_ms, more.to_ms);
  all.since_ms = std::min(all.since_ms, more.since_ms);
  if (all.actor_id != more.actor_id) all.actor_id.clear();
}

}  // namespace

double Refusals::Bucket::level(const RefusalBounds::Allowance& allowance,
                               std::int64_t now_ns) const {
  const double minutes = static_cast<double>(now_ns - at_ns) / minute_ns;
  return std::min(allowance.burst, left + minutes * allowance.a_minute);
}

void Refusals::Bucket::fill(const RefusalBounds::Allowance& allowance, std::int64_t now_ns) {
  left = level(allowance, now_ns);
  at_ns = now_ns;
}

Refusals::Refusals(RefusalBounds bounds)
    : bounds_(bounds),
      anonymous_{.left = bounds.anonymous.burst},
      known_{.left = bounds.known.burst} {}

void Refusals::forget_idle(std::int64_t now_ns) {
  std::erase_if(kinds_, [&](const auto& entry) {
    const Kind& kind = entry.second;
    return kind.counts.count == 0 && kind.bucket.level(bounds_.kind, now_ns) >= bounds_.kind.burst;
  });
}

Refusals::Kind& Refusals::kind_of(const AuditEvent& event, std::int64_t now_ns) {
  std::string key = key_of(event, event.tenant_id);
  auto found = kinds_.find(key);
  if (found == kinds_.end()) {
    // Looking for idle ones at every new kind would cost more than it frees.
    if (kinds_.size() >= bounds_.kinds &&
        static_cast<double>(now_ns) - minute_ns >= static_cast<double>(forgot_ns_)) {
      forget_idle(now_ns);
      forgot_ns_ = now_ns;
    }
    const bool room = kinds_.size() < bounds_.kinds;
    if (!room) key = key_of(event, {});
    bool fresh = false;
    std::tie(found, fresh) = kinds_.try_emplace(std::move(key));
    if (fresh) {
      Kind& kind = found->second;
      kind.bucket = {.left = bounds_.kind.burst, .at_ns = now_ns};
      kind.counts.actor = event.actor.kind;
      kind.counts.action = event.action;
      kind.counts.reason = event.reason;
      if (room) {
        kind.counts.tenant = event.tenant;
        kind.counts.tenant_id = event.tenant_id;
      }
    }
  }
  found->second.bucket.fill(bounds_.kind, now_ns);
  return found->second;
}

bool Refusals::in_full(const AuditEvent& event, std::int64_t now_ms, std::int64_t now_ns) {
  Kind& kind = kind_of(event, now_ns);
  const bool anonymous = event.actor.kind == Actor::Kind::anonymous;
  Bucket& all = anonymous ? anonymous_ : known_;
  all.fill(anonymous ? bounds_.anonymous : bounds_.known, now_ns);
  if (kind.bucket.left < 1 || all.left < 1) {
    note(kind, event, now_ms);
    return false;
  }
  kind.bucket.left -= 1;
  all.left -= 1;
  return true;
}

void Refusals::count(const AuditEvent& event, std::int64_t now_ms, std::int64_t now_ns) {
  note(kind_of(event, now_ns), event, now_ms);
}

void Refusals::note(Kind& kind, const AuditEvent& event, std::int64_t now_ms) {
  RefusalCount& counts = kind.counts;
  if (counts.count == 0) {
    counts.actor_id = event.actor.id;
    counts.request_id = event.request_id;
    counts.from_ms = now_ms;
    const bool goes_on = counts.since_ms != 0 && now_ms - counts.to_ms <= 2 * minute_ms;
    if (!goes_on) counts.since_ms = now_ms;
  } else if (counts.actor_id != event.actor.id) {
    counts.actor_id.clear();
  }
  ++counts.count;
  counts.to_ms = now_ms;
  if (counted_++ == 0) minute_ = now_ms / minute_ms;
}

bool Refusals::due(std::int64_t now_ms) const {
  // A clock that was set back ends the minute as well.
  return counted_ > 0 && now_ms / minute_ms != minute_;
}

void Refusals::clear() noexcept {
  for (auto& [key, kind] : kinds_) kind.counts.count = 0;
  counted_ = 0;
}

std::vector<RefusalCount> Refusals::counts() const {
  std::vector<RefusalCount> rows;
  for (const auto& [key, kind] : kinds_)
    if (kind.counts.count > 0) rows.push_back(kind.counts);
  std::ranges::sort(rows, std::greater<>(), &RefusalCount::count);
  if (rows.size() <= bounds_.rows) return rows;
  std::map<std::tuple<std::string, std::string, Actor::Kind>, RefusalCount> rest;
  for (std::size_t i = bounds_.rows; i < rows.size(); ++i) {
    RefusalCount& row = rows[i];
    row.tenant.clear();
    row.tenant_id.clear();
    const auto [found, fresh] = rest.try_emplace({row.action, row.reason, row.actor}, row);
    if (!fresh) merge(found->second, row);
  }
  rows.resize(bounds_.rows);
  for (auto& [key, row] : rest) rows.push_back(std::move(row));
  return rows;
}

}  // namespace caisson::observe
