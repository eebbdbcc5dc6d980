#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/observe/chain.h"

namespace caisson::observe {

/// How many refusals are recorded in full. Allowances are counts of records: so many at once, and
/// so many a minute after that.
struct RefusalBounds {
  struct Allowance {
    double burst;
    double a_minute;
  };
  Allowance kind{.burst = 2000, .a_minute = 60};          ///< of one kind
  Allowance anonymous{.burst = 10'000, .a_minute = 120};  ///< of all callers without a credential
  Allowance known{.burst = 20'000, .a_minute = 300};      ///< of all callers with one
  std::size_t kinds = 1024;                               ///< told apart
  std::size_t rows = 64;                                  ///< told apart in one minute's counts
};

/// Refusals of one kind in the minutes up to the moment when they are written: an event without its
/// texts' owners.
struct RefusalCount {
  Actor::Kind actor = Actor::Kind::anonymous;
  std::string actor_id;  ///< empty: several, or one without an id
  std::string action;
  std::string tenant;
  std::string tenant_id;
  std::string request_id;  ///< of the first
  std::string reason;
  std::uint64_t count = 0;
  std::int64_t from_ms = 0;   ///< of the first
  std::int64_t to_ms = 0;     ///< of the last
  std::int64_t since_ms = 0;  ///< since when every minute has had such counts
};

/// Decides which refusals are recorded in full and counts the others, so that nobody can fill a
/// disk by being refused. Refusals are of one kind when tenant, reason, action and the kind of
/// actor are the same. Whatever callers vary, memory is bounded: beyond `kinds` tenants are told
/// apart no more. Not thread-safe.
class Refusals {
 public:
  explicit Refusals(RefusalBounds bounds = {});

  /// True when this one is to be recorded in full; it is counted otherwise.
  [[nodiscard]] bool in_full(const AuditEvent& event, std::int64_t now_ms, std::int64_t now_ns);

  /// Counts one that could not be recorded.
  void count(const AuditEvent& event, std::int64_t now_ms, std::int64_t now_ns);

  /// Whether there are counts of a minute that has ended.
  [[nodiscard]] bool due(std::int64_t now_ms) const;

  /// The counts, most first: at most `rows` with a tenant, and one more for each other reason,
  /// action and kind of actor.
  [[nodiscard]] std::vector<RefusalCount> counts() const;

  /// Begins the next counts.
  void clear() noexcept;

 private:
  /// A bucket of records.
  struct Bucket {
    double left = 0;
    std::int64_t at_ns = 0;
    [[nodiscard]] double level(const RefusalBounds::Allowance& allowance,
                               std::int64_t now_ns) const;
    void fill(const RefusalBounds::Allowance& allowance, std::int64_t now_ns);
  };
  struct Kind {
    Bucket bucket;
    RefusalCount counts;
  };

  [[nodiscard]] Kind& kind_of(const AuditEvent& event, std::int64_t now_ns);
  void forget_idle(std::int64_t now_ns);
  void note(Kind& kind, const AuditEvent& event, std::int64_t now_ms);

  RefusalBounds bounds_;
  std::unordered_map<std::string, Kind> kinds_;
  std::int64_t forgot_ns_ =
      std::numeric_limits<std::int64_t>::min();  ///< when idle kinds were last looked for
  Bucket anonymous_;
  Bucket known_;
  std::uint64_t counted_ = 0;  ///< since the last `clear`
  std::int64_t minute_ = 0;    ///< Unix time in minutes of the first of them
};

}  // namespace caisson::observe
