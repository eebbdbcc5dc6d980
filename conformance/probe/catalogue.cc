#include <algorithm>
#include <array>

#include "conformance/probe/probe.h"

namespace caisson::conformance {
namespace {

/// `*` matches any run of characters.
bool glob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (glob(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  return !text.empty() && text.front() == pattern.front() &&
         glob(pattern.substr(1), text.substr(1));
}

std::string_view family_of(std::string_view id) {
  return id.substr(0, id.find_first_of("0123456789"));
}

}  // namespace

std::vector<const Probe*> catalogue() {
  using Family = const std::vector<Probe>& (*)();
  static constexpr std::array<Family, 14> families{
      identity_probes,  data_probes,         file_probes,          process_probes, network_probes,
      secret_probes,    cache_probes,        observability_probes, noise_probes,   limit_probes,
      lifecycle_probes, side_channel_probes, watch_probes,         supply_probes};
  std::vector<const Probe*> all;
  for (const Family family : families) {
    for (const Probe& probe : family()) all.push_back(&probe);
  }
  return all;
}

bool matches(std::string_view filter, const Probe& probe) {
  if (filter.empty()) return true;
  while (!filter.empty()) {
    const auto comma = filter.find(',');
    const std::string_view part = filter.substr(0, comma);
    filter = comma == std::string_view::npos ? std::string_view{} : filter.substr(comma + 1);
    if (part == family_of(probe.id) || glob(part, probe.id)) return true;
  }
  return false;
}

}  // namespace caisson::conformance
