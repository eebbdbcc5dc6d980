#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/verdict/result.h"

namespace caisson::conformance {

/// One square of the truth table: what `accessor` got of `owner`'s `resource`, over all probes.
struct TruthCell {
  /// A probe that looked, and the first of its cells that is about this square.
  struct Look {
    std::string probe{};   ///< its id
    std::size_t cell = 0;  ///< index in `ProbeResult::cells`
    Verdict verdict = Verdict::not_applicable;
  };
  Verdict verdict = Verdict::not_applicable;
  std::uint64_t observations = 0;
  std::vector<Look> looks{};  ///< in the order of the report, each probe once
};

/// One line of it. Where accessor and owner are the same, access is expected to be given: those are
/// the positive controls. Everywhere else it is expected to be refused.
struct TruthRow {
  std::string accessor{};
  std::string owner{};
  std::vector<TruthCell> cells{};  ///< in the order of `TruthTable::columns`
};

/// Tenant x resource, from the cells of every probe.
struct TruthTable {
  std::vector<Resource> columns{};  ///< those that any probe looked at
  std::vector<TruthRow> rows{};     ///< by accessor, then owner, its own first
};

[[nodiscard]] TruthTable truth_table(const RunReport& report);

/// "held", "given" (positive control), "LEAK", "INVALID", "unproven", "-".
[[nodiscard]] std::string observed_in(const TruthRow& row, const TruthCell& cell);

}  // namespace caisson::conformance
