#include "generator/bundle/shelf.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/json.hpp>

#include "base/hex.h"
#include "generator/bundle/stage.h"
#include "generator/render/json.h"
#include "installer/format/lines.h"
#include "installer/image/tar_reader.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// The most bytes of an index, a manifest or a configuration (the OCI distribution specification
/// asks for 4 MiB of a manifest).
constexpr std::uint64_t kMostOfDocument = std::uint64_t{4} << 20U;

constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";

Result<json::value> parse(const Source& source, std::string_view what) {
  auto bytes = source.all(kMostOfDocument);
  if (!bytes) return tl::unexpected(bytes.error());
  boost::system::error_code error;
  auto value = json::parse(*bytes, error);
  if (error) return fail(std::string(what) + " is no JSON");
  return value;
}

std::string text_at(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  const auto* found = value.find_pointer(pointer, error);
  const auto* text = error || found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

const json::array* list_at(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(key);
  return found == nullptr ? nullptr : found->if_array();
}

std::optional<Digest> digest_of(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (!text.starts_with(prefix)) return std::nullopt;
  return installer::digest_of(text.substr(prefix.size()));
}

std::string blob_path(const Digest& digest) { return std::string(kBlobs) + hex(digest); }

bool is_index(std::string_view type) { return type == kIndex || type == kDockerList; }

tl::unexpected<Failure> bad(const fs::path& place, const std::string& what) {
  return fail("'" + place.string() + "': " + what);
}

}  // namespace

std::string long_reference(std::string_view reference) {
  std::string name(reference.substr(0, reference.find('@')));
  const auto slash = name.find('/');
  const auto host = name.substr(0, slash == std::string::npos ? 0 : slash);
  if (slash == std::string::npos) {
    name = "docker.io/library/" + name;
  } else if (host.find_first_of(".:") == std::string::npos && host != "localhost") {
    name = "docker.io/" + name;
  }
  if (name.find(':', name.rfind('/')) == std::string::npos) name += ":latest";
  return name;
}

Result<Source> Shelf::Place::open(const std::string& name) const {
  if (directory) return Source::open(path / name);
  const auto found = files.find(name);
  if (found == files.end()) return fail("'" + path.string() + "' has no " + name);
  return found->second;
}

bool Shelf::Place::has(const std::string& name) const {
  std::error_code error;
  return directory ? fs::is_regular_file(path / name, error) : files.contains(name);
}

Result<void> Shelf::add(const fs::path& path) {
  Place place{.path = path};
  std::error_code error;
  place.directory = fs::is_directory(path, error);
  if (place.directory) return read(std::move(place));
  const auto archive = Source::open(path);
  if (!archive) return tl::unexpected(archive.error());
  std::map<std::string, std::string> links;
  using installer::ArchiveEntry;
  installer::TarReader reader(
      [&](const ArchiveEntry& entry) -> installer::Checked<bool> {
        if (entry.kind == ArchiveEntry::Kind::file) {
          place.files[entry.path] = archive->part(entry.offset, entry.size);
        } else if (entry.kind == ArchiveEntry::Kind::link) {
          links[entry.path] =
              (fs::path(entry.path).parent_path() / entry.target).lexically_normal().string();
        } else if (entry.kind == ArchiveEntry::Kind::hard_link) {
          links[entry.path] = entry.target;
        }
        return false;
      },
      [](const ArchiveEntry&, std::string_view) { return installer::Checked<void>(); });
  std::string piece;
  for (std::uint64_t at = 0; at < archive->size(); at += piece.size()) {
    const auto size = std::min<std::uint64_t>(std::uint64_t{1} << 20U, archive->size() - at);
    if (auto got = archive->read(at, size, piece); !got) return got;
    if (auto fed = reader.feed(piece); !fed) {
      return fail("'" + path.string() + "' is no tar archive of images: " + fed.error().what,
                  "give an OCI layout, or what `docker save` writes, not compressed");
    }
  }
  if (auto whole = reader.finish(); !whole) return bad(path, whole.error().what);
  // Older archives name a layer that several images have once, and link to it.
  for (const auto& [from, to] : links) {
    if (const auto found = place.files.find(to); found != place.files.end()) {
      const auto source = found->second;
      place.files[from] = source;
    }
  }
  return read(std::move(place));
}

Result<void> Shelf::add(std::vector<image::LayoutFile> layout) {
  Place place{.path = "the images of Caisson"};
  for (auto& file : layout) place.files[file.path] = Source(std::move(file.bytes));
  return read(std::move(place));
}

