#pragma once

#include <cstdint>
#include <string_view>

namespace caisson::conformance {

/// What a probe found, in ascending order of weight: merging keeps the heavier.
enum class Verdict : std::uint8_t {
  not_applicable,  ///< the plan has no such surface; never counts as passed
  not_tested,      ///< the plan has such a surface, and nobody could look; never counts as passed
  pass,            ///< the wall held, and everything that makes a pass worth something was seen
  inconclusive,    ///< the wall may hold, but the pass was not earned
  invalid,         ///< the harness itself is at fault: its finding means nothing
  leak,            ///< the wall did not hold
};

/// LEAK > INVALID > INCONCLUSIVE > PASS > NOT TESTED; not-applicable is the identity.
[[nodiscard]] Verdict merge(Verdict a, Verdict b);

/// The verdict after a probe was run again: only INCONCLUSIVE can be resolved, everything else
/// stands.
[[nodiscard]] Verdict after_retry(Verdict first, Verdict second);

/// "LEAK", "INVALID", "INCONCLUSIVE", "PASS", "NOT TESTED", "N/A".
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// Exit status of a run: 0 all passed, 1 leak, 2 inconclusive, 3 harness failure. A run in which
/// nothing was looked at verified nothing, so it is inconclusive.
[[nodiscard]] int exit_status(Verdict merged);

}  // namespace caisson::conformance
