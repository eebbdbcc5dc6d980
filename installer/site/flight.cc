#include "installer/site/flight.h"

#include <algorithm>
#include <span>

#include "installer/site/left.h"

namespace caisson::installer {
namespace {

/// Whether a release is not to be tried again, rather than this host to be mended.
bool is_judgement(Code code) {
  return code == Code::not_migrated || code == Code::not_well || code == Code::leaking;
}

/// The step after which a change touches what runs, or what somebody else may have put there.
Step first_touched(Change change) {
  switch (change) {
    case Change::install:
    case Change::rollback:
      return Step::verified;
    case Change::update:
      return Step::baseline;
    case Change::uninstall:
      return Step::begun;
  }
  return Step::begun;
}

}  // namespace

Pilot::Pilot(const Premises& premises, Journal journal, const Delivery* delivery)
    : premises_(premises), journal_(std::move(journal)), delivery_(delivery) {}

Checked<Outcome> Pilot::fly() {
  auto flown = go_on();
  if (flown || flight().step >= Step::committed) return flown;
  return go_back(flown.error());
}

Checked<Outcome> Pilot::land() {
  // What an earlier run has left in this host's memory alone is no ground to build on.
  if (auto durable = sync_disks(); !durable) return tl::unexpected(durable.error());
  const auto step = flight().step;
  // It stays closed until somebody decides, over any number of boots.
  if (step == Step::held) {
    return Outcome{.kind = Outcome::Kind::held,
                   .release = journal_.installed,
                   .why = std::nullopt,
                   .isolation = {},
                   .kept = {}};
  }
  return step >= Step::committed && step != Step::undone ? go_on() : go_back(std::nullopt);
}

Checked<Outcome> Pilot::go_on() {
  static constexpr Leg kInstall[] = {
      {Step::staged, &Pilot::stage},         {Step::verified, &Pilot::prepare},
      {Step::switched, &Pilot::switch_over}, {Step::probation, &Pilot::try_out},
      {Step::committed, &Pilot::commit},     {Step::opened, &Pilot::open}};
  static constexpr Leg kUpdate[] = {
      {Step::staged, &Pilot::stage},         {Step::verified, &Pilot::prepare},
      {Step::baseline, &Pilot::check_old},   {Step::quiesced, &Pilot::quiesce},
      {Step::backed_up, &Pilot::back_up},    {Step::migrated, &Pilot::convert},
      {Step::switched, &Pilot::switch_over}, {Step::probation, &Pilot::try_out},
      {Step::committed, &Pilot::commit},     {Step::opened, &Pilot::open}};
  static constexpr Leg kRollback[] = {
      {Step::verified, &Pilot::examine},     {Step::quiesced, &Pilot::quiesce},
      {Step::switched, &Pilot::switch_over}, {Step::probation, &Pilot::try_out},
      {Step::committed, &Pilot::commit},     {Step::opened, &Pilot::open}};
  static constexpr Leg kUninstall[] = {{Step::quiesced, &Pilot::quiesce},
                                       {Step::committed, &Pilot::commit},
                                       {Step::opened, &Pilot::remove_everything}};
  const auto change = flight().change;
  const std::span<const Leg> legs = change == Change::install    ? std::span<const Leg>(kInstall)
                                    : change == Change::update   ? std::span<const Leg>(kUpdate)
                                    : change == Change::rollback ? std::span<const Leg>(kRollback)
                                                                 : std::span<const Leg>(kUninstall);
  for (const auto& leg : legs) {
    if (leg.step <= flight().step) continue;
    if (leg.step == Step::committed && leaking_) return hold();
    const auto before = journal_;
    if (auto flown = (this->*leg.fly)(); !flown) {
      auto why = flown.error();
      if (leg.step == Step::opened && change != Change::uninstall) {
        why.what = "the release is installed, and does not open: " + why.what;
      }
      return tl::unexpected(why);
    }
    if (auto reached = reach(leg.step); !reached) {
      // It is not done, unless it may be committed: that is for the disk to tell.
      if (leg.step < Step::committed) journal_ = before;
      return tl::unexpected(reached.error());
    }
  }
  return ended(Outcome::Kind::done, std::nullopt);
}

/// Both releases leak: whether the new one, which may mend something else, is to run is not for a
/// program to decide. Nobody is served until it is.
Checked<Outcome> Pilot::hold() {
  if (auto reached = reach(Step::held); !reached) return tl::unexpected(reached.error());
  return Outcome{.kind = Outcome::Kind::held,
                 .release = journal_.installed,
                 .why = leaking_,
                 .isolation = isolation_,
                 .kept = {}};
}

/// Leaves nothing of the change but what it was for.
Checked<Outcome> Pilot::ended(Outcome::Kind kind, const std::optional<Refusal>& why) {
  if (auto cleaned = clean_up(); !cleaned) return tl::unexpected(cleaned.error());
  Outcome outcome{.kind = kind,
                  .release = journal_.installed,
                  .why = why,
                  .isolation = kind == Outcome::Kind::done ? isolation_ : Isolation{},
                  .kept = {}};
  if (!journal_.installed.empty()) return outcome;
  for (const auto& list : {left_on(premises_), accounts_on(premises_)}) {
    if (!list) return tl::unexpected(list.error());
    outcome.kept.insert(outcome.kept.end(), list->begin(), list->end());
  }
  return outcome;
}

Checked<Outcome> Pilot::go_back(const std::optional<Refusal>& why) {
  const auto change = flight().change;
  if (why) {
    premises_.say("undoing: " + why->what);
    if (change == Change::update && is_judgement(why->code)) {
      std::erase_if(journal_.refused,
                    [&](const RefusedRelease& each) { return each.release == flight().to; });
      journal_.refused.push_back({flight().to, std::string(entry_of(why->code).number)});
      if (journal_.refused.size() > kMostRefused) {
        journal_.refused.erase(journal_.refused.begin());
      }
      if (journal_.staged == flight().to) journal_.staged.clear();
      if (auto saved = save(); !saved) return tl::unexpected(saved.error());
    }
  }
  // What is written from here on has this much space on a disk that is full.
  if (auto done = premises_.disks.site.remove(kSpare); !done) return tl::unexpected(done.error());
  const bool touched = flight().step >= first_touched(change);
  if (touched && change == Change::install) {
    if (auto done = undo_install(); !done) return tl::unexpected(done.error());
  } else if (touched) {
    if (flight().step != Step::undone) {
      if (auto done = undo_switch(); !done) return tl::unexpected(done.error());
      // Everything is the old release's now, whether that can be written down or not: to undo it
      // once more changes nothing, and to keep customers out for a full disk would.
      if (auto done = reach(Step::undone); !done && done.error().code != Code::host_full) {
        return tl::unexpected(done.error());
      }
    }
    if (auto done = run_old(); !done) return tl::unexpected(done.error());
  }
  return ended(Outcome::Kind::rolled_back, why);
}

Checked<void> Pilot::reach(Step step) {
  flight().step = step;
  if (auto saved = save(); !saved) return saved;
  premises_.say(to_text(step));
  return {};
}

Checked<void> Pilot::save() {
  if (auto durable = sync_disks(); !durable) return durable;
  return save_journal(premises_.disks.site, journal_);
}

/// The journal says only what is certain, whoever has written it: systemd's tools sync nothing.
Checked<void> Pilot::sync_disks() {
  const auto& disks = premises_.disks;
  for (auto* disk : {&disks.etc, &disks.data, &disks.site}) {
    if (auto done = disk->sync_all(); !done) return done;
  }
  return {};
}

Checked<const StagedRelease*> Pilot::old_release() {
  if (flight().from.empty()) return nullptr;
  if (!old_) {
    auto release = load_release(premises_, flight().from);
    if (!release) return tl::unexpected(release.error());
    old_ = *std::move(release);
  }
  return &*old_;
}

Checked<const StagedRelease*> Pilot::new_release() {
  if (flight().to.empty()) return nullptr;
  if (!new_) {
    auto release = load_release(premises_, flight().to);
    if (!release) return tl::unexpected(release.error());
    new_ = *std::move(release);
  }
  return &*new_;
}

}  // namespace caisson::installer
