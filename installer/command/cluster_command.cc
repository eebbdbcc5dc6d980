#include "installer/command/cluster_command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "base/files.h"
#include "installer/cluster/change.h"
#include "installer/cluster/forecast.h"
#include "installer/cluster/requirements.h"
#include "installer/cluster/standing.h"
#include "installer/command/cluster_place.h"
#include "installer/command/outcome.h"
#include "installer/command/verify_site.h"
#include "installer/host/system_host.h"
#include "installer/media/layout.h"
#include "installer/site/flight.h"
#include "installer/site/roots.h"
#include "installer/site/tree.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfValues = std::size_t{1} << 20;

Premises premises_in(const std::string& product, Disk& disk, Host& host,
                     const AcceptedMoves& moves = {}) {
  Premises premises{.product = product, .disks = {disk, disk, disk, disk}, .host = host};
  premises.form = Form::helm;
  premises.moves = moves;
  premises.say = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  return premises;
}

/// What is known of a product before a bundle is looked at.
struct Known {
  std::optional<ClusterPlace> place;
  std::optional<Journal> journal;
  std::optional<TrustedRoot> root;
  std::optional<ChartRelease> release;
};

Checked<Known> known_of(const std::string& product, Host& host) {
  Known known;
  auto place = open_cluster_place(product, false);
  if (!place) return tl::unexpected(place.error());
  if (!*place) return known;
  known.place = *std::move(place);
  auto& disk = *known.place->disk;
  auto journal = load_journal(disk);
  if (!journal) return tl::unexpected(journal.error());
  known.journal = *std::move(journal);
  auto root = load_roots(disk, kRoots);
  if (!root) return tl::unexpected(root.error());
  known.root = *std::move(root);
  if (known.journal && !known.journal->installed.empty()) {
    auto release = load_chart(premises_in(product, disk, host), known.journal->installed);
    if (!release) return tl::unexpected(release.error());
    known.release = *std::move(release);
  }
  if (known.journal) return known;
  const auto names = disk.list("");
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    if (name == kRoots || name == kClusterLock || name == kLostAndFound || name == "journal.new")
      continue;
    return refuse(Code::host_in_the_way, below(known.place->path, name) +
                                             " is there, and no caisson-install put it there");
  }
  return known;
}

/// The images of a bundle on their way to the site's registry.
struct Images {
  std::optional<Destination> destination;
  std::optional<Catalogue> catalogue;
  std::string registry;  ///< as somebody named it
  std::map<std::string, std::string> pins;
};

Checked<Images> images_of(const ClusterRequest& request, const Known& known,
                          const VerifiedBundle& bundle) {
  Images images;
  auto push = request.registry;
  if (push.to.empty() && known.journal && known.journal->cluster) {
    push.to = known.journal->cluster->registry;
  }
  if (push.to.empty()) {
    if (push.plain_http || !push.ca_file.empty() || !push.user.empty()) {
      return refuse(Code::registry_unreachable,
                    "--plain-http, --ca and --user are for a registry, and neither --registry nor "
                    "the journal names one");
    }
    return images;
  }
  auto destination = destination_in(push);
  if (!destination) return tl::unexpected(destination.error());
  auto catalogue = Catalogue::of(bundle);
  if (!catalogue) return tl::unexpected(catalogue.error());
  for (const auto& served : catalogue->images()) {
    images.pins[served.image->reference] = target_of(*destination, served);
  }
  images.registry = push.to;
  images.destination = *std::move(destination);
  images.catalogue = *std::move(catalogue);
  return images;
}

