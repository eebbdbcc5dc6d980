#include "installer/site/change.h"

#include <algorithm>
#include <utility>

#include "installer/format/succession.h"
#include "installer/format/waiver.h"
#include "installer/media/layout.h"
#include "installer/site/claims.h"
#include "installer/site/flight.h"
#include "installer/site/left.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

/// The journal of a site that no change is in flight on.
Checked<Journal> journal_at_rest(const Premises& premises) {
  auto journal = load_journal(premises.disks.site);
  if (!journal) return tl::unexpected(journal.error());
  if (!*journal) {
    return refuse(Code::not_installed, "there is no " + premises.prefix() + "/journal");
  }
  if ((*journal)->product != premises.product) {
    return refuse(Code::damaged, premises.prefix() + "/journal is of " + (*journal)->product);
  }
  if (auto fault = fault_of_flight(**journal)) return tl::unexpected(*fault);
  return **std::move(journal);
}

/// The journal of a site whose update is held.
Checked<Journal> held_journal(const Premises& premises) {
  auto journal = load_journal(premises.disks.site);
  if (!journal) return tl::unexpected(journal.error());
  if (!*journal || !(*journal)->flight || (*journal)->flight->step != Step::held) {
    return refuse(Code::not_held, "no update of " + premises.product + " is held");
  }
  return **std::move(journal);
}

Checked<Outcome> begin(const Premises& premises, Journal journal, Flight flight,
                       const Delivery* delivery) {
  if (auto fault = fault_of_mounts(premises)) return tl::unexpected(*fault);
  journal.flight = std::move(flight);
  if (auto saved = save_journal(premises.disks.site, journal); !saved) {
    return tl::unexpected(saved.error());
  }
  return Pilot(premises, std::move(journal), delivery).fly();
}

Checked<StagedRelease> installed_release(const Premises& premises, const Journal& journal) {
  if (journal.installed.empty()) {
    return refuse(Code::not_installed, premises.prefix() + " has no release");
  }
  return load_release(premises, journal.installed);
}

/// Refuses a release that would take what is somebody else's.
Checked<void> check_claims(const Premises& premises, const Manifest& manifest,
                           const Manifest* installed, Standing standing) {
  const auto way =
      claimed({premises.host, premises.disks.system}, manifest, installed, standing, premises.form);
  if (!way) return tl::unexpected(way.error());
  if (way->empty()) return {};
  return refuse(Code::foreign_name, *way + " is there already, and not of this product");
}

/// The name of the release that is delivered, if the site may be updated to it; `moves` as in
/// `Successor`.
Checked<std::string> newer_release(const Premises& premises, const Journal& journal,
                                   const Delivery& delivery, const AcceptedMoves* moves) {
  const auto old = installed_release(premises, journal);
  if (!old) return tl::unexpected(old.error());
  const auto& manifest = delivery.bundle.manifest();
  if (auto fault = fault_of_form(manifest, premises.form)) return tl::unexpected(*fault);
  auto to = release_name(manifest.envelope.release, delivery.bundle.digest());
  if (to == journal.installed) return to;
  const Successor next{
      .release = to, .manifest = manifest, .again = delivery.again, .moves = moves};
  if (auto fits = check_successor(journal, old->manifest, next); !fits) {
    return tl::unexpected(fits.error());
  }
  if (auto fault = fault_of_mounts(premises)) return tl::unexpected(*fault);
  if (auto free = check_claims(premises, manifest, &old->manifest, Standing::installed); !free) {
    return tl::unexpected(free.error());
  }
  return to;
}

}  // namespace

Outcome nothing_to_do(std::string release) {
  return {.kind = Outcome::Kind::nothing,
          .release = std::move(release),
          .why = std::nullopt,
          .isolation = {},
          .kept = {}};
}

Checked<Outcome> install(const Premises& premises, const Delivery& delivery) {
  const auto there = load_journal(premises.disks.site);
  if (!there) return tl::unexpected(there.error());
  Journal journal{.product = premises.product};
  if (*there) {
    auto rests = journal_at_rest(premises);
    if (!rests) return tl::unexpected(rests.error());
    journal = *std::move(rests);
  }
  if (!journal.installed.empty()) {
    return refuse(Code::installed_already, "the release " + journal.installed);
  }
  const auto& manifest = delivery.bundle.manifest();
  if (auto fault = fault_of_form(manifest, premises.form)) return tl::unexpected(*fault);
  const auto free =
      check_claims(premises, manifest, nullptr, *there ? Standing::kept : Standing::fresh);
  if (!free) return tl::unexpected(free.error());
  journal.form = premises.form;
  journal.root = delivery.bundle.root().root().version;
  return begin(premises, std::move(journal),
               {.change = Change::install,
                .from = {},
                .to = release_name(manifest.envelope.release, delivery.bundle.digest()),
                .keep_data = there->has_value()},
               &delivery);
}

Checked<Outcome> update(const Premises& premises, const Delivery& delivery) {
  auto journal = journal_at_rest(premises);
  if (!journal) return tl::unexpected(journal.error());
  auto to = newer_release(premises, *journal, delivery, &premises.moves);
  if (!to) return tl::unexpected(to.error());
  if (*to == journal->installed) return nothing_to_do(*std::move(to));
  journal->root = std::max(journal->root, delivery.bundle.root().root().version);
  const bool staged = delivery.staged && *to == journal->staged;
  if (delivery.staged && !staged) {
    return refuse(Code::not_staged, "the release " + *to + " is not the one that was staged");
  }
  if (!staged) {
    // It is staged anew, and until it is there is no way back to it.
    if (journal->previous == *to) journal->previous.clear();
    if (journal->staged == *to) journal->staged.clear();
  }
  Flight flight{.change = Change::update,
                .step = staged ? Step::staged : Step::begun,
                .from = journal->installed,
                .to = *std::move(to)};
  return begin(premises, *std::move(journal), std::move(flight), &delivery);
}

