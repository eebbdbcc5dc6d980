#include "installer/site/flight.h"

#include <utility>

#include "installer/site/claims.h"
#include "installer/site/left.h"

namespace caisson::installer {
namespace {

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
    : Course(premises, std::move(journal)), premises_(premises), delivery_(delivery) {}

std::vector<Course::Leg> Pilot::legs() {
  const auto by = [this](Step step, Checked<void> (Pilot::*go)()) {
    return Leg{.step = step, .fly = [this, go] { return (this->*go)(); }};
  };
  switch (flight().change) {
    case Change::install:
      return {by(Step::staged, &Pilot::stage),         by(Step::verified, &Pilot::prepare),
              by(Step::switched, &Pilot::switch_over), by(Step::probation, &Pilot::try_out),
              by(Step::committed, &Pilot::commit),     by(Step::opened, &Pilot::open)};
    case Change::update:
      return {by(Step::staged, &Pilot::stage),         by(Step::verified, &Pilot::prepare),
              by(Step::baseline, &Pilot::check_old),   by(Step::quiesced, &Pilot::quiesce),
              by(Step::backed_up, &Pilot::back_up),    by(Step::migrated, &Pilot::convert),
              by(Step::switched, &Pilot::switch_over), by(Step::probation, &Pilot::try_out),
              by(Step::committed, &Pilot::commit),     by(Step::opened, &Pilot::open)};
    case Change::rollback:
      return {by(Step::verified, &Pilot::examine),     by(Step::quiesced, &Pilot::quiesce),
              by(Step::switched, &Pilot::switch_over), by(Step::probation, &Pilot::try_out),
              by(Step::committed, &Pilot::commit),     by(Step::opened, &Pilot::open)};
    case Change::uninstall:
      return {by(Step::quiesced, &Pilot::quiesce), by(Step::committed, &Pilot::commit),
              by(Step::opened, &Pilot::remove_everything)};
  }
  return {};
}

Checked<Outcome> Pilot::ended(Outcome::Kind kind, const std::optional<Refusal>& why) {
  if (auto cleaned = clean_up(); !cleaned) return tl::unexpected(cleaned.error());
  Outcome outcome{.kind = kind,
                  .release = journal_.installed,
                  .why = why,
                  .isolation = kind == Outcome::Kind::done ? isolation_ : Isolation{},
                  .kept = {}};
  if (!journal_.installed.empty()) return outcome;
  if (!in_engine_.empty()) outcome.kept.push_back(in_engine_);
  // Nothing removes accounts: files of theirs may lie anywhere.
  for (const auto& list : {left_on(premises_), own_accounts(premises_.disks.system,
                                                            premises_.product, journal_.made)}) {
    if (!list) return tl::unexpected(list.error());
    outcome.kept.insert(outcome.kept.end(), list->begin(), list->end());
  }
  return outcome;
}

Checked<void> Pilot::undo() {
  const auto change = flight().change;
  // What is written from here on has this much space on a disk that is full.
  if (auto done = premises_.disks.site.remove(kSpare); !done) return done;
  if (flight().step < first_touched(change)) return {};
  if (change == Change::install) return undo_install();
  if (flight().step != Step::undone) {
    if (auto done = undo_switch(); !done) return done;
    // Everything is the old release's now, whether that can be written down or not: to undo it
    // once more changes nothing, and to keep customers out for a full disk would.
    if (auto done = reach(Step::undone); !done && done.error().code != Code::host_full) return done;
  }
  return run_old();
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
