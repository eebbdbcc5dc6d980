#include "installer/site/units.h"

#include <algorithm>
#include <map>
#include <set>

#include "installer/site/images.h"
#include "installer/site/store.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfUnit = std::size_t{1} << 20;
constexpr std::string_view kUnits = "systemd/system";

/// No unit of the product starts unless this has ended well: each requires it, by a link that
/// systemctl makes of RequiredBy. It comes before sockets, which services of the usual kind come
/// after. While a caisson-install is at work, and starts units itself, there is nothing to recover.
std::string recover_text(const Premises& premises, const std::vector<std::string>& units) {
  std::string text =
      "# Written by caisson-install.\n\n[Unit]\nDescription=" + premises.product +
      ": finishes or undoes an interrupted change\nConditionPathExists=" + premises.prefix() +
      "/journal\nConditionPathExists=!" + at_work(premises.product) +
      "\nRequiresMountsFor=" + premises.prefix() + " " + premises.data() +
      "\nDefaultDependencies=no\nStartLimitIntervalSec=0\nRequires=sysinit.target\nAfter=sysinit."
      "target\n"
      "Conflicts=shutdown.target\nBefore=shutdown.target\n";
  std::string required;
  for (const auto& unit : units) {
    if (unit.ends_with(".slice")) continue;
    text += "Before=" + unit + "\n";
    required += "RequiredBy=" + unit + "\n";
  }
  return text + "\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=" + premises.prefix() +
         "/caisson-install recover --boot --product " + premises.product +
         "\nTimeoutStartSec=infinity\nStandardInput=null\n\n[Install]\nWantedBy=multi-user."
         "target\n" +
         required;
}

/// What a unit that runs an image is told besides.
std::string drop_in(std::string_view unit) {
  return std::string(kUnits) + "/" + std::string(unit) + ".d/image.conf";
}

/// Everything below /etc that any release on the disk brings.
Checked<std::set<std::string>> known(const Premises& premises) {
  const auto conf = premises.product + ".conf";
  std::set<std::string> paths{"sysusers.d/" + conf, "tmpfiles.d/" + conf,
                              "systemd/journald@" + conf,
                              std::string(kUnits) + "/" + recover_unit(premises.product)};
  const auto releases = releases_on(premises.disks.site);
  if (!releases) return tl::unexpected(releases.error());
  for (const auto& release : *releases) {
    const auto units = units_of(premises, release);
    if (!units) return tl::unexpected(units.error());
    for (const auto& unit : *units) {
      paths.insert(std::string(kUnits) + "/" + unit);
      if (unit.ends_with(".service")) paths.insert(drop_in(unit));
    }
  }
  return paths;
}

Checked<void> write_if_other(Disk& disk, const std::string& path, const std::string& text) {
  const auto slash = path.rfind('/');
  if (auto made = ensure_directory(disk, path.substr(0, slash), 0755); !made) return made;
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (*status && (*status)->kind == Status::Kind::file && (*status)->mode == 0644 &&
      (*status)->size == text.size()) {
    const auto is = read_file(disk, path, kMostOfUnit);
    if (!is) return tl::unexpected(is.error());
    if (*is == text) return {};
  }
  return replace_file(disk, path, text, 0644);
}

Checked<void> link_if_other(Disk& disk, const std::string& target, const std::string& path) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (*status && (*status)->kind == Status::Kind::link) {
    const auto is = disk.target(path);
    if (!is) return tl::unexpected(is.error());
    if (*is == target) return {};
  } else if (*status) {
    return refuse(Code::host_in_the_way, path + " is no link of this program's");
  }
  return replace_link(disk, target, path);
}

Checked<void> remove_durably(Disk& disk, const std::string& path) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) return {};
  if (auto removed = disk.remove(path); !removed) return removed;
  const auto slash = path.rfind('/');
  return disk.sync_directory(slash == std::string::npos ? "" : path.substr(0, slash));
}

/// Removes the directory of a drop-in, unless somebody has put one there, too.
Checked<void> remove_if_empty(Disk& disk, const std::string& path) {
  const auto directory = path.substr(0, path.rfind('/'));
  if (!directory.ends_with(".d") || !directory.starts_with(kUnits)) return {};
  const auto there = disk.status(directory);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return {};
  const auto names = disk.list(directory);
  if (!names) return tl::unexpected(names.error());
  return names->empty() ? remove_durably(disk, directory) : Checked<void>();
}

