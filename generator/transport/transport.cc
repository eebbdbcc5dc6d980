#include "generator/transport/transport.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "installer/disk/disk.h"
#include "installer/format/manifest.h"
#include "installer/format/sums.h"
#include "installer/media/layout.h"
#include "installer/media/parts.h"
#include "installer/media/tar.h"

namespace caisson::transport {
namespace {

namespace fs = std::filesystem;
using namespace installer;

constexpr std::size_t kStep = std::size_t{1} << 20;

/// A file of the bundle, as it goes into the transport.
struct Item {
  std::string path;
  std::optional<Digest> digest;  ///< of all but SHA256SUMS and its signatures
  std::uint64_t size = 0;
  std::string header;
};

/// What a transport will hold.
struct Layout {
  std::string product;
  Digest manifest{};
  std::vector<Item> items;  ///< in their order
  std::uint64_t total = 0;  ///< bytes of the transport
};

Checked<Layout> lay_out(const Medium& bundle) {
  const auto sums_text = read_text(bundle, kSums, kMostOfText);
  if (!sums_text) return tl::unexpected(sums_text.error());
  const auto sums = read_sums(kSums, *sums_text, kManifest);
  if (!sums) return tl::unexpected(sums.error());
  const auto manifest_text = read_text(bundle, kManifest, kMostOfText);
  if (!manifest_text) return tl::unexpected(manifest_text.error());
  const auto manifest = read_manifest(*manifest_text);
  if (!manifest) return tl::unexpected(manifest.error());

  Layout layout{.product = manifest->envelope.product, .manifest = sha256(*manifest_text)};
  for (const auto& sum : *sums) layout.items.push_back({.path = sum.path, .digest = sum.digest});
  for (const auto path : {kSums, kSignature, kSecondSignature}) {
    layout.items.push_back({.path = std::string(path)});
  }
  std::ranges::sort(layout.items, stands_before, &Item::path);
  const auto top = manifest->envelope.product + "-" + to_text(manifest->version) + "-" +
                   manifest->envelope.arch + "/";
  for (auto item = layout.items.begin(); item != layout.items.end();) {
    if (!is_of_a_bundle(item->path)) {
      return refuse(Code::bad_layout, "'" + item->path + "' is no file of a bundle");
    }
    const auto source = bundle.open(item->path);
    // A bundle that is not signed yet travels as well, and the second signature may be missing.
    if (!source && source.error().code == Code::missing_file && !item->digest &&
        item->path != kSums) {
      item = layout.items.erase(item);
      continue;
    }
    if (!source) return tl::unexpected(source.error());
    item->size = (*source)->size();
    item->header = tar_header({.path = top + item->path, .size = item->size});
    if (item->header.empty()) {
      return refuse(Code::bad_archive, "'" + item->path + "' does not fit into a transport, " +
                                           "which holds files of less than 8 GiB");
    }
    layout.total += kTarBlock + item->size + tar_padding(item->size);
    ++item;
  }
  layout.total += 2 * kTarBlock;
  return layout;
}

using Take = std::function<Checked<void>(std::string_view bytes)>;

Checked<void> write_item(const Medium& bundle, const Item& item, const Take& take) {
  if (auto taken = take(item.header); !taken) return taken;
  const auto source = bundle.open(item.path);
  if (!source) return tl::unexpected(source.error());
  std::string buffer(static_cast<std::size_t>(std::min<std::uint64_t>(item.size, kStep)), '\0');
  Sha256 hash;
  for (std::uint64_t at = 0; at < item.size;) {
    const auto step = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), item.size - at)));
    if (auto read = (*source)->read(at, step); !read) return read;
    const std::string_view bytes(step.data(), step.size());
    hash.update(bytes);
    if (auto taken = take(bytes); !taken) return taken;
    at += step.size();
  }
  if (item.digest && hash.finish() != *item.digest) {
    return refuse(Code::wrong_content, (*source)->shown() + " is not what SHA256SUMS says");
  }
  return take(std::string(tar_padding(item.size), '\0'));
}

