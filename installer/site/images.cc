#include "installer/site/images.h"

#include <algorithm>

#include "base/printable.h"
#include "installer/image/unit.h"
#include "installer/media/layout.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfUnit = std::size_t{4} << 20U;

std::string unit_of(const Premises& premises, std::string_view name) {
  return premises.product + "-" + std::string(name) + ".service";
}

/// Brings the layers of an image into the directory of a release.
Checked<void> fetch_layers(Disk& site, const Image& image, const StagedRelease* from,
                           const std::string& directory) {
  for (const auto& layer : image.layers) {
    const auto path = blob_path(layer.blob.digest);
    const auto here = below(directory, path);
    const auto there = site.status(here);
    if (!there) return tl::unexpected(there.error());
    if (*there) continue;
    if (from == nullptr) return refuse(Code::missing_file, here + " is not there");
    // By another name first: a copy that was cut short is no layer.
    const auto unfinished = here + ".new";
    if (auto done = site.remove(unfinished); !done) return done;
    if (auto done = site.copy(below(release_path(from->name), path), unfinished); !done)
      return done;
    if (auto done = site.rename(unfinished, here); !done) return done;
  }
  return {};
}

}  // namespace

Checked<void> unpack_images(const Premises& premises, const StagedRelease* from,
                            const StagedRelease& to) {
  auto& site = premises.disks.site;
  const auto release = release_path(to.name);
  const auto images = below(release, kImages);
  if (auto done = remove_tree(site, images); !done) return done;
  if (to.needs.images.empty()) return {};
  if (auto done = site.make_directory(images, 0755); !done) return done;
  const auto read = [&](const Blob& blob, const Take& take) -> Checked<void> {
    const auto path = below(release, blob_path(blob.digest));
    std::string piece(Decompressor::piece, '\0');
    for (std::uint64_t at = 0;;) {
      const auto got = site.read(path, at, piece);
      if (!got) return tl::unexpected(got.error());
      if (auto done = take(std::string_view(piece).substr(0, *got)); !done) return done;
      at += *got;
      if (*got < piece.size()) return {};
    }
  };
  for (const auto& service : to.needs.images) {
    const auto image = std::ranges::find(to.manifest.images, service.reference, &Image::reference);
    if (image == to.manifest.images.end()) {
      return refuse(Code::missing_file, "the bundle has no image " + printable(service.reference));
    }
    const auto uid = premises.host.user(service.account);
    if (!uid) return tl::unexpected(uid.error());
    const auto gid = premises.host.group(service.account);
    if (!gid) return tl::unexpected(gid.error());
    const auto unit =
        read_file(site, below(release, "tree/systemd/system/" + unit_of(premises, service.name)),
                  kMostOfUnit);
    if (!unit) return tl::unexpected(unit.error());
    if (auto done = fetch_layers(site, *image, from, release); !done) return done;
    premises.say("unpacking " + printable(service.reference));
    const auto directory = below(images, service.name);
    if (auto done = install_image(*image,
                                  {.owner = {.uid = *uid, .gid = *gid},
                                   .unit = *unit,
                                   .directory = directory,
                                   .place = below(premises.prefix(), directory)},
                                  read, site);
        !done) {
      return done;
    }
  }
  return {};
}

Checked<std::map<std::string, std::string>> units_of_images(const Premises& premises,
                                                            std::string_view release) {
  std::map<std::string, std::string> texts;
  const auto& site = premises.disks.site;
  const auto images = below(release_path(release), kImages);
  const auto there = site.status(images);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return texts;
  const auto names = site.list(images);
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    auto text = read_file(site, below(images, name + "/" + std::string(kImageUnit)), kMostOfUnit);
    if (!text) return tl::unexpected(text.error());
    texts[unit_of(premises, name)] = *std::move(text);
  }
  return texts;
}

}  // namespace caisson::installer