Result<void> Shelf::read(Place place) {
  const bool oci = place.has("index.json");
  if (!oci && !place.has("manifest.json")) {
    return fail("'" + place.path.string() + "' holds no images",
                "give an OCI layout, or what `docker save` writes");
  }
  places_.push_back(std::move(place));
  return oci ? read_index(places_.size() - 1) : read_docker(places_.size() - 1);
}

Result<void> Shelf::read_index(std::size_t at) {
  const auto& place = places_[at];
  const auto file = place.open("index.json");
  if (!file) return tl::unexpected(file.error());
  const auto index = parse(*file, "'" + place.path.string() + "': index.json");
  if (!index) return tl::unexpected(index.error());
  const auto* manifests = list_at(*index, "manifests");
  if (manifests == nullptr) return bad(place.path, "index.json has no manifests");
  for (const auto& entry : *manifests) {
    const auto digest = digest_of(text_at(entry, "/digest"));
    if (!digest) return bad(place.path, "index.json names an image without a digest");
    const auto full = text_at(entry, "/annotations/io.containerd.image.name");
    const auto name = text_at(entry, "/annotations/org.opencontainers.image.ref.name");
    const auto& shown = full.empty() ? name : full;
    named_.push_back({.place = at,
                      .name = shown.empty() ? std::string() : long_reference(shown),
                      .media_type = text_at(entry, "/mediaType"),
                      .digest = *digest});
  }
  return {};
}

Result<void> Shelf::read_docker(std::size_t at) {
  const auto& place = places_[at];
  const auto file = place.open("manifest.json");
  if (!file) return tl::unexpected(file.error());
  const auto manifest = parse(*file, "'" + place.path.string() + "': manifest.json");
  if (!manifest) return tl::unexpected(manifest.error());
  if (!manifest->is_array()) return bad(place.path, "manifest.json is no list of images");
  for (const auto& entry : manifest->get_array()) {
    Named named{.place = at, .docker_config = text_at(entry, "/Config")};
    const auto* layers = list_at(entry, "Layers");
    if (named.docker_config.empty() || layers == nullptr) {
      return bad(place.path, "manifest.json names an image without a configuration or layers");
    }
    for (const auto& layer : *layers) {
      if (const auto* path = layer.if_string()) named.docker_layers.emplace_back(*path);
    }
    const auto* tags = list_at(entry, "RepoTags");
    if (tags == nullptr) continue;
    for (const auto& tag : *tags) {
      if (const auto* name = tag.if_string()) named.name = long_reference(std::string_view(*name));
      named_.push_back(named);
    }
  }
  return {};
}

Result<ShelfImage> Shelf::find(const std::string& reference, const std::string& arch) const {
  const auto at = reference.find('@');
  const auto digest = at == std::string::npos
                          ? std::nullopt
                          : digest_of(std::string_view(reference).substr(at + 1));
  const auto name = long_reference(reference);
  for (const auto& place : places_) {
    if (!digest || !place.has(blob_path(*digest))) continue;
    auto blob = place.open(blob_path(*digest));
    if (!blob) return tl::unexpected(blob.error());
    auto found = image(place, {.digest = *digest, .source = *std::move(blob)}, arch);
    if (found) found->reference = reference;
    return found;
  }
  for (const auto& named : named_) {
    if (digest || named.name != name) continue;
    const auto& place = places_[named.place];
    if (!named.docker_config.empty()) {
      auto found = saved(named);
      if (found) found->reference = reference;
      return found;
    }
    auto blob = place.open(blob_path(named.digest));
    if (!blob) return tl::unexpected(blob.error());
    auto found = image(
        place, {.digest = named.digest, .media_type = named.media_type, .source = *std::move(blob)},
        arch);
    // A name stands for the image of this platform; nobody asks for the index behind it.
    if (found) found->index.reset();
    if (found) found->reference = reference;
    return found;
  }
  return fail("no image '" + reference + "' is here",
              digest ? "`skopeo copy docker://REFERENCE oci:DIR:NAME` gets it byte for byte; then "
                       "--images DIR"
                     : "build it, `docker save` it, and name the archive with --images FILE");
}

