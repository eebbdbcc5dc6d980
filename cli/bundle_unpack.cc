#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "base/files.h"
#include "cli/command.h"
#include "generator/bundle/images.h"
#include "generator/bundle/shelf.h"
#include "generator/bundle/unpack.h"
#include "installer/command/command.h"
#include "installer/disk/disk.h"
#include "installer/format/lines.h"
#include "installer/image/unit.h"
#include "installer/verify/bundle.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using installer::below;

constexpr auto kUnpackNotes =
    R"(Makes of an image what a unit of systemd runs without a container engine: a directory with `root`, the
image's files, and `image.conf`, a drop-in that names its program, variables and working directory. The
install.sh of target systemd calls it. An image that lies there already is left as it is.

Layers are unpacked as an engine would, but for devices, pipes and sparse files, which are refused, set-uid
bits, which are dropped, and hard links, which become copies. Whatever a layer says, nothing is written
outside of DIR. What the image's user owns in it becomes the account's, all else root's.

examples:
  caisson bundle unpack shop/web:1 --images images --unit system/shop-web.service --owner 997:997 --to web

exit codes:
  0  it lies there
  1  the image is refused; the code says why
  2  the command line makes no sense
  3  something cannot be read or written; what lay there before still does
)";

struct Options {
  std::string reference;
  std::vector<std::string> images;
  std::string unit;
  std::string owner;
  std::string to;
};

std::optional<installer::NewOwner> owner_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto uid = installer::number_of(text.substr(0, colon));
  const auto gid = installer::number_of(text.substr(colon + 1));
  if (!uid || !gid || *uid > UINT32_MAX || *gid > UINT32_MAX) return std::nullopt;
  installer::NewOwner owner;
  owner.uid = static_cast<std::uint32_t>(*uid);
  owner.gid = static_cast<std::uint32_t>(*gid);
  return owner;
}

Result<bundle::ShelfImage> found(const Options& options) {
  bundle::Shelf shelf;
  for (const auto& place : options.images) {
    if (auto added = shelf.add(place); !added) return tl::unexpected(added.error());
  }
  return shelf.find(options.reference, std::string(installer::host_arch()));
}

/// Puts what was made in the place of what lay there. A unit that runs keeps the one it started
/// with.
installer::Checked<void> replace(installer::Disk& disk, const std::string& made,
                                 const std::string& name) {
  const auto old = name + ".old";
  const auto there = disk.status(name);
  if (!there) return tl::unexpected(there.error());
  if (auto done = installer::remove_tree(disk, old); !done) return done;
  if (*there) {
    if (auto done = disk.rename(name, old); !done) return done;
  }
  if (auto done = disk.rename(made, name); !done) return done;
  return installer::remove_tree(disk, old);
}

installer::Checked<void> unpack(const bundle::ShelfImage& shelf_image,
                                const installer::Image& image, installer::NewOwner owner,
                                std::string_view unit, installer::Disk& disk,
                                const fs::path& parent, const std::string& name) {
  const auto read = [&](const installer::Blob& blob,
                        const installer::Take& take) -> installer::Checked<void> {
    for (const auto& layer : shelf_image.layers) {
      if (layer.digest != blob.digest) continue;
      std::string piece;
      for (std::uint64_t at = 0; at < layer.source.size(); at += piece.size()) {
        const auto size =
            std::min<std::uint64_t>(installer::Decompressor::piece, layer.source.size() - at);
        if (auto got = layer.source.read(at, size, piece); !got) {
          return installer::refuse(installer::Code::unreadable_medium, got.error().what);
        }
        if (auto done = take(piece); !done) return done;
      }
      return {};
    }
    return installer::refuse(installer::Code::missing_file, "a layer is not there");
  };
  const auto made = name + ".new";
  if (auto done = installer::remove_tree(disk, made); !done) return done;
  if (auto done = installer::install_image(image,
                                           {.owner = owner,
                                            .unit = std::string(unit),
                                            .directory = made,
                                            .place = (parent / name).string()},
                                           read, disk);
      !done) {
    // What was refused is of no use, and may be large.
    if (auto gone = installer::remove_tree(disk, made); !gone) return gone;
    return done;
  }
  const auto conf = below(name, installer::kImageUnit);
  constexpr std::size_t most = std::size_t{4} << 20U;
  const auto before = installer::read_file(disk, conf, most);
  const auto now = installer::read_file(disk, below(made, installer::kImageUnit), most);
  if (before && now && *before == *now) return installer::remove_tree(disk, made);
  if (auto done = disk.sync_all(); !done) return done;
  return replace(disk, made, name);
}

int run(const Options& options, Console& console) {
  const auto owner = owner_of(options.owner);
  const auto to = fs::path(options.to).lexically_normal();
  const auto name = to.filename().string();
  if (!owner || !is_file_name(name)) {
    console.error(!owner ? "caisson bundle unpack: --owner is UID:GID, two numbers\n"
                         : "caisson bundle unpack: --to names no directory\n");
    return static_cast<int>(Exit::usage);
  }
  const auto unit = read_file(options.unit);
  if (!unit) return fail_with(unit.error(), console);
  const auto image = found(options);
  if (!image) return fail_with(image.error(), console);
  const auto facts = bundle::described(*image, std::string(installer::host_arch()));
  if (!facts) return fail_with(facts.error(), console, Exit::findings);
  std::error_code error;
  const auto parent = fs::canonical(to.has_parent_path() ? to.parent_path() : ".", error);
  if (error) return fail_with(cannot("open", to.parent_path(), error.value()).value(), console);
  const auto disk = installer::open_disk(parent);
  if (!disk) return fail_with(bundle::failure_of(disk.error()), console);
  if (const auto done = unpack(*image, *facts, *owner, *unit, **disk, parent, name); !done) {
    const auto said = installer::say(done.error(), false);
    console.error(said.error);
    return static_cast<int>(said.exit);
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command bundle_unpack_command(CLI::App& root) {
  auto* app = bundle_group(root)
                  .add_subcommand("unpack", "unpack an image for a unit of systemd")
                  ->group("commands");
  auto options = std::make_shared<Options>();
  app->add_option("REFERENCE", options->reference, "the image, as the spec names it")
      ->type_name("REFERENCE")
      ->required();
  app->add_option("--images", options->images,
                  "an OCI layout, or an archive of `docker save`, that has it")
      ->type_name("PATH")
      ->required();
  app->add_option("--unit", options->unit, "the unit file, as it was generated")
      ->type_name("FILE")
      ->required();
  app->add_option("--owner", options->owner, "the numbers of the unit's account and its group")
      ->type_name("UID:GID")
      ->required();
  app->add_option("--to", options->to, "the directory; the one above it has to be there")
      ->type_name("DIR")
      ->required();
  app->footer(kUnpackNotes);
  return {.app = app, .run = [options](Console& console) { return run(*options, console); }};
}

}  // namespace caisson::cli
