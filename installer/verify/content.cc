#include "installer/verify/content.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "installer/chunk/frame.h"
#include "installer/media/layout.h"
#include "installer/verify/listing.h"
#include "installer/verify/output.h"
#include "installer/verify/turns.h"

namespace caisson::installer {
namespace {

/// Bytes that are read in one step where a file is not held as a whole.
constexpr std::size_t kStep = std::size_t{256} * 1024;

/// The most bytes of a listed file whose size MANIFEST does not say: texts, the installer, and
/// documents of images.
constexpr std::uint64_t kMostOfOther = std::uint64_t{64} * 1024 * 1024;

/// What a manifest may take of the memory where two threads read chunks, 16 MiB each.
constexpr std::size_t kMostOfManifest = std::size_t{20} * 1024 * 1024;

/// About the memory of an allocation, with what it takes beside what was asked for.
std::size_t memory_of(std::size_t asked) { return asked + 16; }

std::size_t memory_of(const std::vector<std::string>& texts) {
  auto bytes = memory_of(texts.capacity() * sizeof(std::string));
  for (const auto& text : texts) bytes += memory_of(text.capacity());
  return bytes;
}

/// About the memory that a manifest takes.
std::size_t memory_of(const Manifest& manifest) {
  std::size_t bytes = memory_of(manifest.packs.capacity() * sizeof(Pack)) +
                      memory_of(manifest.images.capacity() * sizeof(Image));
  for (const auto& pack : manifest.packs) {
    bytes += memory_of(pack.chunks.capacity() * sizeof(Chunk)) +
             memory_of(pack.files.capacity() * sizeof(File));
    for (const auto& file : pack.files) bytes += memory_of(file.path.capacity());
  }
  for (const auto& question : manifest.questions) {
    bytes += sizeof question + memory_of(question.text.capacity()) + memory_of(question.choices) +
             memory_of(question.preset ? question.preset->capacity() : 0);
  }
  for (const auto& image : manifest.images) {
    bytes += memory_of(image.reference.capacity()) + memory_of(image.workdir.capacity()) +
             memory_of(image.layers.capacity() * sizeof(Layer)) + memory_of(image.entrypoint) +
             memory_of(image.command) + memory_of(image.environment);
  }
  return bytes;
}

/// The installed files of a base by their digest.
class BaseFiles {
 public:
  explicit BaseFiles(const BaseRelease& base) : base_(base) {
    for (const auto& pack : base.manifest.packs) {
      for (const auto& file : pack.files) files_.push_back(&file);
    }
    std::ranges::sort(files_, {}, digest_of);
  }

  [[nodiscard]] const Disk& disk() const { return base_.disk; }

  /// Where the base has it.
  [[nodiscard]] Checked<std::string> find(const Digest& digest) const {
    const auto found = std::ranges::lower_bound(files_, digest, {}, digest_of);
    if (found == files_.end() || (*found)->digest != digest) {
      return refuse(Code::wrong_base, "the base has no file of the digest " + hex(digest));
    }
    return (base_.directory.empty() ? "" : std::string(base_.directory) + "/") + (*found)->path;
  }

  /// All of a file, after its hash was found right.
  [[nodiscard]] Checked<std::string> read(const Digest& digest) const {
    const auto path = find(digest);
    if (!path) return tl::unexpected(path.error());
    auto bytes = read_file(base_.disk, *path, kMostOfPatched);
    if (!bytes) return refuse(Code::wrong_base, bytes.error().what);
    if (sha256(*bytes) != digest) return refuse(Code::wrong_base, changed(*path));
    return bytes;
  }

  [[nodiscard]] static std::string changed(const std::string& path) {
    return "'" + path + "' is not what was installed any more";
  }

 private:
  static const Digest& digest_of(const File* file) { return file->digest; }

