// The steps of a change, forward. Each may be done again from its beginning.

#include <algorithm>

#include "installer/media/layout.h"
#include "installer/site/answers.h"
#include "installer/site/claims.h"
#include "installer/site/containers.h"
#include "installer/site/flight.h"
#include "installer/site/images.h"
#include "installer/site/report.h"
#include "installer/site/settings.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
namespace {

/// More than the journal, the links and the unit files of a release take.
constexpr std::uint64_t kSpareBytes = std::uint64_t{4} << 20;

/// Copies what the release is signed with, which says nothing of itself, so that it can be verified
/// any later day, and before it is updated to.
Checked<void> keep_signatures(const Medium& medium, Disk& site) {
  for (const auto name : {kSums, kSignature, kSecondSignature}) {
    const auto text = read_text(medium, name, kMostOfText);
    if (!text && text.error().code == Code::missing_file) continue;
    if (!text) return tl::unexpected(text.error());
    const auto file = site.create(below(kIncoming, name), 0644);
    if (!file) return tl::unexpected(file.error());
    if (auto done = (*file)->append(*text); !done) return done;
  }
  return site.sync_all();
}

}  // namespace

Checked<Totals> stage_release(const Premises& premises, const Delivery& delivery,
                              const std::string& release) {
  auto& site = premises.disks.site;
  if (auto done = ensure_directory(site, kReleases, 0755); !done)
    return tl::unexpected(done.error());
  if (auto done = remove_tree(site, kIncoming); !done) return tl::unexpected(done.error());
  if (auto done = remove_tree(site, release_path(release)); !done) {
    return tl::unexpected(done.error());
  }
  auto totals = stage_content(delivery.bundle, delivery.reading, site, kIncoming);
  if (!totals) return totals;
  if (auto done = keep_signatures(delivery.bundle.medium(), site); !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = site.rename(kIncoming, release_path(release)); !done) {
    return tl::unexpected(done.error());
  }
  for (const auto directory : {kReleases, std::string_view()}) {
    if (auto done = site.sync_directory(directory); !done) return tl::unexpected(done.error());
  }
  return totals;
}

Checked<void> Pilot::stage() {
  const auto totals = stage_release(premises_, *delivery_, flight().to);
  if (!totals) return tl::unexpected(totals.error());
  totals_ = *totals;
  return {};
}

Checked<void> Pilot::prepare() {
  const auto release = new_release();
  if (!release) return tl::unexpected(release.error());
  const auto old = old_release();
  if (!old) return tl::unexpected(old.error());
  const auto& to = **release;
  const auto kept = kept_answers(premises_.disks.site, *old);
  if (!kept) return tl::unexpected(kept.error());
  const auto replies = replies_to(to.manifest, &premises_.disks.site, *kept, delivery_->answers);
  if (!replies) return tl::unexpected(replies.error());
  if (auto complete = check_complete(*replies); !complete) return complete;
  const auto answers = answers_of(*replies, false);
  const auto ports = ports_of(to.needs, answers);
  if (!ports) return tl::unexpected(ports.error());
  if (*old == nullptr) {
    for (const auto port : *ports) {
      const auto taken = premises_.host.is_taken(port);
      if (!taken) return tl::unexpected(taken.error());
      if (*taken) return refuse(Code::port_taken, "the port " + std::to_string(port));
    }
  }
  const auto declaration = declaration_of(premises_, to.name);
  const auto declared = read_file(premises_.disks.site, declaration, kMostOfText);
  if (!declared) return tl::unexpected(declared.error());
  const HostFiles files{premises_.host, premises_.disks.system};
  const auto before =
      *old == nullptr
          ? Checked<std::string>()
          : read_file(premises_.disks.site, declaration_of(premises_, (*old)->name), kMostOfText);
  if (!before) return tl::unexpected(before.error());
  const auto foreign = claimed_account(files, premises_.product, *declared, *before);
  if (!foreign) return tl::unexpected(foreign.error());
  if (!foreign->empty())
    return refuse(Code::foreign_name, *foreign + ", and the release would take it");
  if (to.form == Form::compose) {
    auto numbers = container_users(to);
    // Whoever has one since is the doctor's to tell.
    if (*old != nullptr) {
      for (const auto number : container_users(**old)) numbers.erase(number);
    }
    const auto account = container_accounts(files, numbers);
    if (!account) return tl::unexpected(account.error());
    if (auto fault = fault_of({*account})) return tl::unexpected(*fault);
  }
  if (auto done = premises_.host.make_accounts(below(premises_.prefix(), declaration)); !done)
    return done;
  const auto secrets = answers_of(*replies, true);
  if (auto done = make_secrets(premises_, to.needs, {.secrets = secrets, .others = answers});
      !done) {
    return done;
  }
  if (auto done = write_settings(premises_, *old, to, answers); !done) return done;
  auto images = to.form == Form::compose ? import_containers(premises_, delivery_->bundle, to)
                                         : unpack_images(premises_, *old, to);
  if (!images) return images;
  // What is read now is on the disk, and no longer what came off the medium.
  const auto installed = check_installed(premises_.disks.site, to.name);
  if (!installed) return tl::unexpected(installed.error());
  installed_ = *installed;
  return premises_.disks.site.sync_all();
}