Checked<Outcome> stage(const Premises& premises, const Delivery& delivery) {
  auto journal = journal_at_rest(premises);
  if (!journal) return tl::unexpected(journal.error());
  auto to = newer_release(premises, *journal, delivery, nullptr);
  if (!to) return tl::unexpected(to.error());
  if (*to == journal->installed || *to == journal->staged) return nothing_to_do(journal->installed);
  auto& site = premises.disks.site;
  const auto replaced = std::exchange(journal->staged, {});
  if (!replaced.empty() && replaced != journal->previous) {
    if (auto saved = save_journal(site, *journal); !saved) return tl::unexpected(saved.error());
    if (auto gone = remove_tree(site, release_path(replaced)); !gone) {
      return tl::unexpected(gone.error());
    }
  }
  // The release before lies here already, unless an older program has put it here.
  const auto sums = site.status(below(release_path(*to), kSums));
  if (!sums) return tl::unexpected(sums.error());
  if (*to != journal->previous || !*sums) {
    if (*to == journal->previous) {
      journal->previous.clear();
      if (auto saved = save_journal(site, *journal); !saved) return tl::unexpected(saved.error());
    }
    if (auto staged = stage_release(premises, delivery, *to); !staged) {
      return tl::unexpected(staged.error());
    }
  }
  journal->staged = *to;
  if (auto durable = site.sync_all(); !durable) return tl::unexpected(durable.error());
  if (auto saved = save_journal(site, *journal); !saved) return tl::unexpected(saved.error());
  return Outcome{.kind = Outcome::Kind::done,
                 .release = journal->installed,
                 .why = std::nullopt,
                 .isolation = {},
                 .kept = {}};
}

Checked<Outcome> roll_back(const Premises& premises) {
  if (auto held = held_journal(premises)) {
    return Pilot(premises, *std::move(held), nullptr).turn_back();
  }
  auto journal = journal_at_rest(premises);
  if (!journal) return tl::unexpected(journal.error());
  const auto older = older_release(premises, *journal);
  if (!older) return tl::unexpected(older.error());
  Flight flight{.change = Change::rollback, .from = journal->installed, .to = journal->previous};
  // The program of that release recovers at boot, and may be one that cannot read these lines.
  journal->made.clear();
  return begin(premises, *std::move(journal), std::move(flight), nullptr);
}

Checked<StagedRelease> older_release(const Premises& premises, const Journal& journal) {
  const auto now = installed_release(premises, journal);
  if (!now) return tl::unexpected(now.error());
  if (journal.previous.empty()) {
    return refuse(Code::no_previous, "the release " + journal.installed + " is the only one");
  }
  auto older = load_release(premises, journal.previous);
  if (!older) return older;
  if (auto fits = check_predecessor(now->manifest, older->manifest, premises.form, premises.moves);
      !fits) {
    return tl::unexpected(fits.error());
  }
  return older;
}

Checked<Outcome> waive(const Premises& premises, const TrustedRoot& root, std::string_view text,
                       std::string_view signature) {
  auto journal = held_journal(premises);
  if (!journal) return tl::unexpected(journal.error());
  const auto key = check_signature("the signature of the waiver", signature, text,
                                   root.root().releases, root.revoked());
  if (!key) return tl::unexpected(key.error());
  const auto waiver = read_waiver(text);
  if (!waiver) return tl::unexpected(waiver.error());
  const auto& to = journal->flight->to;
  if (waiver->product != premises.product || waiver->release != to) {
    return refuse(Code::other_waiver, "it is for the release " + waiver->release + " of " +
                                          waiver->product + ", and " + to + " is held");
  }
  // Beside the report, which says what it is for.
  auto& site = premises.disks.site;
  for (const auto& [name, bytes] :
       {std::pair("/waiver", text), std::pair("/waiver.gpg", signature)}) {
    if (auto kept = replace_file(site, release_path(to) + name, bytes, 0644); !kept) {
      return tl::unexpected(kept.error());
    }
  }
  return Pilot(premises, *std::move(journal), nullptr).go_on();
}

Checked<Outcome> uninstall(const Premises& premises, bool keep_data) {
  const auto there = load_journal(premises.disks.site);
  if (!there) return tl::unexpected(there.error());
  Journal journal{.product = premises.product};
  if (*there) {
    auto rests = journal_at_rest(premises);
    if (!rests) return tl::unexpected(rests.error());
    journal = *std::move(rests);
  }
  if (journal.installed.empty()) {
    // What an uninstall has kept, or an install that failed.
    const auto left = left_on(premises);
    if (!left) return tl::unexpected(left.error());
    if (left->empty()) return refuse(Code::not_installed, premises.prefix() + " has no release");
    if (keep_data) {
      auto outcome = nothing_to_do({});
      outcome.kept = *left;
      return outcome;
    }
  }
  Flight flight{
      .change = Change::uninstall, .from = journal.installed, .to = {}, .keep_data = keep_data};
  return begin(premises, std::move(journal), std::move(flight), nullptr);
}

Checked<Outcome> recover(const Premises& premises) {
  auto journal = load_journal(premises.disks.site);
  if (!journal) return tl::unexpected(journal.error());
  if (!*journal || !(*journal)->flight) {
    return nothing_to_do(*journal ? (*journal)->installed : "");
  }
  return Pilot(premises, **std::move(journal), nullptr).land();
}

}  // namespace caisson::installer
