#include "installer/cluster/forecast.h"

#include <algorithm>
#include <utility>

#include "installer/cluster/requirements.h"
#include "installer/cluster/standing.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

std::string shown(const ClusterPremises& premises, const ChartWorkload& workload) {
  return workload.resource + " in namespace " +
         (workload.place.empty() ? premises.kube.space() : workload.place);
}

/// The journal, and what is done first where Helm was killed.
Checked<Journal> ready_journal(ClusterPremises& premises, bool goes_back,
                               std::vector<std::string>& lines) {
  auto journal = journal_to_begin_on(premises, goes_back);
  if (!journal) return journal;
  const auto left = left_pending(premises, *journal);
  if (!left) return tl::unexpected(left.error());
  if (*left) {
    lines.push_back("bring the release, which helm was killed at and has left in " +
                    (*left)->status + ", back to revision " +
                    std::to_string(journal->cluster->revision));
  }
  return journal;
}

}  // namespace

Checked<std::vector<std::string>> forecast_roll_back_chart(ClusterPremises& premises) {
  std::vector<std::string> lines;
  const auto journal = ready_journal(premises, true, lines);
  if (!journal) return tl::unexpected(journal.error());
  const auto older = older_chart(premises, *journal);
  if (!older) return tl::unexpected(older.error());
  if (const auto whole = check_installed(premises.site.disks.site, older->name); !whole) {
    return tl::unexpected(whole.error());
  }
  const auto now = load_chart(premises.site, journal->installed);
  if (!now) return tl::unexpected(now.error());
  lines.push_back("go back to " + to_text(older->manifest.version) + ", the release " +
                  older->name + ", which is revision " +
                  std::to_string(journal->cluster->previous) + " of helm");
  for (const auto& workload : older->needs.workloads) {
    lines.push_back("restart what differs of " + shown(premises, workload));
  }
  for (const auto& workload : now->needs.workloads) {
    if (std::ranges::find(older->needs.workloads, workload) != older->needs.workloads.end()) {
      continue;
    }
    lines.push_back("remove " + shown(premises, workload));
  }
  lines.emplace_back("leave the data as they are");
  return lines;
}

Checked<std::vector<std::string>> forecast_uninstall_chart(ClusterPremises& premises,
                                                           bool keep_data) {
  std::vector<std::string> lines;
  const auto journal = ready_journal(premises, false, lines);
  if (!journal) return tl::unexpected(journal.error());
  auto spaces = known_spaces(*journal->cluster);
  if (!journal->installed.empty()) {
    const auto now = load_chart(premises.site, journal->installed);
    if (!now) return tl::unexpected(now.error());
    for (const auto& space : spaces_of(premises.kube, now->needs)) {
      if (std::ranges::find(spaces, space) == spaces.end()) spaces.push_back(space);
    }
    lines.push_back("remove the release " + premises.site.product + " of helm in namespace " +
                    premises.kube.space());
    for (const auto& workload : now->needs.workloads) {
      lines.push_back("stop " + shown(premises, workload));
    }
    lines.push_back("remove " + premises.place + "/" + std::string(kReleases));
  }
  const auto verb = std::string(keep_data ? "keep " : "remove ");
  const auto kept = kept_in(premises, spaces);
  if (!kept) return tl::unexpected(kept.error());
  for (const auto& each : *kept) lines.push_back(verb + each);
  for (const auto& space : journal->cluster->made) {
    lines.push_back(std::string(verb).append("namespace ").append(space));
  }
  for (const auto& space : spaces) {
    if (std::ranges::find(journal->cluster->made, space) != journal->cluster->made.end()) continue;
    lines.push_back("keep namespace " + space);
  }
  lines.push_back(verb + premises.place);
  return lines;
}

}  // namespace caisson::installer
