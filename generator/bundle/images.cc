#include "generator/bundle/images.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <boost/json.hpp>

#include "base/hex.h"
#include "generator/bundle/parallel.h"
#include "generator/bundle/unpack.h"
#include "generator/render/json.h"
#include "installer/format/manifest_words.h"

namespace caisson::bundle {
namespace {

namespace json = boost::json;
using installer::Image;
using render::Node;

/// A layer, however many images have it.
struct LayerWork {
  const ImageBlob* blob = nullptr;
  std::string image;  ///< the first that has it, for messages
  Digest diff{};
  std::uint64_t unpacked = 0;
  LayerFacts facts;
};

tl::unexpected<Failure> bad(const std::string& image, const std::string& what,
                            std::string remedy = {}) {
  return fail("image '" + image + "': " + what, std::move(remedy));
}

/// Looks at the files of a layer as they come, with the end of the piece before.
class Lookout {
 public:
  Lookout(conformance::DisclosureScan& scan, std::string image)
      : scan_(scan), image_(std::move(image)) {}

  void see(const ArchiveEntry& entry, std::string_view bytes) {
    const bool begins = seen_ == 0;
    std::string_view window = bytes;
    if (!begins) {
      tail_ += bytes;
      window = tail_;
    }
    scan_.look("image " + image_ + ": " + entry.path, window, begins);
    seen_ += bytes.size();
    if (seen_ >= entry.size) {
      seen_ = 0;
      tail_.clear();
    } else {
      tail_ = std::string(window.substr(
          window.size() - std::min(window.size(), conformance::DisclosureScan::overlap)));
    }
  }