Checked<void> apply_links(const Premises& premises, std::string_view release) {
  auto& site = premises.disks.site;
  auto& etc = premises.disks.etc;
  if (release.empty()) {
    for (const auto* name : {"current", "bin", "etc", "images", "caisson-install"}) {
      if (auto done = remove_durably(site, name); !done) return done;
    }
    return remove_durably(etc, premises.product);
  }
  // This one link is what runs: programs, configuration and the installer change in one step.
  if (auto done = link_if_other(site, release_path(release), std::string(kCurrent)); !done) {
    return done;
  }
  for (const auto& [target, path] :
       {std::pair("current/tree/bin", "bin"), std::pair("current/etc", "etc"),
        std::pair("current/caisson-install", "caisson-install")}) {
    if (auto done = link_if_other(site, target, path); !done) return done;
  }
  const auto images = site.status(below(release_path(release), kImages));
  if (!images) return tl::unexpected(images.error());
  const std::string name(kImages);
  if (auto done =
          *images ? link_if_other(site, "current/" + name, name) : remove_durably(site, name);
      !done) {
    return done;
  }
  return link_if_other(etc, premises.prefix() + "/etc", premises.product);
}

}  // namespace

std::string recover_unit(std::string_view product) {
  return std::string(product) + "-recover.service";
}

Checked<std::vector<std::string>> units_of(const Premises& premises, std::string_view release) {
  if (release.empty()) return std::vector<std::string>{};
  const auto directory = tree_path(release, premises.form) + "/system";
  const auto there = premises.disks.site.status(directory);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return std::vector<std::string>{};
  auto names = premises.disks.site.list(directory);
  if (!names) return names;
  for (const auto& name : *names) {
    // A unit of the system is nothing that a product brings.
    if (name.starts_with(premises.product + ".") || name.starts_with(premises.product + "-")) {
      continue;
    }
    return refuse(Code::other_place,
                  "the unit " + name + " does not begin with the product's name");
  }
  return names;
}

Checked<std::map<std::string, std::string>> files_below_etc(const Premises& premises,
                                                            std::string_view release) {
  std::map<std::string, std::string> files;
  if (release.empty()) return files;
  const auto units = units_of(premises, release);
  if (!units) return tl::unexpected(units.error());
  const auto tree = tree_path(release, premises.form) + "/";
  const auto take = [&](const std::string& from, const std::string& to) -> Checked<void> {
    auto text = read_file(premises.disks.site, tree + from, kMostOfUnit);
    if (!text) return tl::unexpected(text.error());
    files[to] = *std::move(text);
    return {};
  };
  for (const auto& unit : *units) {
    if (auto done = take("system/" + unit, std::string(kUnits) + "/" + unit); !done) {
      return tl::unexpected(done.error());
    }
  }
  auto of_images = units_of_images(premises, release);
  if (!of_images) return tl::unexpected(of_images.error());
  for (auto& [unit, text] : *of_images) files[drop_in(unit)] = std::move(text);
  const auto conf = premises.product + ".conf";
  for (const auto& [from, to] : {std::pair("sysusers.d/" + conf, "sysusers.d/" + conf),
                                 std::pair("tmpfiles.d/" + conf, "tmpfiles.d/" + conf),
                                 std::pair("journald@" + conf, "systemd/journald@" + conf)}) {
    if (auto done = take(from, to); !done) return tl::unexpected(done.error());
  }
  files[std::string(kUnits) + "/" + recover_unit(premises.product)] =
      recover_text(premises, *units);
  return files;
}

Checked<void> apply_release(const Premises& premises, std::string_view release) {
  auto& etc = premises.disks.etc;
  const auto files = files_below_etc(premises, release);
  if (!files) return tl::unexpected(files.error());
  const auto all = known(premises);
  if (!all) return tl::unexpected(all.error());
  if (auto linked = apply_links(premises, release); !linked) return linked;
  for (const auto& [path, text] : *files) {
    if (auto done = write_if_other(etc, path, text); !done) return done;
  }
  for (const auto& path : *all) {
    if (files->contains(path)) continue;
    if (auto done = remove_durably(etc, path); !done) return done;
    // It is there when a write was interrupted.
    if (auto done = remove_durably(etc, path + ".new"); !done) return done;
    if (auto done = remove_if_empty(etc, path); !done) return done;
  }
  if (!release.empty()) {
    const auto file = below(premises.prefix(), tree_path(release, premises.form)) + "/tmpfiles.d/" +
                      premises.product + ".conf";
    if (auto done = premises.host.make_directories(file); !done) return done;
  }
  if (auto done = premises.host.reload_units(); !done || release.empty()) return done;
  // Now, and not when the release is committed: a power cut before that has to be undone at boot.
  return premises.host.set_enabled(recover_unit(premises.product), true);
}

std::vector<std::string> units_in(const Manifest& manifest, Form form) {
  const auto directory = std::string(to_text(form)) + "/system/";
  std::vector<std::string> units;
  for (const auto& pack : manifest.packs) {
    for (const auto& file : pack.files) {
      if (!file.path.starts_with(directory)) continue;
      auto name = file.path.substr(directory.size());
      if (name.find('/') == std::string::npos) units.push_back(std::move(name));
    }
  }
  return units;
}

}  // namespace caisson::installer