Result<ShelfImage> Shelf::image(const Place& place, ImageBlob found,
                                const std::string& arch) const {
  const auto bytes = found.source.all(kMostOfDocument);
  if (!bytes) return tl::unexpected(bytes.error());
  if (sha256(*bytes) != found.digest) {
    return bad(place.path, "the blob " + hex(found.digest) + " has another content");
  }
  const auto document = parse(found.source, "'" + place.path.string() + "': a manifest");
  if (!document) return tl::unexpected(document.error());
  if (const auto type = text_at(*document, "/mediaType"); !type.empty()) found.media_type = type;
  const auto open = [&](const json::value& descriptor) -> Result<ImageBlob> {
    const auto digest = digest_of(text_at(descriptor, "/digest"));
    if (!digest) return bad(place.path, "a manifest names a blob without a digest");
    auto source = place.open(blob_path(*digest));
    if (!source) return tl::unexpected(source.error());
    return ImageBlob{.digest = *digest,
                     .media_type = text_at(descriptor, "/mediaType"),
                     .source = *std::move(source)};
  };
  if (const auto* manifests = list_at(*document, "manifests"); manifests != nullptr) {
    if (found.media_type.empty()) found.media_type = kIndex;
    if (!is_index(found.media_type)) return bad(place.path, "a manifest of an unknown kind");
    for (const auto& entry : *manifests) {
      if (text_at(entry, "/platform/architecture") != arch ||
          text_at(entry, "/platform/os") != "linux") {
        continue;
      }
      auto manifest = open(entry);
      if (!manifest) return tl::unexpected(manifest.error());
      if (is_index(manifest->media_type)) return bad(place.path, "an index within an index");
      auto inner = image(place, *std::move(manifest), arch);
      if (inner) inner->index = std::move(found);
      return inner;
    }
    return bad(place.path, "the image has nothing for linux/" + arch);
  }
  if (found.media_type.empty()) found.media_type = kManifest;
  ShelfImage result{.manifest = std::move(found)};
  const auto* object = document->if_object();
  const auto* config = object == nullptr ? nullptr : object->if_contains("config");
  const auto* layers = list_at(*document, "layers");
  if (config == nullptr || layers == nullptr)
    return bad(place.path, "a manifest of an unknown kind");
  auto opened = open(*config);
  if (!opened) return tl::unexpected(opened.error());
  result.config = *std::move(opened);
  for (const auto& layer : *layers) {
    auto blob = open(layer);
    if (!blob) return tl::unexpected(blob.error());
    result.layers.push_back(*std::move(blob));
  }
  return result;
}

Result<ShelfImage> Shelf::saved(const Named& named) const {
  const auto& place = places_[named.place];
  ShelfImage result;
  const auto open = [&](const std::string& path, std::string_view type) -> Result<ImageBlob> {
    auto source = place.open(path);
    if (!source) return tl::unexpected(source.error());
    Sha256 sum;
    std::string piece;
    for (std::uint64_t at = 0; at < source->size(); at += piece.size()) {
      const auto size = std::min<std::uint64_t>(std::uint64_t{1} << 20U, source->size() - at);
      if (auto got = source->read(at, size, piece); !got) return tl::unexpected(got.error());
      sum.update(piece);
    }
    return ImageBlob{
        .digest = sum.finish(), .media_type = std::string(type), .source = *std::move(source)};
  };
  auto config = open(named.docker_config, kConfig);
  if (!config) return tl::unexpected(config.error());
  result.config = *std::move(config);
  using render::Node;
  const auto descriptor = [](const ImageBlob& blob) {
    Node node{Node::Map{}};
    node.add("mediaType", blob.media_type);
    node.add("digest", "sha256:" + hex(blob.digest));
    node.add("size", static_cast<std::int64_t>(blob.source.size()));
    return node;
  };
  Node layers{Node::List{}};
  for (const auto& path : named.docker_layers) {
    auto layer = open(path, kLayer);
    if (!layer) return tl::unexpected(layer.error());
    std::string begin;
    if (auto got = layer->source.read(0, std::min<std::uint64_t>(4, layer->source.size()), begin);
        !got) {
      return tl::unexpected(got.error());
    }
    if (begin.starts_with("\x1f\x8b")) layer->media_type += "+gzip";
    layers.push(descriptor(*layer));
    result.layers.push_back(*std::move(layer));
  }
  // `docker save` leaves the manifest out that a registry would have.
  Node manifest{Node::Map{}};
  manifest.add("schemaVersion", 2);
  manifest.add("mediaType", kManifest);
  manifest.add("config", descriptor(result.config));
  manifest.add("layers", std::move(layers));
  auto bytes = render::to_json(manifest);
  const auto digest = sha256(bytes);
  result.manifest = {
      .digest = digest, .media_type = std::string(kManifest), .source = Source(std::move(bytes))};
  return result;
}

}  // namespace caisson::bundle
