#include "installer/site/tree.h"

#include <algorithm>

#include "installer/format/sums.h"
#include "installer/site/premises.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

Checked<Status> status_of(const Disk& disk, std::string_view path) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) return refuse(Code::host_read, "there is no " + std::string(path));
  return **status;
}

Checked<Digest> digest_of(const Disk& disk, std::string_view path) {
  Sha256 hash;
  std::string piece(kPiece, '\0');
  for (std::uint64_t at = 0;;) {
    const auto got = disk.read(path, at, piece);
    if (!got) return tl::unexpected(got.error());
    hash.update(std::string_view(piece).substr(0, *got));
    at += *got;
    if (*got < piece.size()) return hash.finish();
  }
}

/// Calls `each` with the path and status of everything below a directory, a directory before what
/// is in it; paths are relative to it and come in one order.
template <class Each>
Checked<void> walk(const Disk& disk, std::string_view top, std::string_view path,
                   const Each& each) {
  const auto names = disk.list(path.empty() ? top : below(top, path));
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    const auto inner = below(path, name);
    const auto status = status_of(disk, below(top, inner));
    if (!status) return tl::unexpected(status.error());
    if (Checked<void> done = each(inner, *status); !done) return done;
    if (status->kind != Status::Kind::directory) continue;
    if (auto done = walk(disk, top, inner, each); !done) return done;
  }
  return {};
}

}  // namespace

Checked<void> replace_file(Disk& disk, std::string_view path, std::string_view bytes, unsigned mode,
                           std::uint32_t gid) {
  const auto unfinished = std::string(path) + ".new";
  if (auto removed = disk.remove(unfinished); !removed) return removed;
  {
    const auto file = disk.create(unfinished, mode);
    if (!file) return tl::unexpected(file.error());
    if (auto done = (*file)->append(bytes); !done) return done;
    if (gid != 0) {
      if (auto done = disk.set_owner(unfinished, 0, gid); !done) return done;
    }
    if (auto done = (*file)->sync(); !done) return done;
  }
  if (auto done = disk.rename(unfinished, path); !done) return done;
  return disk.sync_directory(parent_of(path));
}

Checked<void> replace_link(Disk& disk, std::string_view target, std::string_view path) {
  const auto unfinished = std::string(path) + ".new";
  if (auto removed = disk.remove(unfinished); !removed) return removed;
  if (auto done = disk.symlink(target, unfinished); !done) return done;
  if (auto done = disk.rename(unfinished, path); !done) return done;
  return disk.sync_directory(parent_of(path));
}

Checked<void> ensure_directory(Disk& disk, std::string_view path, unsigned mode) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) {
    if (auto made = disk.make_directory(path, mode); !made) return made;
    return disk.sync_directory(parent_of(path));
  }
  if ((*status)->kind == Status::Kind::directory) return {};
  return refuse(Code::host_in_the_way, std::string(path) + " is not a directory");
}

Checked<void> copy_tree(Disk& disk, std::string_view from, std::string_view to) {
  const auto copy = [&](const std::string& path, const Status& status) -> Checked<void> {
    const auto target = path.empty() ? std::string(to) : below(to, path);
    switch (status.kind) {
      case Status::Kind::file:
        return disk.copy(below(from, path), target);
      case Status::Kind::directory:
        if (auto made = disk.make_directory(target, status.mode); !made) return made;
        return disk.set_owner(target, status.uid, status.gid);
      case Status::Kind::link: {
        const auto says = disk.target(below(from, path));
        if (!says) return tl::unexpected(says.error());
        if (auto made = disk.symlink(*says, target); !made) return made;
        return disk.set_owner(target, status.uid, status.gid);
      }
      case Status::Kind::other:
        return {};
    }
    return {};
  };
  const auto top = status_of(disk, from);
  if (!top) return tl::unexpected(top.error());
  if (auto done = copy("", *top); !done) return done;
  return walk(disk, from, "", copy);
}

