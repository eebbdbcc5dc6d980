#pragma once

#include <cstdint>
#include <string>

#include "conformance/verdict/verdict.h"

namespace caisson::conformance {

/// What a quiet tenant and the machine did without a noisy neighbour, beside it, and after it: the
/// 95th percentiles, in microseconds.
struct NeighbourFigures {
  std::int64_t before = 0;  ///< of the quiet tenant's requests
  std::int64_t during = 0;
  std::int64_t after = 0;
  std::int64_t nobodys_at_rest = 0;  ///< of requests that are no tenant's, to the same listener
  std::int64_t nobodys_least = 0;    ///< of these at rest the fastest one: how far away it is
  std::int64_t nobodys_during = 0;
  std::int64_t late_at_rest = 0;  ///< how late the machine wakes a thread that sleeps
  std::int64_t late_during = 0;
  double ratio = 1.5;  ///< `conformance.slo.quiet-neighbour-ratio`
};

/// Five milliseconds are not called growth: of a request that takes one, a ratio says nothing.
inline constexpr std::int64_t neighbour_slack_us = 5000;

/// Above these the machine is busy before anybody floods: an idle one wakes a thread within a few
/// tenths of a millisecond, and answers requests of no tenant within one or two of its fastest
/// answer. What the fastest takes is distance: every request pays it, and load is never that even.
inline constexpr std::int64_t busy_late_us = 2000;
inline constexpr std::int64_t busy_nobodys_us = neighbour_slack_us;

struct NeighbourJudgement {
  Verdict verdict = Verdict::pass;
  std::string bound;     ///< "at most 8.1 ms (1.5 times, or 5 ms more)"
  std::string observed;  ///< all figures, and why they tell nothing when the verdict says so
};

/// PASS within the ratio of what is no distance, besides what a request of no tenant grew by: the
/// processors, and a container's share of them, are the whole machine's. INCONCLUSIVE when the
/// machine explains the growth: the tenant's requests differ as much without any noise, threads are
/// woken late enough, or it was busy without any noise; else LEAK.
[[nodiscard]] NeighbourJudgement judge(const NeighbourFigures& figures);

/// How many at once have to ask `per_second` requests together, each when it has its answer, which
/// takes `micros`: 3 at least, 32 at most.
[[nodiscard]] std::size_t askers_for(double per_second, std::int64_t micros);

/// Whether somebody who may ask `per_second` times, and `burst` at once, and has `refused` refusals
/// of `sent` requests within `seconds`, was held to that: INCONCLUSIVE when it did not ask more
/// often than it may.
[[nodiscard]] Verdict judge_flood(double per_second, double burst, double seconds, std::size_t sent,
                                  std::size_t refused);

}  // namespace caisson::conformance
