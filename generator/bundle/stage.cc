#include "generator/bundle/stage.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/random.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;

Result<Descriptor> create(const fs::path& path, bool executable) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return cannot("create", path, errno);
  if (fchmod(file.get(), executable ? 0755 : 0644) != 0) return cannot("create", path, errno);
  return file;
}

Result<void> write(const fs::path& path, std::string_view bytes, bool executable) {
  const auto file = create(path, executable);
  if (!file) return tl::unexpected(file.error());
  if (const int error = write_all(file->get(), bytes); error != 0) {
    return cannot("write", path, error);
  }
  return {};
}

/// Makes the directory `below` of `root`, which is there, and those between.
Result<void> make_directories(const fs::path& root, const fs::path& below) {
  auto at = root;
  for (const auto& name : below) {
    at /= name;
    if (mkdir(at.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return cannot("make", at, errno);
    }
    if (chmod(at.c_str(), 0755) != 0) return cannot("make", at, errno);
  }
  return {};
}

std::string blob_path(const Digest& digest) { return std::string(kBlobs) + hex(digest); }

}  // namespace

Stage::Stage(fs::path place)
    : place_(std::move(place)),
      directory_(place_.parent_path() /
                 ("." + place_.filename().string() + "." + random_hex(4) + ".part")) {}

Result<std::unique_ptr<Stage>> Stage::open(const fs::path& place) {
  std::error_code error;
  auto absolute = fs::absolute(place, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  const auto there = is_there(absolute);
  if (!there) return tl::unexpected(there.error());
  if (*there) return fail("'" + place.string() + "' is there already", "name a new directory");
  std::unique_ptr<Stage> stage(new Stage(absolute));
  if (mkdir(stage->directory_.c_str(), 0700) != 0 || chmod(stage->directory_.c_str(), 0755) != 0) {
    return cannot("make", stage->directory_, errno);
  }
  if (auto made = make_directories(stage->directory_, "blobs/sha256"); !made) {
    return tl::unexpected(made.error());
  }
  return stage;
}

Stage::~Stage() {
  if (!finished_) static_cast<void>(remove_tree(directory_));
}

void Stage::note(const std::string& path, const Digest& digest, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  written_[path] = {.digest = digest, .size = size};
}

Result<void> Stage::put(const std::string& path, std::string_view bytes, bool executable) {
  const auto at = directory_ / path;
  if (auto made = make_directories(directory_, fs::path(path).parent_path()); !made) return made;
  if (auto done = write(at, bytes, executable); !done) return done;
  note(path, sha256(bytes), bytes.size());
  return {};
}

Result<Digest> Stage::blob(std::string_view bytes) {
  const auto digest = sha256(bytes);
  const auto path = blob_path(digest);
  {
    const std::scoped_lock lock(mutex_);
    if (!written_.emplace(path, Written{.digest = digest, .size = bytes.size()}).second) {
      return digest;
    }
  }
  if (auto done = write(directory_ / path, bytes, false); !done) {
    return tl::unexpected(done.error());
  }
  return digest;
}

Result<Stage::Writer> Stage::writer(const Digest& digest) {
  Writer writer(*this, digest);
  writer.path_ = directory_ / blob_path(digest);
  auto file = create(writer.path_, false);
  if (!file) return tl::unexpected(file.error());
  writer.file_ = std::move(*file);
  return writer;
}

Result<void> Stage::Writer::append(std::string_view bytes) {
  if (const int error = write_all(file_.get(), bytes); error != 0) {
    return cannot("write", path_, error);
  }
  return {};
}

Result<void> Stage::Writer::finish() {
  struct stat status{};
  if (fstat(file_.get(), &status) != 0) return cannot("examine", path_, errno);
  stage_->note(blob_path(digest_), digest_, static_cast<std::uint64_t>(status.st_size));
  file_ = {};
  return {};
}

std::vector<installer::Sum> Stage::sums() {
  const std::scoped_lock lock(mutex_);
  std::vector<installer::Sum> sums;
  sums.reserve(written_.size());
  for (const auto& [path, written] : written_) {
    sums.push_back({.digest = written.digest, .path = path});
  }
  return sums;
}

std::uint64_t Stage::bytes() {
  const std::scoped_lock lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [path, written] : written_) sum += written.size;
  return sum;
}

Result<void> Stage::finish() {
  // Nothing may be replaced: another run may have finished first.
  if (renameat2(AT_FDCWD, directory_.c_str(), AT_FDCWD, place_.c_str(), RENAME_NOREPLACE) != 0) {
    return cannot("put in place", place_, errno);
  }
  finished_ = true;
  return {};
}

}  // namespace caisson::bundle
