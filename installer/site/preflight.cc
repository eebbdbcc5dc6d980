#include "installer/site/preflight.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "installer/site/containers.h"
#include "installer/site/left.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

/// What rounding to blocks adds to a file.
constexpr std::uint64_t kBlock = 4096;

/// A sum that stays at the largest number instead of beginning anew.
std::uint64_t sum(std::uint64_t first, std::uint64_t second) {
  return first > kLargestNumber - std::min(second, kLargestNumber) ? kLargestNumber
                                                                   : first + second;
}

struct Needed {
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;

  void add(std::uint64_t more_bytes, std::uint64_t more_inodes = 0) {
    bytes = sum(bytes, more_bytes);
    inodes = sum(inodes, more_inodes);
  }
};

/// With what is lost by rounding and to others meanwhile.
std::uint64_t with_margin(std::uint64_t needed) { return sum(needed, needed / 20); }

/// What the release itself takes: its files, its directories, its texts and its configuration.
Needed needed_by(const VerifiedBundle& bundle, Form form) {
  Needed needed;
  std::set<std::string_view> directories;
  std::uint64_t settings = 0;
  bool has_images = false;
  for (const auto& pack : bundle.manifest().packs) {
    for (const auto& file : pack.files) {
      needed.add(sum(file.size, kBlock) / kBlock * kBlock, 1);
      // Which names the services that one that is an image reaches.
      has_images =
          has_images || (file.path.starts_with("systemd/config/") && file.path.ends_with(".hosts"));
      if (file.path.starts_with(std::string(to_text(form)) + "/"))
        settings = sum(settings, sum(file.size, kBlock));
      for (auto at = file.path.find('/'); at != std::string::npos;
           at = file.path.find('/', at + 1)) {
        directories.insert(std::string_view(file.path).substr(0, at));
      }
    }
  }
  needed.add(0, directories.size());
  if (has_images && form == Form::systemd) {
    // Each of their files is counted with a block at least.
    needed.add(bundle.manifest().unpacked, bundle.manifest().unpacked / kBlock);
  }
  // Images are for other forms, and come along.
  for (const auto& image : bundle.manifest().images) {
    needed.add(image.manifest.size, 1);
    needed.add(image.config.size, 1);
    for (const auto& layer : image.layers) needed.add(sum(layer.blob.size, kBlock), 1);
  }
  // Texts whose sizes MANIFEST does not say are small, but for the installer itself.
  const auto others = bundle.listing().others.size();
  needed.add(settings);
  needed.add(others * 16 * kBlock + (std::uint64_t{16} << 20), 2 * others + 64);
  return needed;
}

std::string amount(std::uint64_t number, bool bytes) {
  if (!bytes || number < 10'000'000) return std::to_string(number);
  return std::to_string(number / 1'000'000) + " MB";
}

}  // namespace