  const BaseRelease& base_;
  std::vector<const File*> files_;
};

/// A listed file that is read as it is: a blob, or another one.
struct Whole {
  const Digest* blob = nullptr;
  const Sum* other = nullptr;
  std::uint64_t size = 0;  ///< exactly, or the most where `exact` is false
  bool exact = false;

  [[nodiscard]] std::string path() const { return blob ? blob_path(*blob) : other->path; }
  [[nodiscard]] const Digest& digest() const { return blob ? *blob : other->digest; }
};

/// A chunk of a pack; of one without chunks, the pack.
struct Piece {
  std::uint32_t pack = 0;
  std::uint32_t chunk = 0;
};

/// Reads the content of one bundle.
class Content {
 public:
  Content(const VerifiedBundle& bundle, const Reading& reading, Staging& staging)
      : bundle_(bundle), reading_(reading), staging_(staging), output_(staging) {}

  Checked<Totals> sums() {
    std::vector<Whole> wholes;
    constexpr auto kAny = std::numeric_limits<std::uint64_t>::max();
    for (const auto& blob : bundle_.listing().blobs)
      wholes.push_back({.blob = &blob, .size = kAny});
    for (const auto& other : bundle_.listing().others) {
      wholes.push_back({.other = &other, .size = kAny});
    }
    if (auto done = read_wholes(wholes); !done) return tl::unexpected(done.error());
    return Totals{.blobs = bundle_.listing().blobs.size(),
                  .others = bundle_.listing().others.size(),
                  .read = read_};
  }

  Checked<Totals> all() {
    if (auto based = take_base(); !based) return tl::unexpected(based.error());
    if (auto begun = staging_.begin(); !begun) return tl::unexpected(begun.error());
    if (auto packs = read_packs(); !packs) return tl::unexpected(packs.error());
    for (const std::string_view directory : {"keys", "blobs/sha256"}) {
      if (auto made = staging_.make_directories(directory); !made) {
        return tl::unexpected(made.error());
      }
    }
    if (auto wholes = read_wholes(wholes_of_bundle()); !wholes) {
      return tl::unexpected(wholes.error());
    }
    if (auto durable = staging_.finish(); !durable) return tl::unexpected(durable.error());
    totals_.read = read_;
    return totals_;
  }

 private:
  /// What one thread reads and decodes into. The buffers grow to what is needed, 8 MiB each.
  struct Buffers {
    FrameDecoder decoder;
    std::string stored;
    std::string content;

    static std::span<char> first(std::string& buffer, std::uint64_t size) {
      if (buffer.size() < size) {
        std::string().swap(buffer);  // so that there are never two of them
        buffer.resize(static_cast<std::size_t>(size));
      }
      return std::span(buffer).first(static_cast<std::size_t>(size));
    }
  };

  [[nodiscard]] unsigned threads() const {
    const auto& manifest = bundle_.manifest();
    return manifest.base || memory_of(manifest) > kMostOfManifest ? 1 : reading_.threads;
  }

  Checked<void> take_base() {
    const auto& base = bundle_.manifest().base;
    if (!base) return {};
    if (reading_.base == nullptr || reading_.base->digest != base->manifest) {
      return refuse(Code::wrong_base, "the bundle stands on version " + to_text(base->version) +
                                          ", whose MANIFEST is " + hex(base->manifest));
    }
    base_.emplace(*reading_.base);
    return {};
  }

  Checked<void> read_packs() {
    std::vector<Piece> pieces;
    const auto& packs = bundle_.manifest().packs;
    for (std::uint32_t pack = 0; pack < packs.size(); ++pack) {
      const auto chunks = std::max<std::size_t>(packs[pack].chunks.size(), 1);
      for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) pieces.push_back({pack, chunk});
      totals_.chunks += packs[pack].chunks.size();
      totals_.files += packs[pack].files.size();
    }
    totals_.bytes = installed_bytes(bundle_.manifest());
    Turns turns(pieces.size());
    return turns.run(threads(), [&]() -> Turns::Work {
      return [&, buffers = std::make_shared<Buffers>()](std::size_t number) -> Checked<void> {
        const auto [pack_number, chunk] = pieces[number];
        const auto& pack = packs[pack_number];
        if (auto decoded = decode(*buffers, pack, chunk); !decoded) return decoded;
        // Only what goes into files has an order.
        if (!turns.wait(number)) return {};
        if (chunk == 0) {
          if (auto begun = output_.begin(pack); !begun) return begun;
        }
        if (pack.chunks.empty()) return copy_of_base(*buffers, pack.files.front());
        return output_.take(std::string_view(buffers->content)
                                .substr(0, static_cast<std::size_t>(pack.chunks[chunk].size)));
      };
    });
  }

