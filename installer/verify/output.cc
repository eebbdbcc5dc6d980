#include "installer/verify/output.h"

#include <algorithm>

namespace caisson::installer {
namespace {

/// Where the installed files stand below the staging directory.
constexpr std::string_view kTree = "tree/";

/// Files below this size are not worth a call of the system to reserve their space.
constexpr std::uint64_t kReserved = std::uint64_t{1} << 20;

}  // namespace

Checked<void> Staging::begin() {
  if (disk_ == nullptr) return {};
  if (auto made = disk_->make_directory(directory_, 0755); !made) return made;
  made_.insert("");
  return {};
}

Checked<void> Staging::make_directories(std::string_view path) {
  if (disk_ == nullptr || made_.contains(path)) return {};
  const auto slash = path.rfind('/');
  if (auto made = make_directories(path.substr(0, slash == std::string_view::npos ? 0 : slash));
      !made) {
    return made;
  }
  made_.emplace(path);
  return disk_->make_directory(directory_ + "/" + std::string(path), 0755);
}

Checked<std::unique_ptr<DiskFile>> Staging::create(const std::string& path, std::uint64_t size,
                                                   bool executable) {
  if (disk_ == nullptr) return nullptr;
  auto file = disk_->create(directory_ + "/" + path, executable ? 0755 : 0644);
  if (file && size >= kReserved) {
    if (auto reserved = (*file)->reserve(size); !reserved) return tl::unexpected(reserved.error());
  }
  return file;
}

Checked<void> Staging::finish() {
  if (disk_ == nullptr) return {};
  return disk_->sync_all();
}

Checked<void> Output::begin(const Pack& pack) {
  pack_ = &pack;
  file_ = 0;
  if (auto opened = open(); !opened) return opened;
  return close_full();
}

Checked<void> Output::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (file_ == pack_->files.size()) {
      return refuse(Code::chunk_size,
                    "the content behind '" + pack_->files.back().path + "' belongs to no file");
    }
    const auto piece =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    hash_.update(piece);
    if (out_) {
      if (auto appended = out_->append(piece); !appended) return appended;
    }
    left_ -= piece.size();
    bytes.remove_prefix(piece.size());
    if (auto closed = close_full(); !closed) return closed;
  }
  return {};
}

Checked<void> Output::open() {
  const auto& file = pack_->files[file_];
  const auto path = std::string(kTree) + file.path;
  if (auto made = staging_.make_directories(std::string_view(path).substr(0, path.rfind('/')));
      !made) {
    return made;
  }
  auto out = staging_.create(path, file.size, file.executable);
  if (!out) return tl::unexpected(out.error());
  out_ = *std::move(out);
  left_ = file.size;
  return {};
}

Checked<void> Output::close_full() {
  while (file_ < pack_->files.size() && left_ == 0) {
    const auto& file = pack_->files[file_];
    out_.reset();
    if (hash_.finish() != file.digest) {
      return refuse(Code::wrong_content, "the file '" + file.path + "' is not what was signed");
    }
    if (++file_ == pack_->files.size()) break;
    if (auto opened = open(); !opened) return opened;
  }
  return {};
}

}  // namespace caisson::installer