/// What a bundle would need of the cluster: it is unpacked into a directory that is gone
/// afterwards.
Checked<Said> examine(const ClusterRequest& request, const Known& known, Host& host,
                      const ClusterDelivery& delivery, const Images& images, Kube kube) {
  const auto& bundle = delivery.bundle.bundle;
  const auto product = bundle.manifest().envelope.product;
  if (known.journal) {
    ClusterPremises premises{.site = premises_in(product, *known.place->disk, host),
                             .place = known.place->path,
                             .kube = kube,
                             .bring_images = {}};
    if (const auto ready = journal_to_begin_on(premises, false); !ready) {
      return tl::unexpected(ready.error());
    }
  }
  std::string scratch = "/tmp/caisson-install.XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) {
    return refuse(Code::host_write, "cannot make a directory below /tmp: " + system_words(errno));
  }
  const auto examined = [&]() -> Checked<Said> {
    const auto disk = open_disk(scratch);
    if (!disk) return tl::unexpected(disk.error());
    const auto premises = premises_in(product, **disk, host);
    const auto name = release_name(bundle.manifest().envelope.release, bundle.digest());
    if (auto staged = stage_release(premises, delivery.bundle, name); !staged) {
      return tl::unexpected(staged.error());
    }
    const auto release = load_chart(premises, name);
    if (!release) return tl::unexpected(release.error());
    if (kube.space().empty()) kube.set_space(release->needs.space);
    auto values = delivery.values ? Checked<std::string>(*delivery.values) : std::string();
    if (!delivery.values && known.release) {
      values = values_of(*known.place->disk, known.release->name);
    }
    if (!values) return tl::unexpected(values.error());
    if (auto written = write_values(**disk, release_path(name), delivery.pins, *values); !written) {
      return tl::unexpected(written.error());
    }
    auto rows = requirements_in(kube, {.release = *release,
                                       .directory = scratch + "/" + release_path(name),
                                       .registry = images.registry,
                                       .values = *values,
                                       .upgrade = known.release.has_value()});
    if (!rows) return tl::unexpected(rows.error());
    if (!known.release) {
      const auto revisions = kube.revisions();
      if (!revisions) return tl::unexpected(revisions.error());
      rows->push_back({.what = "a release of helm in " + kube.space(),
                       .needs = "none of this name",
                       .has = revisions->empty() ? "none" : "one that is called " + product,
                       .met = revisions->empty(),
                       .code = Code::foreign_name});
    }
    if (images.catalogue) {
      const auto there = count_there(*images.catalogue, *images.destination);
      if (!there) return tl::unexpected(there.error());
      const auto count = images.catalogue->images().size();
      rows->push_back({.what = "images in " + images.registry,
                       .needs = std::to_string(count) + " digests",
                       .has = std::to_string(*there) + ", and the others are pushed",
                       .met = true});
    }
    return table_said(request.site, *rows);
  }();
  (void)caisson::remove_tree(scratch);
  return examined;
}

/// A bundle that may be delivered, as far as its texts and what is here tell.
struct Parcel {
  std::string product;
  Known known;
  Verified verified;
};

/// Looks at a bundle; roots on the way are kept unless it is only looked at.
Checked<Parcel> look_at(const SiteRequest& site, Change change, Host& host, bool only) {
  auto medium = open_medium(site.bundle.bundle);
  if (!medium) return tl::unexpected(medium.error());
  auto product = product_of(**medium);
  if (!product) return tl::unexpected(product.error());
  auto known = known_of(*product, host);
  if (!known) return tl::unexpected(known.error());
  if (known->journal && known->journal->form != Form::helm) {
    return refuse(Code::other_form, "it is here as " + std::string(to_text(known->journal->form)));
  }
  if (change == Change::install && known->release) {
    return refuse(Code::installed_already, "the release " + known->journal->installed);
  }
  if (change == Change::update && !known->release) {
    return refuse(Code::not_installed, "there is no release in " + cluster_place(*product));
  }
  const KnownSite against{.root = known->root,
                          .floor = known->journal ? known->journal->floor : std::nullopt,
                          .kept_in = known->place ? known->place->disk.get() : nullptr,
                          .installed = known->release ? &known->release->manifest : nullptr,
                          .journal = known->journal ? &*known->journal : nullptr};
  auto verified = verify_for(site, only, against, UnverifiedBundle(*std::move(medium)));
  if (!verified) return tl::unexpected(verified.error());
  if (auto fault = fault_of_form(verified->bundle.manifest(), Form::helm)) {
    return tl::unexpected(*fault);
  }
  return Parcel{*std::move(product), *std::move(known), *std::move(verified)};
}