Checked<void> Pilot::check_old() {
  const auto old = old_release();
  if (!old) return tl::unexpected(old.error());
  // A site that is not well now could not be told from one that the release makes so.
  if (auto well = check_health(premises_, **old); !well) {
    return refuse(Code::not_well_before, well.error().what);
  }
  const auto isolation = probe_isolation(premises_, **old);
  if (isolation) return {};
  if (isolation.error().code != Code::leaking) {
    return refuse(Code::not_well_before, isolation.error().what);
  }
  // A release that mends the leak has to be able to commit.
  leaked_before_ = true;
  premises_.say("the installed release leaks: " + isolation.error().what);
  return {};
}

Checked<void> Pilot::examine() {
  const auto installed = check_installed(premises_.disks.site, flight().to);
  if (!installed) return tl::unexpected(installed.error());
  installed_ = *installed;
  return {};
}

Checked<void> Pilot::quiesce() {
  if (!flight().to.empty()) {
    if (auto done = make_spare(); !done) return done;
  }
  // First of all the door, so that nothing is acknowledged from here on.
  if (auto done = close_door(); !done) return done;
  return stop_all();
}

Checked<void> Pilot::back_up() {
  auto& data = premises_.disks.data;
  const auto old = old_release();
  if (!old) return tl::unexpected(old.error());
  if (auto done = remove_tree(data, kCopies); !done) return done;
  if (auto done = data.make_directory(kCopies, 0700); !done) return done;
  // A migration may fill the disk; what it takes to undo it is here before.
  if (auto done = ensure_directory(data, kDropped, 0700); !done) return done;
  const auto each = [&](const auto& what) -> Checked<void> {
    for (const auto& store : (*old)->needs.stores) {
      const auto there = data.status(store);
      if (!there) return tl::unexpected(there.error());
      if (!*there) continue;
      if (Checked<void> done = what(store, std::string(kCopies) + "/" + store); !done) return done;
    }
    return {};
  };
  if (auto done = each([&](const std::string& store, const std::string& copy) {
        return copy_tree(data, store, copy);
      });
      !done) {
    return done;
  }
  if (auto done = data.sync_all(); !done) return done;
  return each([&](const std::string& store, const std::string& copy) -> Checked<void> {
    const auto was = sum_of_tree(data, store);
    if (!was) return tl::unexpected(was.error());
    const auto is = sum_of_tree(data, copy);
    if (!is) return tl::unexpected(is.error());
    if (was->digest == is->digest) return {};
    return refuse(Code::host_write,
                  "the copy of " + premises_.data() + "/" + store + " is not what was copied");
  });
}