 private:
  conformance::DisclosureScan& scan_;
  std::string image_;
  std::string tail_;
  std::uint64_t seen_ = 0;
};

/// Reads a layer: gives `piece` its bytes and `look` the content of its files.
Result<void> read_layer(LayerWork& work, const std::function<Result<void>(std::string_view)>& piece,
                        const std::function<void(const ArchiveEntry&, std::string_view)>& look) {
  std::set<std::string> telling;
  installer::TarReader reader(
      [&](const ArchiveEntry& entry) -> installer::Checked<bool> {
        if (work.facts.entry(entry)) telling.insert(entry.path);
        return entry.kind == ArchiveEntry::Kind::file && entry.size > 0;
      },
      [&](const ArchiveEntry& entry, std::string_view bytes) -> installer::Checked<void> {
        if (telling.contains(entry.path)) work.facts.content(entry, bytes);
        look(entry, bytes);
        return {};
      });
  Sha256 stored;
  Sha256 diff;
  const auto done = unpack(
      work.blob->source,
      [&](std::string_view bytes) -> Result<void> {
        stored.update(bytes);
        return piece(bytes);
      },
      [&](std::string_view bytes) -> installer::Checked<void> {
        diff.update(bytes);
        work.unpacked += bytes.size();
        return reader.feed(bytes);
      });
  const auto name = "layer sha256:" + hex(work.blob->digest);
  if (!done) return bad(work.image, name + ": " + done.error().what, done.error().remedy);
  if (auto whole = reader.finish(); !whole) {
    const auto failure = failure_of(whole.error());
    return bad(work.image, name + ": " + failure.what, failure.remedy);
  }
  if (stored.finish() != work.blob->digest) {
    return bad(work.image, name + " has another content", "get the image again");
  }
  work.diff = diff.finish();
  return {};
}

Result<void> do_layer(LayerWork& work, bool copied, Stage& stage, conformance::DisclosureScan& scan,
                      Progress& progress) {
  std::optional<Stage::Writer> writer;
  if (copied) {
    auto opened = stage.writer(work.blob->digest);
    if (!opened) return tl::unexpected(opened.error());
    writer.emplace(*std::move(opened));
  }
  Lookout lookout(scan, work.image);
  auto done = read_layer(
      work,
      [&](std::string_view bytes) -> Result<void> {
        progress.advance(bytes.size());
        return writer ? writer->append(bytes) : Result<void>();
      },
      [&](const ArchiveEntry& entry, std::string_view bytes) { lookout.see(entry, bytes); });
  return done && writer ? writer->finish() : done;
}

std::vector<std::string> words(const json::value& config, std::string_view key) {
  std::vector<std::string> all;
  const auto* object = config.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(key);
  const auto* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr) return all;
  for (const auto& word : *list) {
    if (const auto* text = word.if_string()) all.emplace_back(*text);
  }
  return all;
}

std::string word(const json::value& config, std::string_view key) {
  const auto* object = config.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

/// A document with its type, which has to be one that registries and engines of today know.
Result<installer::Document> document_of(
    const std::string& image, const ImageBlob& blob,
    std::span<const installer::Word<installer::MediaType>> types) {
  const auto type =
      std::ranges::find(types, blob.media_type, &installer::Word<installer::MediaType>::text);
  if (type == types.end()) {
    return bad(image, "its media type '" + blob.media_type + "' is not known",
               "`skopeo copy --format oci` makes one of today's of it");
  }
  return installer::Document{
      .digest = blob.digest, .size = blob.source.size(), .type = type->value};
}

/// What an image's configuration says, checked against its layers.
Result<Image> configured(const ShelfImage& from, const std::string& arch,
                         const std::vector<const LayerWork*>& layers, const ImageRoot& root) {
  auto bytes = from.config.source.all(std::uint64_t{4} << 20U);
  if (!bytes) return tl::unexpected(bytes.error());
  if (sha256(*bytes) != from.config.digest) {
    return bad(from.reference, "its configuration has another content", "get the image again");
  }
  boost::system::error_code error;
  const auto document = json::parse(*bytes, error);
  if (error || !document.is_object()) return bad(from.reference, "its configuration is no JSON");
  if (const auto built = word(document, "architecture"); built != arch) {
    return bad(from.reference, "it is for " + built + ", and the bundle for " + arch,
               "get the image for linux/" + arch);
  }
  const auto* rootfs = document.get_object().if_contains("rootfs");
  const auto diffs = rootfs == nullptr ? std::vector<std::string>() : words(*rootfs, "diff_ids");
  if (diffs.size() != layers.size()) return bad(from.reference, "it has other layers than it says");
  Image image{.platform = "linux/" + arch,
              .reference = from.reference,
              .config = {.digest = from.config.digest, .size = from.config.source.size()}};
  auto manifest = document_of(from.reference, from.manifest, installer::kManifestTypes);
  if (!manifest) return tl::unexpected(manifest.error());
  image.manifest = *manifest;
  if (from.index) {
    auto index = document_of(from.reference, *from.index, installer::kIndexTypes);
    if (!index) return tl::unexpected(index.error());
    image.index = *index;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& layer = *layers[i];
    if (diffs[i] != "sha256:" + hex(layer.diff)) {
      return bad(from.reference, "a layer is not what the configuration says",
                 "get the image again");
    }
    image.layers.push_back(
        {.blob = {.digest = from.layers[i].digest, .size = from.layers[i].source.size()},
         .diff = layer.diff,
         .unpacked = layer.unpacked});
  }
  const auto* given = document.get_object().if_contains("config");
  const json::value config = given == nullptr ? json::value(json::object()) : *given;
  image.entrypoint = words(config, "Entrypoint");
  image.command = words(config, "Cmd");
  if (image.entrypoint.empty() && image.command.empty()) {
    return bad(from.reference, "it has neither an entrypoint nor a command",
               "give the image an ENTRYPOINT");
  }
  image.environment = words(config, "Env");
  for (const auto& variable : image.environment) {
    if (variable.find('=') + 1 <= 1) {
      return bad(from.reference, "a variable of its environment has no name or no value");
    }
  }
  image.workdir = word(config, "WorkingDir");
  if (image.workdir.empty()) image.workdir = "/";
  if (image.workdir[0] != '/') return bad(from.reference, "its working directory is not absolute");
  const auto user = root.user(word(config, "User"));
  if (!user) return bad(from.reference, user.error().what, user.error().remedy);
  std::tie(image.uid, image.gid) = *user;
  return image;
}

std::string blob_path(const Digest& digest) { return std::string(kBlobs) + hex(digest); }

/// The name by which engines know an image that has a tag; empty when it has none.
std::string tag_of(std::string_view reference) {
  const auto name = reference.substr(0, reference.find('@'));
  return name.find(':', name.rfind('/') + 1) == std::string_view::npos ? std::string()
                                                                       : std::string(name);
}

/// index.json: what every reader of layouts starts from.
std::string index_of(const std::vector<ShelfImage>& images, const std::string& arch) {
  Node manifests{Node::List{}};
  for (const auto& image : images) {
    Node platform{Node::Map{}};
    platform.add("architecture", arch);
    platform.add("os", "linux");
    Node annotations{Node::Map{}};
    const auto tag = tag_of(image.reference);
    // containerd takes images by the long name, everything else by the other.
    annotations.add("io.containerd.image.name",
                    tag.empty() ? image.reference : long_reference(tag));
    annotations.add("org.opencontainers.image.ref.name", tag.empty() ? image.reference : tag);
    Node entry{Node::Map{}};
    entry.add("mediaType", image.manifest.media_type);
    entry.add("digest", "sha256:" + hex(image.manifest.digest));
    entry.add("size", static_cast<std::int64_t>(image.manifest.source.size()));
    entry.add("platform", std::move(platform));
    entry.add("annotations", std::move(annotations));
    manifests.push(std::move(entry));
  }
  Node index{Node::Map{}};
  index.add("schemaVersion", 2);
  index.add("mediaType", "application/vnd.oci.image.index.v1+json");
  index.add("manifests", std::move(manifests));
  return render::to_json(index);
}

/// manifest.json: what `docker load` reads.
std::string docker_of(const std::vector<ShelfImage>& images) {
  Node list{Node::List{}};
  for (const auto& image : images) {
    Node tags{Node::List{}};
    if (const auto tag = tag_of(image.reference); !tag.empty()) tags.push(tag);
    Node layers{Node::List{}};
    for (const auto& layer : image.layers) layers.push(blob_path(layer.digest));
    Node entry{Node::Map{}};
    entry.add("Config", blob_path(image.config.digest));
    entry.add("RepoTags", std::move(tags));
    entry.add("Layers", std::move(layers));
    list.push(std::move(entry));
  }
  return render::to_json(list);
}

}  // namespace

Result<Image> described(const ShelfImage& image, const std::string& arch) {
  if (image.layers.empty()) return bad(image.reference, "it has no layers");
  std::vector<LayerWork> works(image.layers.size());
  std::vector<const LayerWork*> layers;
  ImageRoot root;
  for (std::size_t i = 0; i < works.size(); ++i) {
    works[i].blob = &image.layers[i];
    works[i].image = image.reference;
    const auto done = read_layer(
        works[i], [](std::string_view) { return Result<void>(); },
        [](const ArchiveEntry&, std::string_view) {});
    if (!done) return tl::unexpected(done.error());
    root.add(works[i].facts);
    layers.push_back(&works[i]);
  }
  return configured(image, arch, layers, root);
}

Result<PackedImages> pack_images(const std::vector<ShelfImage>& given, const std::string& arch,
                                 unsigned threads, const std::vector<Digest>& left_out,
                                 Stage& stage, conformance::DisclosureScan& scan,
                                 Progress& progress) {
  auto images = given;
  std::ranges::sort(images, {}, &ShelfImage::reference);
  const std::set<Digest> left(left_out.begin(), left_out.end());

  std::map<Digest, LayerWork> layers;
  for (const auto& image : images) {
    if (image.layers.empty()) return bad(image.reference, "it has no layers");
    for (const auto& layer : image.layers) {
      layers.try_emplace(layer.digest, LayerWork{.blob = &layer, .image = image.reference});
    }
  }
  std::vector<LayerWork*> works;
  std::uint64_t bytes = 0;
  for (auto& [digest, work] : layers) {
    works.push_back(&work);
    bytes += work.blob->source.size();
  }
  // The longest first, so that nobody waits for it alone.
  std::ranges::stable_sort(works, std::greater<>(),
                           [](const LayerWork* work) { return work->blob->source.size(); });
  progress.begin("images", bytes);
  if (auto done = in_parallel(works.size(), threads,
                              [&](std::size_t i) {
                                return do_layer(*works[i], !left.contains(works[i]->blob->digest),
                                                stage, scan, progress);
                              });
      !done) {
    return tl::unexpected(done.error());
  }

  PackedImages packed;
  for (const auto& image : images) {
    ImageRoot root;
    std::vector<const LayerWork*> own;
    for (const auto& layer : image.layers) {
      own.push_back(&layers.at(layer.digest));
      root.add(own.back()->facts);
      packed.unpacked += own.back()->facts.unpacked();
    }
    auto described = configured(image, arch, own, root);
    if (!described) return tl::unexpected(described.error());
    packed.images.push_back(*std::move(described));
    packed.roots.push_back(std::move(root));
    std::vector<ImageBlob> documents = {image.manifest, image.config};
    if (image.index) documents.push_back(*image.index);
    for (const auto& document : documents) {
      const auto text = document.source.all(std::uint64_t{4} << 20U);
      if (!text) return tl::unexpected(text.error());
      scan.look("image " + image.reference, *text);
      if (left.contains(document.digest)) continue;
      if (const auto written = stage.blob(*text); !written) return tl::unexpected(written.error());
    }
  }
  for (const auto& [path, text] :
       {std::pair{"oci-layout", std::string("{\"imageLayoutVersion\": \"1.0.0\"}\n")},
        std::pair{"index.json", index_of(images, arch)},
        std::pair{"manifest.json", docker_of(images)}}) {
    if (auto done = stage.put(path, text); !done) return tl::unexpected(done.error());
  }
  return packed;
}

}  // namespace caisson::bundle