  /// Reads a chunk, hashes it, and only then decodes it.
  Checked<void> decode(Buffers& buffers, const Pack& pack, std::uint32_t number) {
    if (pack.chunks.empty()) return {};
    const auto& chunk = pack.chunks[number];
    const auto path = blob_path(chunk.digest);
    const auto source = bundle_.medium().open(path);
    if (!source) return tl::unexpected(source.error());
    if ((*source)->size() != chunk.stored) return wrong_size(**source, chunk.stored);
    const auto stored = Buffers::first(buffers.stored, chunk.stored);
    if (auto read = (*source)->read(0, stored); !read) return read;
    count(chunk.stored);
    const std::string_view frame(stored.data(), stored.size());
    if (sha256(frame) != chunk.digest) return wrong_content(**source);
    std::string base;
    if (pack.from == Pack::From::patch) {
      auto bytes = base_->read(pack.base);
      if (!bytes) return tl::unexpected(bytes.error());
      base = *std::move(bytes);
    }
    return buffers.decoder.decode((*source)->shown(), frame, base,
                                  Buffers::first(buffers.content, chunk.size));
  }

  Checked<void> copy_of_base(Buffers& buffers, const File& file) {
    const auto path = base_->find(file.digest);
    if (!path) return tl::unexpected(path.error());
    const auto step = Buffers::first(buffers.content, kStep);
    for (std::uint64_t at = 0; at < file.size;) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, file.size - at));
      const auto got = base_->disk().read(*path, at, step.first(want));
      if (!got) return refuse(Code::wrong_base, got.error().what);
      if (*got == 0) return refuse(Code::wrong_base, BaseFiles::changed(*path));
      auto taken = output_.take(std::string_view(step.data(), *got));
      if (!taken && taken.error().code == Code::wrong_content) {
        return refuse(Code::wrong_base, BaseFiles::changed(*path));
      }
      if (!taken) return taken;
      at += *got;
    }
    return {};
  }

  /// Everything that is listed and no chunk of a file.
  std::vector<Whole> wholes_of_bundle() {
    const auto& manifest = bundle_.manifest();
    const auto& listing = bundle_.listing();
    std::vector<Digest> chunks;
    for (const auto& pack : manifest.packs) {
      for (const auto& chunk : pack.chunks) chunks.push_back(chunk.digest);
    }
    std::ranges::sort(chunks);
    std::vector<Blob> blobs;
    for (const auto& image : manifest.images) {
      if (image.index) blobs.push_back({image.index->digest, image.index->size});
      blobs.push_back({image.manifest.digest, image.manifest.size});
      blobs.push_back(image.config);
      for (const auto& layer : image.layers) blobs.push_back(layer.blob);
    }
    std::ranges::sort(blobs, {}, &Blob::digest);
    std::vector<Whole> wholes;
    for (const auto& digest : listing.blobs) {
      const auto blob = std::ranges::lower_bound(blobs, digest, {}, &Blob::digest);
      if (blob != blobs.end() && blob->digest == digest) {
        wholes.push_back({.blob = &digest, .size = blob->size, .exact = true});
        ++totals_.blobs;
      } else if (!std::ranges::binary_search(chunks, digest)) {
        wholes.push_back({.blob = &digest, .size = kMostOfOther});
        ++totals_.blobs;
      }
    }
    for (const auto& other : listing.others) {
      wholes.push_back({.other = &other, .size = kMostOfOther});
      ++totals_.others;
    }
    // The largest first, so that no thread waits long for the other at the end.
    std::ranges::stable_sort(wholes, std::greater<>{},
                             [](const Whole& whole) { return whole.exact ? whole.size : 0; });
    return wholes;
  }

  Checked<void> read_wholes(const std::vector<Whole>& wholes) {
    Turns turns(wholes.size());
    return turns.run(threads(), [&]() -> Turns::Work {
      return [&, buffer = std::make_shared<std::string>(kStep, '\0')](std::size_t number) {
        return read_whole(wholes[number], *buffer);
      };
    });
  }

  Checked<void> read_whole(const Whole& whole, std::string& buffer) {
    const auto path = whole.path();
    const auto source = bundle_.medium().open(path);
    if (!source) return tl::unexpected(source.error());
    const auto size = (*source)->size();
    if (whole.exact ? size != whole.size : size > whole.size) {
      return wrong_size(**source, whole.size);
    }
    const auto out = staging_.create(path, size, path == kInstaller);
    if (!out) return tl::unexpected(out.error());
    Sha256 hash;
    for (std::uint64_t at = 0; at < size;) {
      const auto step = std::span(buffer).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at)));
      if (auto read = (*source)->read(at, step); !read) return read;
      const std::string_view bytes(step.data(), step.size());
      hash.update(bytes);
      if (*out) {
        if (auto appended = (*out)->append(bytes); !appended) return appended;
      }
      at += step.size();
      count(step.size());
    }
    if (hash.finish() != whole.digest()) return wrong_content(**source);
    return {};
  }

  static tl::unexpected<Refusal> wrong_size(const Source& source, std::uint64_t size) {
    return refuse(source.size() < size ? Code::cut_short : Code::wrong_size,
                  source.shown() + " has " + std::to_string(source.size()) + " bytes instead of " +
                      std::to_string(size));
  }

  static tl::unexpected<Refusal> wrong_content(const Source& source) {
    return refuse(Code::wrong_content, source.shown() + " is not what was signed");
  }

  void count(std::uint64_t bytes) {
    read_ += bytes;
    if (reading_.progress) reading_.progress(bytes);
  }

  const VerifiedBundle& bundle_;
  const Reading& reading_;
  Staging& staging_;
  Output output_;
  std::optional<BaseFiles> base_;
  Totals totals_;
  std::atomic<std::uint64_t> read_ = 0;
};

}  // namespace

