#include "installer/media/transport.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "installer/format/sums.h"
#include "installer/media/layout.h"
#include "installer/media/tar.h"

namespace caisson::installer {
namespace {

/// Where the content of a member stands in the archive.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// A blob has no path of its own here: 100,000 of them fit into 5 MiB.
struct BlobPlace {
  Digest digest{};
  Place place;
};

struct OtherPlace {
  std::string path;
  Place place;
};

class Transport final : public Medium {
 public:
  Transport(std::unique_ptr<Source> archive, std::optional<Digest> bound_to)
      : Medium(bound_to ? Form::parts : Form::transport, archive->shown()),
        archive_(std::move(archive)),
        bound_to_(bound_to) {}

  std::optional<Digest> bound_to() const override { return bound_to_; }

  /// Reads every header up to the end of the archive.
  Checked<void> read_headers() {
    std::uint64_t at = 0;
    std::string before;
    while (true) {
      std::array<char, kTarBlock> block{};
      if (auto read = archive_->read(at, block); !read) return read;
      if (std::ranges::all_of(block, [](char byte) { return byte == 0; })) return end(at, before);
      auto member =
          read_tar_header(archive_->shown(), std::string_view(block.data(), block.size()));
      if (!member) return tl::unexpected(member.error());
      if (auto taken = take_directory(member->path); !taken) return taken;
      if (!before.empty() && !stands_before(before, member->path)) {
        return refused(member->path, "stands twice, or not where it has to");
      }
      at += kTarBlock;
      if (auto content = check_content(*member, at); !content) return content;
      if (auto kept = keep(*member, at); !kept) return kept;
      at += member->size + tar_padding(member->size);
      before = std::move(member->path);
    }
  }

  Checked<std::unique_ptr<Source>> open(std::string_view path) const override {
    const auto place = find(path);
    if (!place) return refuse(Code::missing_file, shown_of(path) + " is not there");
    return slice_of(*archive_, place->offset, place->size, shown_of(path));
  }

  Checked<void> list(const std::function<void(std::string_view)>& each) const override {
    for (const auto& other : others_) each(other.path);
    for (const auto& blob : blobs_) each(blob_path(blob.digest));
    return {};
  }

 private:
  std::string shown_of(std::string_view path) const {
    return "'" + std::string(path) + "' in " + shown();
  }

  tl::unexpected<Refusal> refused(std::string_view path, std::string_view why) const {
    return refuse(Code::bad_archive, shown_of(path) + " " + std::string(why));
  }

  /// All members are below one directory, whose name says nothing to a reader.
  Checked<void> take_directory(std::string& path) {
    const auto slash = path.find('/');
    const auto directory = path.substr(0, slash);
    if (directory_.empty()) directory_ = directory;
    if (slash == std::string::npos || directory != directory_) {
      return refused(path, "is not below '" + directory_ + "/'");
    }
    path.erase(0, slash + 1);
    if (others_.empty() && path != kSums) {
      return refused(path, "comes first, and that has to be SHA256SUMS");
    }
    return {};
  }

  /// The content is there, and what fills its last block is zero.
  Checked<void> check_content(const Member& member, std::uint64_t at) const {
    std::array<char, kTarBlock> filling{};
    const auto padding = std::span(filling).first(tar_padding(member.size));
    if (member.size + padding.size() > archive_->size() - at) {
      return refuse(Code::cut_short, archive_->shown() + " has " +
                                         std::to_string(archive_->size()) +
                                         " bytes and ends within '" + member.path + "'");
    }
    if (auto read = archive_->read(at + member.size, padding); !read) return read;
    if (std::ranges::any_of(padding, [](char byte) { return byte != 0; })) {
      return refused(member.path, "is followed by bytes that belong to nothing");
    }
    return {};
  }

  Checked<void> keep(const Member& member, std::uint64_t at) {
    const Place place{.offset = at, .size = member.size};
    if (!is_of_a_bundle(member.path)) return refused(member.path, "is no file of a bundle");
    if (const auto digest = digest_of_blob(member.path)) {
      blobs_.push_back({.digest = *digest, .place = place});
    } else {
      others_.push_back({.path = member.path, .place = place});
    }
    if (blobs_.size() > kMostBlobs || others_.size() > kMostOthers) {
      return refuse(Code::too_many, archive_->shown() + " holds more files than a bundle may");
    }
    return {};
  }

  /// The archive ends with two blocks of zeros, and nothing follows.
  Checked<void> end(std::uint64_t at, const std::string& before) const {
    if (before.empty()) return refuse(Code::bad_archive, archive_->shown() + " is empty");
    std::array<char, kTarBlock> last{};
    if (auto read = archive_->read(at + kTarBlock, last); !read) return read;
    if (std::ranges::any_of(last, [](char byte) { return byte != 0; }) ||
        archive_->size() != at + 2 * kTarBlock) {
      return refuse(Code::bad_archive,
                    archive_->shown() + ": there is more behind the end of the archive");
    }
    return {};
  }

  std::optional<Place> find(std::string_view path) const {
    if (const auto digest = digest_of_blob(path)) {
      // Paths ascend, so digests do.
      const auto blob = std::ranges::lower_bound(blobs_, *digest, {}, &BlobPlace::digest);
      if (blob == blobs_.end() || blob->digest != *digest) return std::nullopt;
      return blob->place;
    }
    const auto other = std::ranges::find(others_, path, &OtherPlace::path);
    if (other == others_.end()) return std::nullopt;
    return other->place;
  }

  std::unique_ptr<Source> archive_;
  std::optional<Digest> bound_to_;
  std::string directory_;
  std::vector<BlobPlace> blobs_;
  std::vector<OtherPlace> others_;
};

}  // namespace

Checked<std::unique_ptr<Medium>> open_transport(std::unique_ptr<Source> archive,
                                                std::optional<Digest> bound_to) {
  auto transport = std::make_unique<Transport>(std::move(archive), bound_to);
  if (auto read = transport->read_headers(); !read) return tl::unexpected(read.error());
  return transport;
}

}  // namespace caisson::installer