Checked<TreeSum> sum_of_tree(const Disk& disk, std::string_view path) {
  TreeSum sum;
  Sha256 hash;
  auto done = walk(disk, path, "", [&](const std::string& name, const Status& status) {
    if (status.kind == Status::Kind::other) return Checked<void>{};
    const auto full = below(path, name);
    ++sum.entries;
    std::string line = name;
    line += '\0';
    for (const std::uint64_t number :
         {std::uint64_t{static_cast<unsigned>(status.kind)}, std::uint64_t{status.mode},
          std::uint64_t{status.uid}, std::uint64_t{status.gid}}) {
      line += std::to_string(number) + " ";
    }
    if (status.kind == Status::Kind::file) {
      ++sum.files;
      sum.bytes += status.size;
      const auto digest = digest_of(disk, full);
      if (!digest) return Checked<void>(tl::unexpected(digest.error()));
      line += bytes_of(*digest);
    } else if (status.kind == Status::Kind::link) {
      const auto says = disk.target(full);
      if (!says) return Checked<void>(tl::unexpected(says.error()));
      line += bytes_of(sha256(*says));
    }
    hash.update(line);
    return Checked<void>{};
  });
  if (!done) return tl::unexpected(done.error());
  sum.digest = hash.finish();
  return sum;
}

Checked<TreeSum> size_of_tree(const Disk& disk, std::string_view path) {
  TreeSum sum;
  const auto is_there = [&]() -> Checked<bool> {
    if (path.empty()) return true;
    const auto top = disk.status(path);
    if (!top) return tl::unexpected(top.error());
    return *top && (*top)->kind == Status::Kind::directory;
  };
  const auto there = is_there();
  if (!there) return tl::unexpected(there.error());
  if (!*there) return sum;
  const auto names = disk.list(path);
  if (!names) {
    const auto still = is_there();
    if (still && !*still) return sum;
    return tl::unexpected(names.error());
  }
  for (const auto& name : *names) {
    const auto inner = below(path, name);
    const auto status = disk.status(inner);
    if (!status) return tl::unexpected(status.error());
    if (!*status) continue;
    ++sum.entries;
    if ((*status)->kind == Status::Kind::file) {
      ++sum.files;
      sum.bytes += std::min((*status)->size, (*status)->stored);
    } else if ((*status)->kind == Status::Kind::directory) {
      const auto more = size_of_tree(disk, inner);
      if (!more) return more;
      sum.files += more->files;
      sum.bytes += more->bytes;
      sum.entries += more->entries;
    }
  }
  return sum;
}

Checked<TreeSum> check_installed(const Disk& disk, std::string_view release) {
  const auto directory = release_path(release);
  const auto text = read_file(disk, directory + "/INSTALLED", kMostOfText);
  if (!text) return tl::unexpected(text.error());
  const auto sums = read_sums("INSTALLED", *text, {});
  if (!sums) return tl::unexpected(sums.error());
  const auto tree = directory + "/tree";
  TreeSum sum;
  auto done = walk(disk, tree, "", [&](const std::string& name, const Status& status) {
    ++sum.entries;
    if (status.kind == Status::Kind::directory) return Checked<void>{};
    const auto listed = std::ranges::lower_bound(*sums, name, {}, &Sum::path);
    if (listed == sums->end() || listed->path != name || status.kind != Status::Kind::file) {
      return Checked<void>(refuse(Code::damaged, tree + "/" + name + " is not of the release"));
    }
    const auto digest = digest_of(disk, below(tree, name));
    if (!digest) return Checked<void>(tl::unexpected(digest.error()));
    if (*digest != listed->digest) {
      return Checked<void>(
          refuse(Code::damaged, tree + "/" + name + " has another content than was installed"));
    }
    ++sum.files;
    sum.bytes += status.size;
    return Checked<void>{};
  });
  if (!done) return tl::unexpected(done.error());
  if (sum.files != sums->size()) {
    return refuse(Code::damaged, tree + " has " + std::to_string(sum.files) + " files of " +
                                     std::to_string(sums->size()));
  }
  sum.digest = sha256(*text);
  return sum;
}

}  // namespace caisson::installer