Checked<void> Pilot::convert() {
  const auto release = new_release();
  if (!release) return tl::unexpected(release.error());
  // The new version may have other accounts; what its migration reads becomes theirs. What undoes
  // this gives it back.
  if (auto done = premises_.host.make_directories(
          below(premises_.prefix(), tree_path(flight().to, (*release)->form)) + "/tmpfiles.d/" +
          premises_.product + ".conf");
      !done) {
    return done;
  }
  if (auto done = migrate(premises_, **release); !done) return done;
  return premises_.disks.data.sync_all();
}

Checked<void> Pilot::switch_over() { return apply_release(premises_, flight().to); }

Checked<void> Pilot::try_out() {
  const auto release = new_release();
  if (!release) return tl::unexpected(release.error());
  const auto& to = **release;
  // Its own units say what a release needs; that they do not start is its own fault.
  if (auto done = run_closed(to); !done) return refuse(Code::not_well, done.error().what);
  if (auto done = check_health(premises_, to); !done) return done;
  if (flight().change == Change::rollback) return {};
  const auto isolation = probe_isolation(premises_, to);
  if (isolation) {
    isolation_ = *isolation;
  } else if (isolation.error().code == Code::leaking && leaked_before_) {
    leaking_ = isolation.error();
    isolation_ = {.probed = true,
                  .remark = "it leaks, and so did the release before: " + leaking_->what};
  } else {
    return tl::unexpected(isolation.error());
  }
  return write_report(premises_, to,
                      {.bundle = delivery_->bundle,
                       .totals = totals_,
                       .installed = installed_,
                       .isolation = isolation_});
}

Checked<void> Pilot::commit() {
  const auto release = new_release();
  if (!release) return tl::unexpected(release.error());
  return adopt(*release == nullptr ? std::nullopt
                                   : std::optional((*release)->manifest.envelope.release));
}

Checked<void> Pilot::open() {
  const auto release = new_release();
  if (!release) return tl::unexpected(release.error());
  return open_with(**release);
}

Checked<void> Pilot::open_with(const StagedRelease& release) {
  auto& host = premises_.host;
  const auto& needs = release.needs;
  for (const auto& unit : {needs.target, recover_unit(premises_.product)}) {
    if (auto done = host.set_enabled(unit, true); !done) return done;
  }
  if (!needs.door.empty()) {
    auto& data = premises_.disks.data;
    const auto there = data.status(needs.door);
    if (!there) return tl::unexpected(there.error());
    if (*there) {
      if (auto done = data.remove(needs.door + "/closed"); !done) return done;
      if (auto done = data.sync_directory(needs.door); !done) return done;
    }
  }
  // While the host boots, the boot starts them as soon as this has ended.
  return premises_.booting ? host.start_later(needs.target) : host.start({needs.target});
}

Checked<std::vector<const StagedRelease*>> Pilot::on_disk() {
  const auto old = old_release();
  if (!old) return tl::unexpected(old.error());
  std::vector<const StagedRelease*> releases;
  if (*old != nullptr) releases.push_back(*old);
  // One that was not staged to its end, or is being removed again, does not run.
  const auto now = new_release();
  if (now && *now != nullptr) releases.push_back(*now);
  return releases;
}

Checked<void> Pilot::close_door() {
  auto& data = premises_.disks.data;
  const auto releases = on_disk();
  if (!releases) return tl::unexpected(releases.error());
  for (const auto* release : *releases) {
    const auto& door = release->needs.door;
    if (door.empty()) continue;
    if (auto done = ensure_directory(data, door, 0755); !done) return done;
    const auto closed = door + "/closed";
    const auto there = data.status(closed);
    if (!there) return tl::unexpected(there.error());
    if (*there) continue;
    if (auto made = data.create(closed, 0644); !made) return tl::unexpected(made.error());
    if (auto done = data.sync_directory(door); !done) return done;
  }
  return {};
}

Checked<void> Pilot::run_closed(const StagedRelease& release) {
  const auto& needs = release.needs;
  if (auto done = close_door(); !done) return done;
  if (auto done = premises_.host.start(needs.services); !done) return done;
  if (needs.edge.empty()) return {};
  // It has gone on running behind its closed door, with the files of the other release.
  if (auto done = premises_.host.stop({needs.edge}); !done) return done;
  return premises_.host.start({needs.edge});
}

