#include "installer/image/root.h"

#include <algorithm>
#include <deque>

#include "base/digest.h"
#include "base/hex.h"
#include "base/printable.h"

namespace caisson::installer {
namespace {

constexpr std::uint64_t kMostEntries = 1'000'000;
constexpr std::uint64_t kMostOfNames = std::uint64_t{128} << 20U;
constexpr std::uint64_t kMostOfFiles = std::uint64_t{64} << 30U;
/// Of a path (PATH_MAX of Linux), and of the text of a link.
constexpr std::size_t kMostOfPath = 4095;
/// How many links lead to one place (MAXSYMLINKS of Linux).
constexpr int kMostLinks = 40;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

/// Puts the components of a path in front of others.
void put_first(std::deque<std::string>& components, std::string_view path) {
  auto at = components.begin();
  while (!path.empty()) {
    const auto length = std::min(path.find('/'), path.size());
    if (length > 0) at = components.insert(at, std::string(path.substr(0, length))) + 1;
    path.remove_prefix(std::min(length + 1, path.size()));
  }
}

std::string in_quotes(std::string_view path) { return "'" + printable(path) + "'"; }

/// A path that an archive says, which leads below its root by its text alone.
Checked<void> check_path(std::string_view path) {
  if (path.size() > kMostOfPath) return refuse(Code::layer_path, "a path of more than 4,095 bytes");
  const auto fault = fault_of_place(path);
  if (!fault.empty()) return refuse(Code::layer_path, in_quotes(path) + ": " + std::string(fault));
  return {};
}

Checked<std::optional<Status>> status_at(const Disk& disk, const std::string& path) {
  if (path.empty()) return std::optional<Status>(Status{.kind = Status::Kind::directory});
  return disk.status(path);
}

}  // namespace

std::string RootDirectory::on_disk(std::string_view place) const {
  return place.empty() ? root_ : below(root_, place);
}

Checked<std::string> RootDirectory::place_of(std::string_view path, Last last,
                                             Missing missing) const {
  std::deque<std::string> rest;
  put_first(rest, path);
  std::string at;
  for (int links = 0; !rest.empty();) {
    const auto name = std::move(rest.front());
    rest.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      at = parent_of(at);
      continue;
    }
    auto next = below(at, name);
    if (next.size() > kMostOfPath || name.size() > 255) {
      return refuse(Code::layer_link, in_quotes(path) + " leads too far");
    }
    if (rest.empty() && last == Last::as_it_is) return next;
    const auto status = disk_.status(on_disk(next));
    if (!status) return tl::unexpected(status.error());
    if (!*status) {
      if (rest.empty()) return next;
      if (missing == Missing::refused) {
        return refuse(Code::layer_link, in_quotes(path) + ": nothing is there");
      }
      if (auto made = disk_.make_directory(on_disk(next), 0755); !made) {
        return tl::unexpected(made.error());
      }
      at = std::move(next);
    } else if ((*status)->kind == Status::Kind::link) {
      if (++links > kMostLinks) {
        return refuse(Code::layer_link, in_quotes(path) + " leads over more than 40 links");
      }
      const auto target = disk_.target(on_disk(next));
      if (!target) return tl::unexpected(target.error());
      if (target->starts_with('/')) at.clear();
      put_first(rest, *target);
    } else if (rest.empty() || (*status)->kind == Status::Kind::directory) {
      at = std::move(next);
    } else {
      return refuse(Code::layer_in_the_way, in_quotes(path) + " is below a file");
    }
  }
  return at;
}

Checked<std::optional<std::string>> RootDirectory::find(std::string_view path) const {
  auto place = place_of(path, Last::followed, Missing::refused);
  if (!place) {
    const auto code = place.error().code;
    if (code == Code::layer_link || code == Code::layer_in_the_way) return std::nullopt;
    return tl::unexpected(place.error());
  }
  const auto status = status_at(disk_, on_disk(*place));
  if (!status) return tl::unexpected(status.error());
  if (!*status) return std::nullopt;
  return *std::move(place);
}

Checked<void> RootDirectory::ensure_directory(std::string_view path, unsigned mode) {
  const auto place = place_of(path, Last::followed, Missing::made);
  if (!place) return tl::unexpected(place.error());
  const auto status = status_at(disk_, on_disk(*place));
  if (!status) return tl::unexpected(status.error());
  return *status ? Checked<void>() : disk_.make_directory(on_disk(*place), mode);
}

