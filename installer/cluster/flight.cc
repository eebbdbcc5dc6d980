#include "installer/cluster/flight.h"

#include <algorithm>
#include <utility>

#include "installer/cluster/gate.h"
#include "installer/cluster/requirements.h"
#include "installer/cluster/standing.h"
#include "installer/media/layout.h"
#include "installer/site/flight.h"
#include "installer/site/report.h"

namespace caisson::installer {

std::vector<Course::Leg> ClusterPilot::legs() {
  const auto by = [this](Step step, Checked<void> (ClusterPilot::*go)()) {
    return Leg{.step = step, .fly = [this, go] { return (this->*go)(); }};
  };
  switch (flight().change) {
    case Change::install:
      return {by(Step::staged, &ClusterPilot::stage),
              by(Step::verified, &ClusterPilot::prepare),
              by(Step::quiesced, &ClusterPilot::bring_images),
              by(Step::switched, &ClusterPilot::switch_over),
              by(Step::probation, &ClusterPilot::try_out),
              by(Step::committed, &ClusterPilot::commit),
              by(Step::opened, &ClusterPilot::open)};
    case Change::update:
      return {by(Step::staged, &ClusterPilot::stage),
              by(Step::verified, &ClusterPilot::prepare),
              by(Step::baseline, &ClusterPilot::check_old),
              by(Step::quiesced, &ClusterPilot::bring_images),
              by(Step::switched, &ClusterPilot::switch_over),
              by(Step::probation, &ClusterPilot::try_out),
              by(Step::committed, &ClusterPilot::commit),
              by(Step::opened, &ClusterPilot::open)};
    case Change::rollback:
      return {by(Step::verified, &ClusterPilot::examine),
              by(Step::switched, &ClusterPilot::switch_back),
              by(Step::probation, &ClusterPilot::try_out),
              by(Step::committed, &ClusterPilot::commit)};
    case Change::uninstall:
      return {by(Step::committed, &ClusterPilot::commit),
              by(Step::opened, &ClusterPilot::remove_everything)};
  }
  return {};
}

Checked<Outcome> ClusterPilot::ended(Outcome::Kind kind, const std::optional<Refusal>& why) {
  const bool kept = flight().keep_data || flight().change == Change::install;
  const auto made = cluster().made;
  const auto spaces = known_spaces(cluster());
  if (auto cleaned = clean_up(); !cleaned) return tl::unexpected(cleaned.error());
  Outcome outcome{.kind = kind,
                  .release = journal_.installed,
                  .why = why,
                  .isolation = kind == Outcome::Kind::done ? isolation_ : Isolation{},
                  .kept = {}};
  if (journal_.installed.empty() && kept) {
    auto left = kept_in(premises_, spaces);
    if (!left) return outcome;
    outcome.kept = *std::move(left);
    for (const auto& each : made) outcome.kept.push_back("namespace " + each);
  }
  return outcome;
}

Checked<void> ClusterPilot::undo() {
  const auto change = flight().change;
  // Before that nothing of the cluster was touched.
  const auto first = change == Change::rollback ? Step::verified : Step::quiesced;
  if (flight().step < first) return {};
  return change == Change::install ? undo_install() : undo_switch();
}

std::string ClusterPilot::directory(std::string_view name) const {
  return premises_.place + "/" + release_path(name);
}

Checked<const ChartRelease*> ClusterPilot::release(std::string_view name) {
  auto& kept = name == flight().to ? new_ : old_;
  if (!kept) {
    auto loaded = load_chart(premises_.site, name);
    if (!loaded) return tl::unexpected(loaded.error());
    kept = *std::move(loaded);
  }
  return &*kept;
}

Checked<void> ClusterPilot::stage() {
  const auto totals = stage_release(premises_.site, delivery_->bundle, flight().to);
  if (!totals) return tl::unexpected(totals.error());
  totals_ = *totals;
  return {};
}

/// Everything that this host and the cluster have to have is looked at, and what the chart is
/// installed with is written. Nothing of the cluster is changed.
Checked<void> ClusterPilot::prepare() {
  auto& site = premises_.site.disks.site;
  const auto to = release(flight().to);
  if (!to) return tl::unexpected(to.error());
  const auto installed = check_installed(site, flight().to);
  if (!installed) return tl::unexpected(installed.error());
  installed_ = *installed;
  if (flight().change == Change::install) {
    if (auto free = choose_space(**to); !free) return free;
  }
  auto values = values_of(site, delivery_->values ? "" : flight().from);
  if (!values) return tl::unexpected(values.error());
  if (delivery_->values) values = *delivery_->values;
  if (auto done = write_values(site, release_path(flight().to), delivery_->pins, *values); !done) {
    return done;
  }
  const auto rows = requirements_in(premises_.kube, {.release = **to,
                                                     .directory = directory(flight().to),
                                                     .registry = delivery_->registry,
                                                     .values = *values,
                                                     .upgrade = flight().change == Change::update});
  if (!rows) return tl::unexpected(rows.error());
  if (auto fault = fault_of(*rows)) return tl::unexpected(*fault);
  auto missing = missing_spaces(premises_.kube, (*to)->needs);
  if (!missing) return tl::unexpected(missing.error());
  // Those that are gone when this is undone.
  flight().making = *std::move(missing);
  return {};
}

/// What somebody else has installed under this name is not replaced, and not removed when this
/// fails.
Checked<void> ClusterPilot::choose_space(const ChartRelease& release) {
  if (delivery_->space.empty() && !flight().keep_data) {
    cluster().space = release.needs.space;
    premises_.kube.set_space(cluster().space);
  }
  const auto revisions = premises_.kube.revisions();
  if (!revisions) return tl::unexpected(revisions.error());
  if (revisions->empty()) return {};
  return refuse(Code::foreign_name, "a release of Helm in namespace " + cluster().space +
                                        " is called " + premises_.site.product);
}

Checked<void> ClusterPilot::examine() {
  const auto installed = check_installed(premises_.site.disks.site, flight().to);
  if (!installed) return tl::unexpected(installed.error());
  installed_ = *installed;
  return {};
}

Checked<void> ClusterPilot::check_old() {
  const auto old = release(flight().from);
  if (!old) return tl::unexpected(old.error());
  // A site that is not well now could not be told from one that the release makes so.
  if (auto well = check_workloads(premises_, **old); !well) {
    return refuse(Code::not_well_before, well.error().what);
  }
  const auto isolation = probe_cluster(premises_, **old);
  if (isolation) return {};
  if (isolation.error().code != Code::leaking) {
    return refuse(Code::not_well_before, isolation.error().what);
  }
  // A release that mends the leak has to be able to commit.
  premises_.site.say("the installed release leaks: " + isolation.error().what);
  return {};
}

Checked<void> ClusterPilot::bring_images() {
  return premises_.bring_images ? premises_.bring_images() : Checked<void>{};
}

Checked<void> ClusterPilot::make_spaces() {
  const auto& space = premises_.kube.space();
  if (std::ranges::find(flight().making, space) == flight().making.end()) return {};
  const auto there = premises_.kube.has("", "namespace/" + space);
  if (!there) return tl::unexpected(there.error());
  if (!*there) {
    if (auto made = premises_.kube.ask("", {"create", "namespace", space}); !made) {
      return tl::unexpected(made.error());
    }
  }
  const auto marked_so = premises_.kube.ask("", {"label", "--overwrite", "namespace", space,
                                                 "pod-security.kubernetes.io/enforce=restricted"});
  if (!marked_so) return tl::unexpected(marked_so.error());
  return {};
}

/// Nobody is served by it until it has shown that it keeps its tenants apart.
Checked<void> ClusterPilot::switch_over() {
  if (auto made = make_spaces(); !made) return made;
  return premises_.kube.apply(chart_in(directory(flight().to), premises_.site.product, true));
}

Checked<void> ClusterPilot::switch_back() { return premises_.kube.roll_back(cluster().previous); }

Checked<void> ClusterPilot::try_out() {
  const auto to = release(flight().to);
  if (!to) return tl::unexpected(to.error());
  if (auto well = check_workloads(premises_, **to); !well) return well;
  auto isolation = probe_cluster(premises_, **to);
  if (!isolation) return tl::unexpected(isolation.error());
  isolation_ = *std::move(isolation);
  if (delivery_ == nullptr) return {};
  return write_report(premises_.site,
                      {.name = (*to)->name, .manifest = (*to)->manifest, .needs = {}},
                      {.bundle = delivery_->bundle.bundle,
                       .totals = totals_,
                       .installed = installed_,
                       .isolation = isolation_});
}

/// The newest revision, which has to have come to its end.
Checked<std::uint64_t> ClusterPilot::deployed() {
  const auto revisions = premises_.kube.revisions();
  if (!revisions) return tl::unexpected(revisions.error());
  if (revisions->empty() || revisions->back().status != "deployed") {
    return refuse(
        Code::helm_failed,
        "the newest revision is " + (revisions->empty() ? "not there" : revisions->back().status));
  }
  return revisions->back().number;
}

Checked<void> ClusterPilot::commit() {
  if (flight().change == Change::uninstall) {
    cluster().revision = 0;
    cluster().previous = 0;
    return adopt(std::nullopt);
  }
  const auto to = release(flight().to);
  if (!to) return tl::unexpected(to.error());
  const auto now = deployed();
  if (!now) return tl::unexpected(now.error());
  if (auto done = adopt((*to)->manifest.envelope.release); !done) return done;
  if (delivery_ != nullptr) cluster().registry = delivery_->registry;
  cluster().previous = cluster().revision;
  cluster().revision = *now;
  for (const auto& space : flight().making) {
    auto& made = cluster().made;
    if (std::ranges::find(made, space) == made.end()) made.push_back(space);
  }
  flight().making.clear();
  return {};
}

Checked<void> ClusterPilot::open() {
  // Helm may have been killed at it before.
  if (auto settled = settle(premises_, journal_); !settled) return settled;
  const auto call = chart_in(directory(flight().to), premises_.site.product, false);
  if (auto done = premises_.kube.apply(call); !done) return done;
  const auto now = deployed();
  if (!now) return tl::unexpected(now.error());
  cluster().revision = *now;
  return {};
}

Checked<void> ClusterPilot::remove_spaces(const std::vector<std::string>& spaces) {
  for (const auto& space : spaces) {
    const auto gone = premises_.kube.ask(
        "", {"delete", "namespace", space, "--ignore-not-found", "--wait", "--timeout=100s"});
    if (!gone) return tl::unexpected(gone.error());
  }
  return {};
}

Checked<void> ClusterPilot::undo_install() {
  if (auto gone = premises_.kube.remove(); !gone) return gone;
  return remove_spaces(flight().making);
}

Checked<void> ClusterPilot::undo_switch() {
  const auto revisions = premises_.kube.revisions();
  if (!revisions) return tl::unexpected(revisions.error());
  // Helm may not have begun.
  const bool untouched = !revisions->empty() && revisions->back().number == cluster().revision &&
                         revisions->back().status == "deployed";
  if (!untouched) {
    if (auto back = premises_.kube.roll_back(cluster().revision); !back) return back;
    const auto now = deployed();
    if (!now) return tl::unexpected(now.error());
    cluster().revision = *now;
    flight().step = Step::undone;
    if (auto saved = save(); !saved) return saved;
  }
  if (auto gone = remove_spaces(flight().making); !gone) return gone;
  const auto installed = check_installed(premises_.site.disks.site, flight().from);
  if (!installed) return tl::unexpected(installed.error());
  const auto old = release(flight().from);
  if (!old) return tl::unexpected(old.error());
  return check_workloads(premises_, **old);
}

Checked<void> ClusterPilot::remove_everything() {
  // The release goes, and with it what says where its claims are. One that cannot be read is being
  // removed already.
  if (const auto old = release(flight().from)) {
    const auto known = known_spaces(cluster());
    for (const auto& space : spaces_of(premises_.kube, (*old)->needs)) {
      if (std::ranges::find(known, space) == known.end()) cluster().used.push_back(space);
    }
    if (auto saved = save(); !saved) return saved;
  }
  auto& kube = premises_.kube;
  if (auto gone = kube.remove(); !gone) return gone;
  auto& site = premises_.site.disks.site;
  if (!flight().keep_data) {
    for (const auto& space : known_spaces(cluster())) {
      const auto gone = kube.ask(space, {"delete", "persistentvolumeclaims,secrets", "--selector",
                                         std::string(kOfProduct) + premises_.site.product,
                                         "--ignore-not-found", "--wait", "--timeout=100s"});
      if (!gone) return tl::unexpected(gone.error());
    }
    if (auto gone = remove_spaces(cluster().made); !gone) return gone;
    cluster().made.clear();
    cluster().used.clear();
    for (const auto name : {kGate, kRoots}) {
      if (auto done = remove_tree(site, name); !done) return done;
    }
  }
  if (auto done = remove_tree(site, kReleases); !done) return done;
  return site.sync_directory("");
}

/// Leaves nothing of the change but what it was for.
Checked<void> ClusterPilot::clean_up() {
  auto& site = premises_.site.disks.site;
  if (auto done = remove_tree(site, kIncoming); !done) return done;
  const auto there = site.status(kReleases);
  if (!there) return tl::unexpected(there.error());
  if (*there) {
    const auto releases = site.list(kReleases);
    if (!releases) return tl::unexpected(releases.error());
    for (const auto& each : *releases) {
      if (each == journal_.installed || each == journal_.previous) continue;
      if (auto done = remove_tree(site, release_path(each)); !done) return done;
    }
    if (journal_.installed.empty()) {
      if (auto done = remove_tree(site, kReleases); !done) return done;
    }
  }
  const bool gone = journal_.installed.empty() && !flight().keep_data;
  if (gone) {
    if (auto done = remove_tree(site, kGate); !done) return done;
  }
  journal_.flight.reset();
  if (!gone) return save();
  if (auto done = site.remove(kJournal); !done) return done;
  return site.sync_directory("");
}

}  // namespace caisson::installer
