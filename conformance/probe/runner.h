#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "conformance/probe/probe.h"
#include "conformance/verdict/result.h"

namespace caisson::conformance {

struct RunSettings {
  int level = 2;
  std::string filter{};   ///< as `matches` reads it
  unsigned parallel = 4;  ///< probes that only read, at the same time
  std::chrono::milliseconds probe_limit{60'000};
  std::chrono::milliseconds run_limit{600'000};
  /// Called after each probe, one at a time; evidence is flushed from here.
  std::function<void(const ProbeResult&)> finished{};
};

/// Runs the probes of the catalogue that the settings select against an arena with enrolled
/// tenants: first those that only read, side by side, then the others one by one. An INCONCLUSIVE
/// probe is run once more. Fills the report's probes and counters; exclusions of the plan become
/// not-applicable with their reason.
void run_probes(const Arena& arena, const RunSettings& settings, RunReport& report);

/// What a probe finds on this arena: never throws.
[[nodiscard]] ProbeResult run_probe(const Arena& arena, const Probe& probe);

/// The blind-scanner guard: every tenant's own canaries are found where they were planted. INVALID
/// when not, because then the silence of the scanner means nothing.
[[nodiscard]] ProbeResult guard(const Arena& arena);

}  // namespace caisson::conformance