Checked<void> RootDirectory::count(std::uint64_t bytes) {
  bytes_ += bytes;
  if (bytes_ <= kMostOfFiles) return {};
  return refuse(Code::layer_too_large, "the files of the image have more than 64 GiB");
}

bool RootDirectory::has_made(const std::string& place) const {
  if (made_.contains(place)) return true;
  const auto first = made_.lower_bound(place + "/");
  return first != made_.end() && first->starts_with(place + "/");
}

Checked<void> RootDirectory::clear(const std::string& place) {
  if (!has_made(place)) return remove_tree(disk_, on_disk(place));
  const auto status = disk_.status(on_disk(place));
  if (!status) return tl::unexpected(status.error());
  if (!*status || (*status)->kind != Status::Kind::directory) return {};
  const auto names = disk_.list(on_disk(place));
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    if (auto done = clear(below(place, name)); !done) return done;
  }
  return {};
}

Checked<void> RootDirectory::whiteout(std::string_view directory, std::string_view name) {
  const bool opaque = name == kOpaque;
  // Notes that some builders keep for themselves.
  if (!opaque && name.starts_with(".wh..wh.")) return {};
  const auto place = place_of(directory, Last::followed, Missing::made);
  if (!place) return tl::unexpected(place.error());
  const auto status = status_at(disk_, on_disk(*place));
  if (!status) return tl::unexpected(status.error());
  if (!opaque) {
    const auto gone = name.substr(kWhiteout.size());
    if (auto fine = check_path(gone); !fine) return fine;
    if (*status && (*status)->kind != Status::Kind::directory) return {};
    return *status ? clear(below(*place, gone)) : Checked<void>();
  }
  if (!*status || (*status)->kind != Status::Kind::directory) return {};
  const auto names = disk_.list(on_disk(*place));
  if (!names) return tl::unexpected(names.error());
  for (const auto& each : *names) {
    if (auto done = clear(below(*place, each)); !done) return done;
  }
  return {};
}

Checked<void> RootDirectory::put_copy(const ArchiveEntry& entry, const std::string& place) {
  if (auto fine = check_path(entry.target); !fine) {
    return refuse(Code::layer_link,
                  in_quotes(entry.path) + " is a hard link to " + in_quotes(entry.target));
  }
  const auto from = place_of(entry.target, Last::as_it_is, Missing::refused);
  if (!from) return tl::unexpected(from.error());
  const auto status = disk_.status(on_disk(*from));
  if (!status) return tl::unexpected(status.error());
  const bool within = *from == place || from->starts_with(place + "/");
  if (!*status || within ||
      ((*status)->kind != Status::Kind::file && (*status)->kind != Status::Kind::link)) {
    return refuse(Code::layer_link, in_quotes(entry.path) + " is a hard link to " +
                                        in_quotes(entry.target) + ", which is no other file");
  }
  if (auto done = remove_tree(disk_, on_disk(place)); !done) return done;
  if ((*status)->kind == Status::Kind::link) {
    const auto target = disk_.target(on_disk(*from));
    if (!target) return tl::unexpected(target.error());
    return disk_.symlink(*target, on_disk(place));
  }
  if (auto fine = count((*status)->size); !fine) return fine;
  return disk_.copy(on_disk(*from), on_disk(place));
}

Checked<void> RootDirectory::put(const ArchiveEntry& entry, const std::string& place) {
  const auto path = on_disk(place);
  const auto status = status_at(disk_, path);
  if (!status) return tl::unexpected(status.error());
  if (entry.kind == ArchiveEntry::Kind::directory && *status &&
      (*status)->kind == Status::Kind::directory) {
    return disk_.set_mode(path, entry.mode & 01777U);
  }
  if (entry.kind == ArchiveEntry::Kind::hard_link) return put_copy(entry, place);
  if (auto done = remove_tree(disk_, path); !done) return done;
  if (entry.kind == ArchiveEntry::Kind::directory) {
    return disk_.make_directory(path, entry.mode & 01777U);
  }
  if (entry.kind == ArchiveEntry::Kind::link) {
    if (entry.target.empty() || entry.target.size() > kMostOfPath) {
      return refuse(Code::layer_link, in_quotes(entry.path) + " is a link without an end");
    }
    return disk_.symlink(entry.target, path);
  }
  auto file = disk_.create(path, entry.mode & 0777U);
  if (!file) return tl::unexpected(file.error());
  file_ = *std::move(file);
  return {};
}

