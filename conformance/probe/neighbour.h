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
  std::int64_t nobodys_during = 0;
  std::int64_t late_at_rest = 0;  ///< how late the machine wakes a thread that sleeps
  std::int64_t late_during = 0;
  double ratio = 1.5;  ///< `conformance.slo.quiet-neighbour-ratio`
};

/// Five milliseconds are not called growth: of a request that takes one, a ratio says nothing.
inline constexpr std::int64_t neighbour_slack_us = 5000;

struct NeighbourJudgement {
  Verdict verdict = Verdict::pass;
  std::string bound;     ///< "at most 8.1 ms (1.5 times, or 5 ms more)"
  std::string observed;  ///< all figures, and why they tell nothing when the verdict says so
};

/// PASS within the ratio, besides what a request of no tenant grew by: the processors, and a
/// container's share of them, are the whole machine's. INCONCLUSIVE when the machine explains the
/// growth: the tenant's requests differ as much without any noise, or threads are woken late
/// enough; else LEAK.
[[nodiscard]] NeighbourJudgement judge(const NeighbourFigures& figures);

}  // namespace caisson::conformance