Checked<Said> deliver(const ClusterRequest& request, Change change) {
  const auto host = system_host();
  // OpenSSL writes to sockets without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  const auto& site = request.site;
  auto parcel = look_at(site, change, *host, site.dry_run);
  if (!parcel) return tl::unexpected(parcel.error());
  const auto* const product = &parcel->product;
  auto* const known = &parcel->known;
  const auto* const verified = &parcel->verified;
  auto kube = Kube::find(*host, *product);
  if (!kube) return tl::unexpected(kube.error());
  const auto images = images_of(request, *known, verified->bundle);
  if (!images) return tl::unexpected(images.error());
  std::optional<std::string> values;
  if (!request.values.empty()) {
    auto text = caisson::read_file(request.values, kMostOfValues, Links::follow);
    if (!text) return refuse(Code::host_read, text.error().what);
    values = *std::move(text);
  }
  Reading reading;
  std::optional<BaseRelease> base;
  std::string tree;
  if (known->release) {
    auto& disk = *known->place->disk;
    const auto directory = release_path(known->release->name);
    const auto text = read_file(disk, directory + "/MANIFEST", kMostOfText);
    if (!text) return tl::unexpected(text.error());
    tree = directory + "/tree";
    reading.base = &base.emplace(disk, tree, known->release->manifest, sha256(*text));
  }
  const Delivery bundle{
      .bundle = verified->bundle, .reading = reading, .again = site.again, .answers = {}};
  const ClusterDelivery delivery{.bundle = bundle,
                                 .values = values,
                                 .space = request.space,
                                 .registry = images->registry,
                                 .pins = images->pins};
  kube->set_space(request.space);
  if (known->journal && known->journal->cluster) {
    const auto& space = known->journal->cluster->space;
    if (!request.space.empty() && request.space != space) {
      return refuse(Code::other_cluster,
                    *product + " is in namespace " + space + ", and not in " + request.space);
    }
    kube->set_space(space);
  }
  if (site.dry_run) return examine(request, *known, *host, delivery, *images, *kube);
  if (!known->place) {
    auto made = open_cluster_place(*product, true);
    if (!made) return tl::unexpected(made.error());
    known->place = *std::move(made);
  }
  auto& disk = *known->place->disk;
  for (const auto& root : verified->roots) {
    if (auto kept = keep_root(disk, kRoots, root); !kept) return tl::unexpected(kept.error());
  }
  ClusterPremises premises{.site = premises_in(*product, disk, *host, site.moves),
                           .place = known->place->path,
                           .kube = *std::move(kube),
                           .bring_images = {}};
  if (images->catalogue) {
    premises.bring_images = [&]() -> Checked<void> {
      const auto pushed = push(*images->catalogue, *images->destination, {});
      if (!pushed) return tl::unexpected(pushed.error());
      return {};
    };
  }
  const auto outcome = change == Change::install ? install_chart(premises, delivery)
                                                 : update_chart(premises, delivery);
  if (!outcome) return tl::unexpected(outcome.error());
  auto said = told(site, *product, *outcome, change == Change::install ? "installed" : "updated");
  if (!site.bundle.json) said.error += unlisted_text(verified->unlisted.count);
  return said;
}

using Forecast = std::function<Checked<std::vector<std::string>>(ClusterPremises& premises)>;

/// Runs a change of a product that is kept here, or tells what it would do.
template <class Run>
Said change_cluster(const ClusterRequest& request, std::string_view done, const Run& run,
                    const Forecast& forecast = {}) {
  return guarded(request.site.bundle.json, [&]() -> Checked<Said> {
    const auto& product = request.site.product;
    const auto host = system_host();
    auto place = open_cluster_place(product, false);
    if (!place) return tl::unexpected(place.error());
    if (!*place) return refuse(Code::not_installed, "there is no " + cluster_place(product));
    auto kube = Kube::find(*host, product);
    if (!kube) return tl::unexpected(kube.error());
    ClusterPremises premises{
        .site = premises_in(product, *(*place)->disk, *host, request.site.moves),
        .place = (*place)->path,
        .kube = *std::move(kube),
        .bring_images = {}};
    if (request.site.dry_run) {
      const auto lines = forecast(premises);
      if (!lines) return tl::unexpected(lines.error());
      return foretold(request.site, *lines);
    }
    const Checked<Outcome> outcome = run(premises);
    if (!outcome) return tl::unexpected(outcome.error());
    remove_if_empty(**place);
    return told(request.site, product, *outcome, done);
  });
}

}  // namespace

std::optional<Form> form_in_cluster(const ClusterRequest& request, bool update) {
  std::optional<Form> form;
  // What is wrong with it is said when it is delivered.
  (void)guarded(true, [&]() -> Checked<Said> {
    const auto host = system_host();
    const auto parcel =
        look_at(request.site, update ? Change::update : Change::install, *host, true);
    if (parcel) form = Form::helm;
    return Said{};
  });
  return form;
}

Said install_in_cluster(const ClusterRequest& request) {
  return guarded(request.site.bundle.json, [&] { return deliver(request, Change::install); });
}

Said update_in_cluster(const ClusterRequest& request) {
  return guarded(request.site.bundle.json, [&] { return deliver(request, Change::update); });
}

Said roll_back_in_cluster(const ClusterRequest& request) {
  return change_cluster(
      request, "gone back", [](ClusterPremises& premises) { return roll_back_chart(premises); },
      forecast_roll_back_chart);
}

Said recover_in_cluster(const ClusterRequest& request) {
  return change_cluster(request, "finished",
                        [](ClusterPremises& premises) { return recover_chart(premises); });
}

Said uninstall_in_cluster(const ClusterRequest& request) {
  const bool keep = request.site.keep_data;
  return change_cluster(
      request, "uninstalled",
      [keep](ClusterPremises& premises) { return uninstall_chart(premises, keep); },
      [keep](ClusterPremises& premises) { return forecast_uninstall_chart(premises, keep); });
}

}  // namespace caisson::installer
