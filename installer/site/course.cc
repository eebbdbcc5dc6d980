#include "installer/site/course.h"

#include "installer/format/succession.h"
#include "installer/media/layout.h"

namespace caisson::installer {
namespace {

/// Whether a release is not to be tried again, rather than this host to be mended.
bool is_judgement(Code code) {
  return code == Code::not_migrated || code == Code::not_well || code == Code::leaking;
}

}  // namespace

Checked<Outcome> Course::fly() {
  auto flown = go_on();
  if (flown || flight().step >= Step::committed) return flown;
  return go_back(flown.error());
}

Checked<Outcome> Course::land() {
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

Checked<Outcome> Course::go_on() {
  for (const auto& leg : legs()) {
    if (leg.step <= flight().step) continue;
    if (leg.step == Step::committed && leaking_) return hold();
    const auto before = journal_;
    if (auto flown = leg.fly(); !flown) {
      auto why = flown.error();
      if (leg.step == Step::opened && flight().change != Change::uninstall) {
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
Checked<Outcome> Course::hold() {
  if (auto reached = reach(Step::held); !reached) return tl::unexpected(reached.error());
  return Outcome{.kind = Outcome::Kind::held,
                 .release = journal_.installed,
                 .why = leaking_,
                 .isolation = isolation_,
                 .kept = {}};
}

Checked<Outcome> Course::go_back(const std::optional<Refusal>& why) {
  if (why) {
    premises_.say("undoing: " + why->what);
    if (flight().change == Change::update && is_judgement(why->code)) {
      remember_refused(journal_, flight().to, why->code);
      if (journal_.staged == flight().to) journal_.staged.clear();
      if (auto saved = save(); !saved) return tl::unexpected(saved.error());
    }
  }
  if (auto undone = undo(); !undone) return tl::unexpected(undone.error());
  return ended(Outcome::Kind::rolled_back, why);
}

Checked<void> Course::reach(Step step) {
  flight().step = step;
  if (auto saved = save(); !saved) return saved;
  premises_.say(to_text(step));
  return {};
}

Checked<void> Course::save() {
  if (auto durable = sync_disks(); !durable) return durable;
  return save_journal(premises_.disks.site, journal_);
}

/// The journal says only what is certain, whoever has written it: systemd's tools sync nothing.
Checked<void> Course::sync_disks() {
  const auto& disks = premises_.disks;
  for (auto* disk : {&disks.etc, &disks.data}) {
    // A product in a cluster has one directory alone.
    if (disk == &disks.site) continue;
    if (auto done = disk->sync_all(); !done) return done;
  }
  return disks.site.sync_all();
}

Checked<void> Course::adopt(const std::optional<Release>& release) {
  if (flight().change == Change::uninstall) {
    journal_.installed.clear();
    journal_.previous.clear();
    journal_.staged.clear();
    return {};
  }
  const auto& to = flight().to;
  const auto text = read_file(premises_.disks.site, release_path(to) + "/MANIFEST", kMostOfText);
  if (!text) return tl::unexpected(text.error());
  if (!journal_.floor || journal_.floor->release <= *release) {
    journal_.floor = Floor{.release = *release, .manifest = sha256(*text)};
  }
  forget_refused(journal_, to);
  if (journal_.staged == to) journal_.staged.clear();
  journal_.previous = flight().from;
  journal_.installed = to;
  return {};
}

}  // namespace caisson::installer
