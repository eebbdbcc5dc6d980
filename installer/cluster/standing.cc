#include "installer/cluster/standing.h"

#include <algorithm>
#include <string_view>

#include "installer/format/succession.h"
#include "installer/site/tree.h"

namespace caisson::installer {

Checked<Journal> journal_of(ClusterPremises& premises) {
  auto journal = load_journal(premises.site.disks.site);
  if (!journal) return tl::unexpected(journal.error());
  if (!*journal) return refuse(Code::not_installed, "there is no " + premises.place + "/journal");
  const auto& product = premises.site.product;
  if ((*journal)->product != product || !(*journal)->cluster) {
    return refuse(Code::damaged,
                  premises.place + "/journal is not of " + product + " in a cluster");
  }
  const auto& cluster = *(*journal)->cluster;
  premises.kube.set_space(cluster.space);
  const auto id = premises.kube.cluster();
  if (!id) return tl::unexpected(id.error());
  if (*id != cluster.id) {
    return refuse(Code::other_cluster, "kubectl reaches the cluster " + *id + ", and " + product +
                                           " is in " + cluster.id);
  }
  return **std::move(journal);
}

Checked<Journal> journal_to_begin_on(ClusterPremises& premises, bool goes_back) {
  auto journal = journal_of(premises);
  if (!journal) return journal;
  if (auto fault = fault_of_flight(*journal)) return tl::unexpected(*fault);
  // One that is committed and has yet to open holds up nothing but what builds on it.
  if (journal->flight && !goes_back) {
    return refuse(Code::unfinished, "the release is installed, and has yet to open");
  }
  return journal;
}

Checked<ChartRelease> older_chart(const ClusterPremises& premises, const Journal& journal) {
  if (journal.previous.empty() || journal.cluster->previous == 0) {
    return refuse(Code::no_previous, journal.installed.empty()
                                         ? "nothing is installed"
                                         : "the release " + journal.installed + " is the only one");
  }
  const auto now = load_chart(premises.site, journal.installed);
  if (!now) return tl::unexpected(now.error());
  auto older = load_chart(premises.site, journal.previous);
  if (!older) return older;
  if (auto fits =
          check_predecessor(now->manifest, older->manifest, Form::helm, premises.site.moves);
      !fits) {
    return tl::unexpected(fits.error());
  }
  const auto revisions = premises.kube.revisions();
  if (!revisions) return tl::unexpected(revisions.error());
  const auto number = journal.cluster->previous;
  if (std::ranges::find(*revisions, number, &Revision::number) == revisions->end()) {
    return refuse(Code::no_previous, "Helm does not keep its revision " + std::to_string(number) +
                                         " any more, which was the release " + journal.previous);
  }
  return older;
}

Checked<std::optional<Revision>> left_pending(const ClusterPremises& premises,
                                              const Journal& journal) {
  const auto revisions = premises.kube.revisions();
  if (!revisions) return tl::unexpected(revisions.error());
  if (revisions->empty() || !revisions->back().pending() || journal.cluster->revision == 0) {
    return std::nullopt;
  }
  return revisions->back();
}

Checked<void> settle(const ClusterPremises& premises, Journal& journal) {
  const auto left = left_pending(premises, journal);
  if (!left) return tl::unexpected(left.error());
  if (!*left) return {};
  premises.site.say("helm was killed and has left the release in " + (*left)->status +
                    ": it is brought back to revision " +
                    std::to_string(journal.cluster->revision));
  if (auto back = premises.kube.roll_back(journal.cluster->revision); !back) return back;
  const auto after = premises.kube.revisions();
  if (!after) return tl::unexpected(after.error());
  journal.cluster->revision = after->back().number;
  return save_journal(premises.site.disks.site, journal);
}

std::vector<std::string> known_spaces(const ClusterSite& cluster) {
  std::vector<std::string> spaces{cluster.space};
  for (const auto* more : {&cluster.made, &cluster.used}) {
    for (const auto& space : *more) {
      if (space != cluster.space) spaces.push_back(space);
    }
  }
  return spaces;
}

Checked<std::vector<std::string>> kept_in(const ClusterPremises& premises,
                                          const std::vector<std::string>& spaces) {
  std::vector<std::string> kept;
  for (const auto& space : spaces) {
    // What Helm has of the release says so; hooks have made the rest.
    const auto lines = premises.kube.ask_lines(
        space,
        {"get", "persistentvolumeclaims,secrets", "--selector",
         std::string(kOfProduct) + premises.site.product, "--ignore-not-found", "--output",
         R"(jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.annotations.meta\.helm\.sh/release-name} {.metadata.annotations.helm\.sh/resource-policy}{"\n"}{end})"});
    if (!lines) return tl::unexpected(lines.error());
    for (const auto& line : *lines) {
      const auto name = line.substr(0, line.find(' '));
      const auto marks = line.substr(std::min(name.size() + 1, line.size()));
      const bool goes = !marks.starts_with(' ') && !marks.ends_with(" keep");
      if (!goes) kept.push_back(std::string(name).append(" in namespace ").append(space));
    }
  }
  return kept;
}

}  // namespace caisson::installer