Checked<std::vector<Requirement>> preflight(Host& host, const Installed& installed,
                                            const VerifiedBundle& bundle) {
  const auto& product = bundle.manifest().envelope.product;
  std::vector<Requirement> rows;
  rows.push_back({.what = "account",
                  .needs = "root",
                  .has = host.is_root() ? "root" : "another one",
                  .met = host.is_root(),
                  .code = Code::host_root});
  const auto version = host.systemd_version();
  if (!version) return tl::unexpected(version.error());
  rows.push_back({.what = "systemd",
                  .needs = std::to_string(kOldestSystemd),
                  .has = *version == 0 ? "none that runs" : std::to_string(*version),
                  .met = *version >= kOldestSystemd});
  if (installed.form == Form::compose) {
    auto more = container_requirements(host, &bundle);
    if (!more) return more;
    std::ranges::move(*more, std::back_inserter(rows));
    auto account = container_accounts({host, installed.system}, {kContainerGroup});
    if (!account) return tl::unexpected(account.error());
    // Whoever has it since is the doctor's to tell.
    if (installed.release == nullptr) {
      rows.push_back(*std::move(account));
      const auto project = project_in_engine(host, product);
      if (!project) return tl::unexpected(project.error());
      rows.push_back({.what = "compose project " + product + " in the engine",
                      .needs = "none",
                      .has = project->empty() ? "none" : *project,
                      .met = project->empty(),
                      .code = Code::foreign_name});
    }
  }
  const auto mounts_of_others = own_mounts(host, product);
  if (!mounts_of_others) return tl::unexpected(mounts_of_others.error());
  rows.push_back({.what = "mounts below the product's directories",
                  .needs = "none",
                  .has = mounts_of_others->empty() ? "none" : mounts_of_others->front(),
                  .met = mounts_of_others->empty(),
                  .code = Code::own_mount});
  const auto* const old = installed.release;
  const auto foreign =
      claimed({host, installed.system}, bundle.manifest(),
              old == nullptr ? nullptr : &old->manifest, installed.standing, installed.form);
  if (!foreign) return tl::unexpected(foreign.error());
  rows.push_back({.what = "names that are somebody else's",
                  .needs = "none",
                  .has = foreign->empty() ? "none" : *foreign,
                  .met = foreign->empty(),
                  .code = Code::foreign_name});
  // Both may be one file system, and then have to have room for both.
  std::map<std::uint64_t, std::pair<std::string, Needed>> mounts;
  std::map<std::uint64_t, Space> spaces;
  const auto add = [&](const std::string& path, const Needed& needed) -> Checked<void> {
    const auto space = host.space(path);
    if (!space) return tl::unexpected(space.error());
    auto& [names, total] = mounts[space->device];
    names += (names.empty() ? "" : ", ") + path;
    total.add(needed.bytes, needed.inodes);
    spaces[space->device] = *space;
    return {};
  };
  if (auto done = add("/opt/" + product, needed_by(bundle, installed.form)); !done) {
    return tl::unexpected(done.error());
  }
  if (installed.form == Form::compose) {
    // Where an engine keeps images, unless its own settings say otherwise.
    const auto unpacked = bundle.manifest().unpacked;
    if (auto done = add("/var/lib/docker", {.bytes = unpacked, .inodes = unpacked / kBlock / 16});
        !done) {
      return tl::unexpected(done.error());
    }
  }
  Needed backup;
  if (installed.release != nullptr) {
    for (const auto& store : installed.release->needs.stores) {
      const auto size = size_of_tree(*installed.data, store);
      if (!size) return tl::unexpected(size.error());
      // The migration writes as much once more at the most.
      const auto once = sum(size->bytes, size->files * kBlock);
      backup.add(sum(once, once), size->entries + 1);
    }
  }
  if (auto done = add("/var/lib/" + product, backup); !done) return tl::unexpected(done.error());
  for (const auto& [device, mount] : mounts) {
    const auto& [names, needed] = mount;
    const auto& space = spaces[device];
    const auto bytes = with_margin(needed.bytes);
    const auto inodes = with_margin(needed.inodes);
    rows.push_back({.what = "bytes in " + names,
                    .needs = amount(bytes, true),
                    .has = amount(space.bytes, true),
                    .met = space.bytes >= bytes,
                    .code = Code::host_full});
    rows.push_back({.what = "inodes in " + names,
                    .needs = amount(inodes, false),
                    .has = space.inodes >= kLargestNumber ? "as many as it needs"
                                                          : amount(space.inodes, false),
                    .met = space.inodes >= inodes,
                    .code = Code::host_full});
  }
  return rows;
}

std::string table_of(const std::vector<Requirement>& requirements) {
  const auto width = [&](std::string Requirement::* column, std::size_t least) {
    for (const auto& row : requirements) least = std::max(least, (row.*column).size());
    return least + 2;
  };
  const auto what = width(&Requirement::what, 4);
  const auto needs = width(&Requirement::needs, 5);
  const auto has = width(&Requirement::has, 3);
  const auto padded = [](std::string text, std::size_t size) {
    text.resize(std::max(text.size(), size), ' ');
    return text;
  };
  std::string text = padded("what", what) + padded("needs", needs) + padded("has", has) + "ok\n";
  for (const auto& row : requirements) {
    text += padded(row.what, what) + padded(row.needs, needs) + padded(row.has, has) +
            (row.met ? "yes" : "no") + "\n";
  }
  return text;
}

std::optional<Refusal> fault_of(const std::vector<Requirement>& requirements) {
  for (const auto& row : requirements) {
    if (!row.met) return Refusal{row.code, row.what + ": needs " + row.needs + ", has " + row.has};
  }
  return std::nullopt;
}

}  // namespace caisson::installer
