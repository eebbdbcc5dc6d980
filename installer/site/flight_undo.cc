// The way back. Each function may be done again from its beginning, whatever it had come to.

#include "installer/site/answers.h"
#include "installer/site/containers.h"
#include "installer/site/flight.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
Checked<void> Pilot::restore_data() {
  auto& data = premises_.disks.data;
  const auto there = data.status(kCopies);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return {};
  // Each copy is used up by being renamed, so that what is restored stays so when this is repeated.
  const auto stores = data.list(kCopies);
  if (!stores) return tl::unexpected(stores.error());
  for (const auto& store : *stores) {
    if (auto done = ensure_directory(data, kDropped, 0700); !done) return done;
    const auto dropped = std::string(kDropped) + "/" + store;
    if (auto done = remove_tree(data, dropped); !done) return done;
    const auto is = data.status(store);
    if (!is) return tl::unexpected(is.error());
    if (*is) {
      if (auto done = data.rename(store, dropped); !done) return done;
      if (auto done = data.sync_directory(kDropped); !done) return done;
      if (auto done = data.sync_directory(""); !done) return done;
    }
    if (auto done = data.rename(std::string(kCopies) + "/" + store, store); !done) return done;
    if (auto done = data.sync_directory(""); !done) return done;
    if (auto done = data.sync_directory(kCopies); !done) return done;
  }
  return {};
}

Checked<void> Pilot::remove_copies() {
  auto& data = premises_.disks.data;
  for (const auto directory : {kCopies, kDropped}) {
    if (auto done = remove_tree(data, directory); !done) return done;
  }
  return data.sync_directory("");
}

Checked<void> Pilot::undo_install() {
  if (auto done = stop_all(); !done) return done;
  if (auto done = disable(flight().to); !done) return done;
  return apply_release(premises_, "");
}

Checked<void> Pilot::disable(std::string_view name) {
  // What cannot be read any more has no unit files any more either: they go first.
  const auto release = load_release(premises_, name);
  if (!release) return {};
  for (const auto& unit : {release->needs.target, recover_unit(premises_.product)}) {
    const auto there = premises_.disks.etc.status("systemd/system/" + unit);
    if (!there) return tl::unexpected(there.error());
    if (!*there) continue;
    if (auto done = premises_.host.set_enabled(unit, false); !done) return done;
  }
  return premises_.disks.etc.sync_all();
}

Checked<void> Pilot::undo_switch() {
  if (auto done = stop_all(); !done) return done;
  // A copy is whole from this step on, and nothing has touched the data before it.
  if (flight().change == Change::update && flight().step >= Step::backed_up) {
    // No container outlives a boot.
    if (premises_.form == Form::compose && !premises_.booting) {
      if (auto done = end_migration(premises_); !done) return done;
    }
    if (auto done = restore_data(); !done) return done;
  }
  if (auto done = apply_release(premises_, flight().from); !done) return done;
  const auto installed = check_installed(premises_.disks.site, flight().from);
  if (!installed) return tl::unexpected(installed.error());
  return {};
}

Checked<void> Pilot::run_old() {
  const auto old = old_release();
  if (!old) return tl::unexpected(old.error());
  if (!premises_.booting) {
    // A boot on which the recovery failed may have started them as they were then.
    if (auto done = stop_all(); !done) return done;
    if (auto done = run_closed(**old); !done) return done;
    if (auto done = check_health(premises_, **old); !done) return done;
  }
  return open_with(**old);
}

Checked<void> Pilot::remove_everything() {
  auto& site = premises_.disks.site;
  // After a crash the boot may have started it once more.
  if (auto done = stop_all(); !done) return done;
  if (auto done = disable(flight().from); !done) return done;
  if (auto done = apply_release(premises_, ""); !done) return done;
  if (auto done = remove_copies(); !done) return done;
  if (flight().keep_data && !flight().from.empty()) {
    // One that cannot be read is being removed already, or damaged: what is left of it is kept.
    const auto old = old_release();
    if (!old || !(*old)->manifest.questions.empty()) {
      if (auto done = keep_answers(site, flight().from); !done) return done;
    }
  }
  const auto going = releases_on(site);
  if (!going) return tl::unexpected(going.error());
  if (auto noted = note_accounts(*going, {}); !noted) return noted;
  if (premises_.form == Form::compose && !flight().from.empty()) {
    auto left = clear_engine(premises_, *going);
    if (!left) return tl::unexpected(left.error());
    in_engine_ = *std::move(left);
    if (!in_engine_.empty()) premises_.say("left alone: " + in_engine_);
  }
  if (auto done = remove_tree(site, kReleases); !done) return done;
  if (auto done = remove_tree(site, kIncoming); !done) return done;
  if (flight().keep_data) return site.sync_directory("");
  if (auto done = remove_data(); !done) return done;
  if (auto done = remove_tree(site, kRoots); !done) return done;
  return site.sync_directory("");
}

Checked<void> Pilot::remove_data() {
  auto& site = premises_.disks.site;
  auto& data = premises_.disks.data;
  const auto stores = data.list("");
  if (!stores) return tl::unexpected(stores.error());
  for (const auto& store : *stores) {
    if (store == kLostAndFound) continue;
    if (auto done = remove_tree(data, store); !done) return done;
  }
  if (auto done = data.sync_directory(""); !done) return done;
  for (const auto name : {kSecrets, kGate, kAnswersFile}) {
    if (auto done = remove_tree(site, name); !done) return done;
  }
  return site.sync_directory("");
}

}  // namespace caisson::installer
