#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "conformance/verdict/verdict.h"

namespace caisson::conformance {

/// How far a tenant was let that was driven to a limit of the plan: requests, or bytes.
struct Driven {
  std::int64_t passed = 0;  ///< accepted before the refusal, or in all when none came
  bool refused = false;
  std::int64_t least = 0;  ///< what a standing limit lets through before it refuses
  std::int64_t most = 0;   ///< what it lets through at all
};

struct DrivenJudgement {
  Verdict verdict = Verdict::pass;
  std::string bound;     ///< "from 38 to 51, then refused"
  std::string observed;  ///< "102 accepted, then refused"
};

/// PASS when it was refused within the bounds. LEAK when more than `most` went through;
/// INCONCLUSIVE when the refusal came before `least`, or not at all.
[[nodiscard]] DrivenJudgement judge(const Driven& driven);

/// When requests of a tenant with a rate were charged, as seen from outside.
struct DrivenSpan {
  std::chrono::duration<double> shortest{0};  ///< from the first answer to sending the last
  std::chrono::duration<double> longest{0};   ///< from before the first to the last answer
};

/// A bucket that holds `quota`, is full at first and fills with `per_second`. A quarter less than
/// it gives is still called near: what the tenant had asked before may not be given back yet.
[[nodiscard]] Driven driven_rate(std::int64_t passed, bool refused, std::int64_t quota,
                                 double per_second, const DrivenSpan& span);

/// Requests that are at work together: exactly as many as the limit says.
[[nodiscard]] Driven driven_concurrent(std::int64_t held, bool refused, std::int64_t limit);

/// A store that was filled with `writes` records of `written` bytes together. What is in it besides
/// takes a part of the limit: its tables and indexes, what the run had put there before, and a page
/// of 4 KiB that the end of a record does not fill. A quarter less is still called near.
[[nodiscard]] Driven driven_storage(std::int64_t written, std::int64_t writes, bool refused,
                                    std::int64_t limit);

}  // namespace caisson::conformance