Checked<void> write_all(const Medium& bundle, const Layout& layout, const Take& take) {
  for (const auto& item : layout.items) {
    if (auto written = write_item(bundle, item, take); !written) return written;
  }
  return take(std::string(2 * kTarBlock, '\0'));
}

/// Files that are there as a whole or not at all: what was begun is removed unless it is kept.
class Files {
 public:
  explicit Files(Disk& disk) : disk_(disk) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    out_.reset();
    if (kept_) return;
    for (const auto& file : files_) (void)disk_.remove(file.name);
  }

  Checked<void> begin(const std::string& name) {
    if (auto ended = end(); !ended) return ended;
    auto out = disk_.create(name, 0644);
    if (!out) return tl::unexpected(out.error());
    out_ = *std::move(out);
    files_.push_back({.name = name, .size = 0});
    return {};
  }

  Checked<void> append(std::string_view bytes) {
    files_.back().size += bytes.size();
    return out_->append(bytes);
  }

  Checked<std::vector<Written>> keep() {
    if (auto ended = end(); !ended) return tl::unexpected(ended.error());
    if (auto synced = disk_.sync_directory(""); !synced) return tl::unexpected(synced.error());
    kept_ = true;
    return files_;
  }

 private:
  Checked<void> end() {
    if (!out_) return {};
    auto synced = out_->sync();
    out_.reset();
    return synced;
  }

  Disk& disk_;
  std::unique_ptr<DiskFile> out_;
  std::vector<Written> files_;
  bool kept_ = false;
};

}  // namespace

Checked<Written> join(const Medium& bundle, const fs::path& file) {
  const auto layout = lay_out(bundle);
  if (!layout) return tl::unexpected(layout.error());
  const auto disk = open_disk(file.has_parent_path() ? file.parent_path() : fs::path("."));
  if (!disk) return tl::unexpected(disk.error());
  Files files(**disk);
  if (auto begun = files.begin(file.filename().string()); !begun) {
    return tl::unexpected(begun.error());
  }
  const auto take = [&](std::string_view bytes) { return files.append(bytes); };
  if (auto written = write_all(bundle, *layout, take); !written) {
    return tl::unexpected(written.error());
  }
  const auto kept = files.keep();
  if (!kept) return tl::unexpected(kept.error());
  return kept->front();
}

Checked<std::vector<Written>> split(const Medium& bundle, std::uint64_t part_size,
                                    const fs::path& directory) {
  const auto layout = lay_out(bundle);
  if (!layout) return tl::unexpected(layout.error());
  const auto slice = std::clamp(part_size, kLeastPart, kMostPart) - kPartHeader;
  PartHeader header{.manifest = layout->manifest,
                    .number = 0,
                    .parts = (layout->total + slice - 1) / slice,
                    .offset = 0,
                    .length = 0,
                    .total = layout->total};
  if (header.parts > kMostParts) {
    return refuse(Code::bad_part, "that makes " + std::to_string(header.parts) +
                                      " parts, and a bundle has at most 500: take larger ones");
  }
  const auto disk = open_disk(directory);
  if (!disk) return tl::unexpected(disk.error());
  Files files(**disk);
  std::uint64_t left = 0;  // bytes that the part lacks
  const auto take = [&](std::string_view bytes) -> Checked<void> {
    while (!bytes.empty()) {
      if (left == 0) {
        header.offset += header.length;
        header.length = std::min(slice, header.total - header.offset);
        ++header.number;
        if (auto begun = files.begin(part_name(layout->product, header.number)); !begun) {
          return begun;
        }
        if (auto put = files.append(write_part_header(header)); !put) return put;
        left = header.length;
      }
      const auto piece =
          bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
      if (auto put = files.append(piece); !put) return put;
      left -= piece.size();
      bytes.remove_prefix(piece.size());
    }
    return {};
  };
  if (auto written = write_all(bundle, *layout, take); !written) {
    return tl::unexpected(written.error());
  }
  return files.keep();
}

}  // namespace caisson::transport