Checked<std::uint64_t> bytes_to_read(const VerifiedBundle& bundle) {
  std::uint64_t bytes = 0;
  const auto& manifest = bundle.manifest();
  for (const auto& pack : manifest.packs) {
    for (const auto& chunk : pack.chunks) bytes += chunk.stored;
  }
  for (const auto& image : manifest.images) {
    bytes += image.manifest.size + image.config.size;
    for (const auto& layer : image.layers) {
      if (lists_blob(bundle.listing(), layer.blob.digest)) bytes += layer.blob.size;
    }
  }
  for (const auto& other : bundle.listing().others) {
    const auto source = bundle.medium().open(other.path);
    if (!source) return tl::unexpected(source.error());
    bytes += (*source)->size();
  }
  return bytes;
}

Checked<Totals> check_sums(const VerifiedBundle& bundle, const Reading& reading) {
  Staging nowhere;
  return Content(bundle, reading, nowhere).sums();
}

Checked<Totals> check_content(const VerifiedBundle& bundle, const Reading& reading) {
  Staging nowhere;
  return Content(bundle, reading, nowhere).all();
}

Checked<Totals> stage_content(const VerifiedBundle& bundle, const Reading& reading, Disk& disk,
                              std::string_view directory) {
  Staging staging(disk, std::string(directory));
  return Content(bundle, reading, staging).all();
}

}  // namespace caisson::installer
