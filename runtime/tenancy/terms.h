#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace caisson::tenancy {

enum class Status : std::uint8_t { active, suspended, deleted };

/// What a tenant may use; an absent value is unlimited (the runtime's built-in bounds still hold).
struct Limits {
  std::optional<double> requests_per_second;
  std::optional<std::int64_t> burst;
  std::optional<std::int64_t> concurrent;
  std::optional<std::int64_t> body_bytes;
  std::optional<std::int64_t> storage_bytes;
  std::optional<std::int64_t> queue_messages;
  std::optional<std::int64_t> sockets;
  std::optional<std::int64_t> egress_connections;

  friend bool operator==(const Limits&, const Limits&) = default;
};

/// The limits that are counts, by the names that files and APIs have for them.
inline constexpr std::array<std::pair<std::string_view, std::optional<std::int64_t> Limits::*>, 7>
    count_limits{{
        {"burst", &Limits::burst},
        {"concurrent", &Limits::concurrent},
        {"body", &Limits::body_bytes},
        {"storage", &Limits::storage_bytes},
        {"queue", &Limits::queue_messages},
        {"sockets", &Limits::sockets},
        {"egress-connections", &Limits::egress_connections},
    }};
inline constexpr std::string_view rate_limit = "requests-per-second";  ///< may have a fraction

/// Limits that a deployment may name and nothing enforces: there is no queue, and the runtime opens
/// no connections for tenants.
inline constexpr std::array<std::string_view, 2> unenforced_limits{"queue", "egress-connections"};
[[nodiscard]] constexpr bool is_enforced(std::string_view limit) {
  return limit != unenforced_limits[0] && limit != unenforced_limits[1];
}

/// Calls `visit` with the name and the member of every limit.
template <class Visit>
void each_limit(Visit visit) {
  visit(rate_limit, &Limits::requests_per_second);
  for (const auto& [name, member] : count_limits) visit(name, member);
}

/// A tenant's status, and the limits that override its tier's.
struct Terms {
  Status status = Status::active;
  Limits limits;

  friend bool operator==(const Terms&, const Terms&) = default;
};

/// What holds once the configuration says `now` of a tenant, of which it said `last`: what `held`,
/// which the operator may have changed since, but for what the configuration says otherwise than
/// before. Of two statuses that the configuration left alone the stricter one holds.
[[nodiscard]] Terms settle(const Terms& held, const Terms& last, const Terms& now);

/// What the operator says of a tenant's limits: the ones to `set`, and the names of those that are
/// `withdrawn`, for which what the configuration says holds again.
struct LimitsChange {
  Limits set;
  std::set<std::string, std::less<>> withdrawn;
};
void change_limits(Limits& own, const LimitsChange& change, const Limits& configured);

/// Those of `limits` that are enforced, and none above what `most` allows, as they come to hold in
/// a process.
[[nodiscard]] Limits within(const Limits& limits, const Limits& most);

/// Limits in force: a tenant's own, and its tier's where it has none.
[[nodiscard]] Limits overlay(const Limits& own, const Limits& tier);

}  // namespace caisson::tenancy