Checked<void> Pilot::stop_all() {
  if (premises_.booting) return {};
  std::vector<std::string> units;
  for (const auto& release : {flight().from, flight().to}) {
    const auto more = units_of(premises_, release);
    if (!more) return tl::unexpected(more.error());
    units.insert(units.end(), more->begin(), more->end());
  }
  // Unless a release goes on, what has recovered at boot goes too.
  if (flight().to.empty() || flight().from.empty()) {
    units.push_back(recover_unit(premises_.product));
  }
  std::ranges::sort(units);
  units.erase(std::unique(units.begin(), units.end()), units.end());
  if (!flight().to.empty() && !flight().from.empty()) {
    std::erase_if(units, [](const std::string& unit) { return unit.ends_with(".slice"); });
    // Between two releases the edge goes on, to say 503; and with the target it would be stopped.
    const auto releases = on_disk();
    if (!releases) return tl::unexpected(releases.error());
    for (const auto* release : *releases) {
      std::erase(units, release->needs.edge);
      std::erase(units, release->needs.target);
    }
  }
  return premises_.host.stop(units);
}

Checked<void> Pilot::make_spare() {
  auto& site = premises_.disks.site;
  if (auto done = site.remove(kSpare); !done) return done;
  const auto spare = site.create(kSpare, 0600);
  if (!spare) return tl::unexpected(spare.error());
  return (*spare)->reserve(kSpareBytes);
}

Checked<void> Pilot::clean_up() {
  if (auto done = remove_copies(); !done) return done;
  // The installed release has what an uninstall has kept of the one before.
  if (!journal_.installed.empty()) {
    if (auto done = premises_.disks.site.remove(kAnswersFile); !done) return done;
  }
  if (auto done = retire(); !done) return done;
  const bool undone = flight().change == Change::install && journal_.installed.empty();
  const bool gone =
      !flight().keep_data &&
      (undone || (flight().change == Change::uninstall && flight().step == Step::opened));
  // An install that failed leaves what was there before it, and so nothing.
  if (undone && gone) {
    if (auto done = remove_data(); !done) return done;
    if (auto done = remove_tree(premises_.disks.site, kReleases); !done) return done;
  }
  journal_.flight.reset();
  if (!gone) return save();
  if (auto done = premises_.disks.site.remove(kJournal); !done) return done;
  return premises_.disks.site.sync_directory("");
}

Checked<void> Pilot::note_accounts(const std::vector<std::string>& going,
                                   const std::vector<std::string>& staying) {
  const auto changed = installer::note_accounts(premises_, journal_, going, staying);
  if (!changed) return tl::unexpected(changed.error());
  return *changed ? save() : Checked<void>();
}

Checked<void> Pilot::retire() {
  auto& site = premises_.disks.site;
  for (const auto name : {kIncoming, kSpare}) {
    if (auto done = remove_tree(site, name); !done) return done;
  }
  const auto releases = releases_on(site);
  if (!releases) return tl::unexpected(releases.error());
  if (releases->empty()) return {};
  std::vector<std::string> going;
  std::vector<std::string> staying;
  for (const auto& release : *releases) {
    const bool stays =
        release == journal_.installed || release == journal_.previous || release == journal_.staged;
    (stays ? staying : going).push_back(release);
  }
  // An older release that stays may have brought a program that cannot read what is noted.
  if (journal_.installed.empty() || journal_.installed == flight().to) {
    if (auto noted = note_accounts(going, staying); !noted) return noted;
  }
  if (premises_.form == Form::compose) {
    if (auto done = forget_containers(premises_, going, staying); !done) return done;
  }
  for (const auto& release : going) {
    if (auto done = remove_tree(site, release_path(release)); !done) return done;
  }
  return site.sync_directory(kReleases);
}

}  // namespace caisson::installer
