#include "conformance/verdict/result.h"

#include <algorithm>
#include <array>

namespace caisson::conformance {

std::string_view name_of(Resource resource) {
  static constexpr std::array<std::string_view, 12> names{
      "identity", "records",       "files", "process",   "network",      "secrets",
      "cache",    "observability", "noise", "lifecycle", "side channel", "supply"};
  return names.at(static_cast<std::size_t>(resource));
}

std::uint64_t ProbeResult::attempts() const {
  std::uint64_t sum = 0;
  for (const Cell& cell : cells) sum += cell.control ? 0 : cell.observations;
  return sum;
}

Verdict RunReport::verdict() const {
  Verdict merged = Verdict::not_applicable;
  bool attacked = false;
  for (const ProbeResult& probe : probes) {
    merged = merge(merged, probe.verdict);
    attacked |= probe.id != "GUARD" && probe.verdict >= Verdict::pass;
  }
  // That the scanner sees says nothing of any wall.
  return merged == Verdict::pass && !attacked ? Verdict::inconclusive : merged;
}

int RunReport::exit_status() const {
  const bool lacking = require_all && count(Verdict::not_tested) > 0;
  const Verdict merged = verdict();
  return conformance::exit_status(lacking ? merge(merged, Verdict::inconclusive) : merged);
}

std::size_t RunReport::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(probes, verdict, &ProbeResult::verdict));
}

bool ProbeResult::is_aftermath() const {
  return verdict == Verdict::leak && std::ranges::all_of(cells, [](const Cell& cell) {
           return cell.verdict != Verdict::leak || cell.aftermath;
         });
}

std::vector<const ProbeResult*> RunReport::with(Verdict verdict) const {
  std::vector<const ProbeResult*> found;
  for (const ProbeResult& probe : probes)
    if (probe.verdict == verdict) found.push_back(&probe);
  std::ranges::stable_partition(found, [](const auto* probe) { return !probe->is_aftermath(); });
  return found;
}

std::map<std::string, std::uint64_t> RunReport::attempts() const {
  std::map<std::string, std::uint64_t> families;
  for (const ProbeResult& probe : probes) {
    const auto digits = probe.id.find_first_of("0123456789");
    if (digits == std::string::npos || probe.attempts() == 0) continue;
    families[probe.id.substr(0, digits)] += probe.attempts();
  }
  return families;
}

double rule_of_three(std::uint64_t n) { return n < 3 ? 1.0 : 3.0 / static_cast<double>(n); }

}  // namespace caisson::conformance
