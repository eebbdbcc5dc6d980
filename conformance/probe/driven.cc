#include "conformance/probe/driven.h"

#include <algorithm>
#include <cmath>

namespace caisson::conformance {

DrivenJudgement judge(const Driven& driven) {
  DrivenJudgement out{.bound = "from " + std::to_string(driven.least) + " to " +
                               std::to_string(driven.most) + ", then refused",
                      .observed = std::to_string(driven.passed) + " accepted" +
                                  (driven.refused ? ", then refused" : ", none refused")};
  if (driven.passed > driven.most) {
    out.verdict = Verdict::leak;
  } else if (!driven.refused) {
    out.verdict = Verdict::inconclusive;
  } else if (driven.passed < driven.least) {
    out.verdict = Verdict::inconclusive;
    out.observed += ": a smaller limit than the plan's";
  }
  return out;
}

Driven driven_rate(std::int64_t passed, bool refused, std::int64_t quota, double per_second,
                   const DrivenSpan& span) {
  const auto given = [&](std::chrono::duration<double> time) {
    return static_cast<double>(quota) + per_second * time.count();
  };
  return {.passed = passed,
          .refused = refused,
          .least = static_cast<std::int64_t>(given(span.shortest) * 3 / 4),
          .most = static_cast<std::int64_t>(std::ceil(given(span.longest)))};
}

Driven driven_concurrent(std::int64_t held, bool refused, std::int64_t limit) {
  return {.passed = held, .refused = refused, .least = limit, .most = limit};
}

Driven driven_storage(std::int64_t written, std::int64_t writes, bool refused, std::int64_t limit) {
  constexpr std::int64_t page = 4096;
  constexpr std::int64_t besides = 256 << 10;
  // At least something is written before a refusal means a limit.
  return {.passed = written,
          .refused = refused,
          .least = std::max<std::int64_t>(limit / 4 * 3 - besides - writes * page, 1),
          .most = limit};
}

}  // namespace caisson::conformance
