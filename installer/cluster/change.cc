#include "installer/cluster/change.h"

#include <algorithm>
#include <utility>

#include "installer/cluster/flight.h"
#include "installer/cluster/standing.h"
#include "installer/format/succession.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

/// The journal where no change is in flight; a release that Helm was killed at is brought back
/// first.
Checked<Journal> journal_at_rest(ClusterPremises& premises, bool goes_back = false) {
  auto journal = journal_to_begin_on(premises, goes_back);
  if (!journal) return journal;
  journal->flight.reset();
  if (auto settled = settle(premises, *journal); !settled) return tl::unexpected(settled.error());
  return journal;
}

Checked<Outcome> begin(ClusterPremises& premises, Journal journal, Flight flight,
                       const ClusterDelivery* delivery) {
  journal.flight = std::move(flight);
  if (auto saved = save_journal(premises.site.disks.site, journal); !saved) {
    return tl::unexpected(saved.error());
  }
  return ClusterPilot(premises, std::move(journal), delivery).fly();
}

std::string name_of(const Delivery& delivery) {
  return release_name(delivery.bundle.manifest().envelope.release, delivery.bundle.digest());
}

/// A release that is installed already is not given other values or another registry.
Checked<void> check_same(const ClusterPremises& premises, const Journal& journal,
                         const ClusterDelivery& delivery) {
  const auto values = values_of(premises.site.disks.site, journal.installed);
  if (!values) return tl::unexpected(values.error());
  const bool same_values = !delivery.values || *delivery.values == *values;
  if (same_values && delivery.registry == journal.cluster->registry) return {};
  return refuse(Code::same_release, "the release " + journal.installed + " runs with other " +
                                        (same_values ? "images than those of " + delivery.registry
                                                     : std::string("values")));
}

/// The journal of a site where nothing is installed: a new one, or what an uninstall has kept.
Checked<Journal> journal_for_install(ClusterPremises& premises, const ClusterDelivery& delivery) {
  const auto there = load_journal(premises.site.disks.site);
  if (!there) return tl::unexpected(there.error());
  if (*there) return journal_at_rest(premises);
  // Without a choice it is the chart's, which is not on this host's disk yet.
  const auto space = delivery.space.empty() ? premises.site.product : delivery.space;
  premises.kube.set_space(space);
  auto id = premises.kube.cluster();
  if (!id) return tl::unexpected(id.error());
  Journal journal{.product = premises.site.product, .form = Form::helm};
  journal.cluster = ClusterSite{.id = *std::move(id), .space = space};
  return journal;
}

}  // namespace

Checked<Outcome> install_chart(ClusterPremises& premises, const ClusterDelivery& delivery) {
  const auto there = load_journal(premises.site.disks.site);
  if (!there) return tl::unexpected(there.error());
  auto journal = journal_for_install(premises, delivery);
  if (!journal) return tl::unexpected(journal.error());
  if (!journal->installed.empty()) {
    return refuse(Code::installed_already, "the release " + journal->installed);
  }
  const auto& bundle = delivery.bundle.bundle;
  if (auto fault = fault_of_form(bundle.manifest(), Form::helm)) return tl::unexpected(*fault);
  journal->root = bundle.root().root().version;
  return begin(premises, *std::move(journal),
               {.change = Change::install,
                .from = {},
                .to = name_of(delivery.bundle),
                .keep_data = there->has_value()},
               &delivery);
}

Checked<Outcome> update_chart(ClusterPremises& premises, const ClusterDelivery& delivery) {
  auto journal = journal_at_rest(premises);
  if (!journal) return tl::unexpected(journal.error());
  if (journal->installed.empty()) {
    return refuse(Code::not_installed, premises.place + " has no release");
  }
  const auto old = load_chart(premises.site, journal->installed);
  if (!old) return tl::unexpected(old.error());
  const auto& manifest = delivery.bundle.bundle.manifest();
  if (auto fault = fault_of_form(manifest, Form::helm)) return tl::unexpected(*fault);
  auto to = name_of(delivery.bundle);
  if (to == journal->installed) {
    if (auto same = check_same(premises, *journal, delivery); !same) {
      return tl::unexpected(same.error());
    }
    return nothing_to_do(std::move(to));
  }
  const Successor next{.release = to,
                       .manifest = manifest,
                       .again = delivery.bundle.again,
                       .moves = &premises.site.moves};
  if (auto fits = check_successor(*journal, old->manifest, next); !fits) {
    return tl::unexpected(fits.error());
  }
  if (manifest.data > old->manifest.data) {
    return refuse(Code::no_way_back, "it writes data of version " + std::to_string(manifest.data) +
                                         ", and " + to_text(old->manifest.version) +
                                         " reads up to version " +
                                         std::to_string(old->manifest.data));
  }
  journal->root = std::max(journal->root, delivery.bundle.bundle.root().root().version);
  // It is staged anew, and until it is there is no way back to it.
  if (journal->previous == to) {
    journal->previous.clear();
    journal->cluster->previous = 0;
  }
  Flight flight{.change = Change::update, .from = journal->installed, .to = std::move(to)};
  return begin(premises, *std::move(journal), std::move(flight), &delivery);
}

Checked<Outcome> roll_back_chart(ClusterPremises& premises) {
  auto journal = journal_at_rest(premises, true);
  if (!journal) return tl::unexpected(journal.error());
  if (const auto older = older_chart(premises, *journal); !older) {
    return tl::unexpected(older.error());
  }
  Flight flight{.change = Change::rollback, .from = journal->installed, .to = journal->previous};
  return begin(premises, *std::move(journal), std::move(flight), nullptr);
}

Checked<Outcome> uninstall_chart(ClusterPremises& premises, bool keep_data) {
  auto journal = journal_at_rest(premises);
  if (!journal) return tl::unexpected(journal.error());
  if (journal->installed.empty() && keep_data) return nothing_to_do({});
  Flight flight{
      .change = Change::uninstall, .from = journal->installed, .to = {}, .keep_data = keep_data};
  return begin(premises, *std::move(journal), std::move(flight), nullptr);
}

Checked<Outcome> recover_chart(ClusterPremises& premises) {
  const auto there = load_journal(premises.site.disks.site);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return nothing_to_do({});
  auto journal = journal_of(premises);
  if (!journal) return tl::unexpected(journal.error());
  if (journal->flight) return ClusterPilot(premises, *std::move(journal), nullptr).land();
  const auto before = journal->cluster->revision;
  if (auto settled = settle(premises, *journal); !settled) return tl::unexpected(settled.error());
  auto outcome = nothing_to_do(journal->installed);
  if (journal->cluster->revision != before) outcome.kind = Outcome::Kind::done;
  return outcome;
}

}  // namespace caisson::installer
