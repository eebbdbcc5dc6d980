#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/probe/arena.h"
#include "conformance/probe/examination.h"
#include "conformance/verdict/result.h"

namespace caisson::conformance {

/// Why a probe does not run on a stack: the plan has no such surface, or (`untested`) it has and
/// the harness cannot look at it from where it stands.
struct LeftOut {
  std::string reason{};
  bool untested = false;

  // NOLINTBEGIN(google-explicit-constructor): a reason alone says that there is no such surface
  LeftOut(const char* why) : reason(why) {}
  LeftOut(std::string why, bool is_untested = false)
      : reason(std::move(why)), untested(is_untested) {}
  // NOLINTEND(google-explicit-constructor)
};

/// The surface is there and nobody looked.
[[nodiscard]] inline LeftOut not_tested(std::string why) { return {std::move(why), true}; }

/// One line of the catalogue. Exactly one of `each` and `once` is set.
struct Probe {
  std::string_view id;  ///< stable
  std::string_view title;
  Resource resource = Resource::records;
  int level = 1;
  bool mutates = false;  ///< runs alone, after the probes that only read

  /// Why the probe does not run in this plan and on this stack; nullopt: it does.
  std::optional<LeftOut> (*inapplicable)(const Arena&) = nullptr;
  /// Attacks `Examination::victim()` as `Examination::attacker()`; runs on every pair of the arena.
  void (*each)(Examination&) = nullptr;
  /// Looks at the stack as a whole; makes its own examinations.
  void (*once)(const Arena&, std::vector<Cell>&) = nullptr;
};

/// The families of the catalogue, each in a file of its own.
[[nodiscard]] const std::vector<Probe>& identity_probes();
[[nodiscard]] const std::vector<Probe>& data_probes();
[[nodiscard]] const std::vector<Probe>& file_probes();
[[nodiscard]] const std::vector<Probe>& process_probes();
[[nodiscard]] const std::vector<Probe>& network_probes();
[[nodiscard]] const std::vector<Probe>& secret_probes();
[[nodiscard]] const std::vector<Probe>& cache_probes();
[[nodiscard]] const std::vector<Probe>& observability_probes();
[[nodiscard]] const std::vector<Probe>& noise_probes();
[[nodiscard]] const std::vector<Probe>& limit_probes();
[[nodiscard]] const std::vector<Probe>& lifecycle_probes();
[[nodiscard]] const std::vector<Probe>& side_channel_probes();
[[nodiscard]] const std::vector<Probe>& supply_probes();
[[nodiscard]] const std::vector<Probe>& watch_probes();

/// All of them in the order of the catalogue (docs/conformance.md).
[[nodiscard]] std::vector<const Probe*> catalogue();

/// True when `filter` names the probe: empty for all; a comma-separated list of ids ("DB1"),
/// families ("DB") and globs
/// ("DB*").
[[nodiscard]] bool matches(std::string_view filter, const Probe& probe);

}  // namespace caisson::conformance