Checked<bool> RootDirectory::entry(const ArchiveEntry& entry) {
  file_.reset();
  names_ += entry.path.size();
  if (++entries_ > kMostEntries || names_ > kMostOfNames) {
    return refuse(Code::layer_too_large, "the layers name more than 1,000,000 files");
  }
  if (entry.path.empty()) {
    if (entry.kind != ArchiveEntry::Kind::directory) {
      return refuse(Code::layer_path, "a file in the place of the root");
    }
  } else if (auto fine = check_path(entry.path); !fine) {
    return tl::unexpected(fine.error());
  }
  const auto slash = entry.path.rfind('/');
  const auto name = std::string_view(entry.path).substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.starts_with(kWhiteout)) {
    if (auto done = whiteout(parent_of(entry.path), name); !done) {
      return tl::unexpected(done.error());
    }
    return false;
  }
  if (entry.kind == ArchiveEntry::Kind::other) {
    return refuse(Code::layer_kind, in_quotes(entry.path) + " is no file, directory or link");
  }
  auto place = place_of(entry.path, Last::as_it_is, Missing::made);
  if (!place) return tl::unexpected(place.error());
  if (auto done = put(entry, *place); !done) return tl::unexpected(done.error());
  // A copy is whose its file is.
  if (entry.kind != ArchiveEntry::Kind::hard_link) {
    if (auto done = disk_.set_owner(on_disk(*place), entry.uid == uid_ ? owner_.uid : 0,
                                    entry.gid == gid_ ? owner_.gid : 0);
        !done) {
      return tl::unexpected(done.error());
    }
  }
  made_.insert(*std::move(place));
  return entry.kind == ArchiveEntry::Kind::file;
}

Checked<void> RootDirectory::content(std::string_view bytes) {
  if (auto fine = count(bytes.size()); !fine) return fine;
  return file_->append(bytes);
}

Checked<void> unpack_layer(const Layer& layer, const ReadBlob& read, RootDirectory& root) {
  const auto name = "layer " + hex(layer.blob.digest) + ": ";
  const auto other = [&](const std::string& how) { return refuse(Code::other_layer, name + how); };
  root.begin_layer();
  TarReader reader(
      [&](const ArchiveEntry& entry) { return root.entry(entry); },
      [&](const ArchiveEntry&, std::string_view bytes) { return root.content(bytes); });
  Decompressor decompressor;
  Sha256 stored;
  Sha256 archive;
  std::uint64_t size = 0;
  const Take unpacked = [&](std::string_view bytes) -> Checked<void> {
    size += bytes.size();
    if (size > layer.unpacked) return other("it holds more than the image says");
    archive.update(bytes);
    return reader.feed(bytes);
  };
  auto done = read(layer.blob, [&](std::string_view bytes) {
    stored.update(bytes);
    return decompressor.feed(bytes, unpacked);
  });
  if (done) done = decompressor.finish();
  if (done) done = reader.finish();
  if (!done) {
    const auto& fault = done.error();
    return refuse(fault.code, fault.what.starts_with(name) ? fault.what : name + fault.what);
  }
  if (stored.finish() != layer.blob.digest) return other("it has another content");
  if (size != layer.unpacked || archive.finish() != layer.diff) {
    return other("its archive is not what the image says");
  }
  return {};
}

Checked<RootDirectory> unpack_image(const Image& image, NewOwner owner, const ReadBlob& read,
                                    Disk& disk, const std::string& directory) {
  if (auto made = disk.make_directory(directory, 0755); !made) return tl::unexpected(made.error());
  RootDirectory root(disk, directory, image, owner);
  for (const auto& layer : image.layers) {
    if (auto done = unpack_layer(layer, read, root); !done) return tl::unexpected(done.error());
  }
  for (const auto* path : {"dev", "etc", "proc", "run", "sys", "tmp", "var/tmp"}) {
    if (auto done = root.ensure_directory(path, 0755); !done) return tl::unexpected(done.error());
  }
  if (auto done = root.ensure_directory(image.workdir, 0755); !done) {
    return tl::unexpected(done.error());
  }
  return root;
}

}  // namespace caisson::installer
