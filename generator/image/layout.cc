#include "generator/image/layout.h"

#include <map>
#include <set>
#include <utility>

#include "base/digest.h"
#include "generator/image/tar.h"
#include "generator/render/json.h"

namespace caisson::image {

namespace {

using render::Node;

std::string blob_path(const std::string& sha256) { return "blobs/sha256/" + sha256; }

Node descriptor(const char* type, const std::string& sha256, std::size_t size) {
  Node node{Node::Map{}};
  node.add("mediaType", type);
  node.add("digest", "sha256:" + sha256);
  node.add("size", static_cast<std::int64_t>(size));
  return node;
}

std::string manifest(const Image& image) {
  Node layers{Node::List{}};
  for (const auto& layer : image.layers) {
    layers.push(
        descriptor("application/vnd.oci.image.layer.v1.tar", layer.sha256, layer.bytes.size()));
  }
  Node node{Node::Map{}};
  node.add("schemaVersion", 2);
  node.add("mediaType", "application/vnd.oci.image.manifest.v1+json");
  node.add("config", descriptor("application/vnd.oci.image.config.v1+json",
                                sha256_hex(image.config), image.config.size()));
  node.add("layers", std::move(layers));
  return render::to_json(node);
}

/// An entry of index.json. Both annotations name the image: the first for every reader of layouts,
/// the second as containerd and what is built on it look images up.
Node index_entry(const Image& image, const std::string& manifest_bytes) {
  auto node = descriptor("application/vnd.oci.image.manifest.v1+json", sha256_hex(manifest_bytes),
                         manifest_bytes.size());
  Node platform{Node::Map{}};
  platform.add("architecture", image.architecture);
  platform.add("os", "linux");
  node.add("platform", std::move(platform));
  Node annotations{Node::Map{}};
  annotations.add("io.containerd.image.name", "docker.io/library/" + image.name);
  annotations.add("org.opencontainers.image.ref.name", image.name);
  node.add("annotations", std::move(annotations));
  return node;
}

Node docker_entry(const Image& image) {
  Node layers{Node::List{}};
  for (const auto& layer : image.layers) layers.push(blob_path(layer.sha256));
  Node node{Node::Map{}};
  node.add("Config", blob_path(sha256_hex(image.config)));
  node.add("RepoTags", Node::List{image.name});
  node.add("Layers", std::move(layers));
  return node;
}

}  // namespace

std::string manifest_digest(const Image& image) { return "sha256:" + sha256_hex(manifest(image)); }

std::vector<LayoutFile> to_layout(const std::vector<Image>& images) {
  std::map<std::string, std::string> files;
  Node manifests{Node::List{}};
  Node docker{Node::List{}};
  for (const auto& image : images) {
    auto bytes = manifest(image);
    manifests.push(index_entry(image, bytes));
    docker.push(docker_entry(image));
    files.emplace(blob_path(sha256_hex(bytes)), std::move(bytes));
    files.emplace(blob_path(sha256_hex(image.config)), image.config);
    for (const auto& layer : image.layers) files.emplace(blob_path(layer.sha256), layer.bytes);
  }
  Node index{Node::Map{}};
  index.add("schemaVersion", 2);
  index.add("mediaType", "application/vnd.oci.image.index.v1+json");
  index.add("manifests", std::move(manifests));
  files.emplace("index.json", render::to_json(index));
  files.emplace("manifest.json", render::to_json(docker));
  files.emplace("oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}\n");

  std::vector<LayoutFile> layout;
  layout.reserve(files.size());
  for (auto& [path, bytes] : files) layout.push_back({path, std::move(bytes)});
  return layout;
}

std::string to_archive(const std::vector<LayoutFile>& layout, std::int64_t seconds) {
  std::vector<TarEntry> entries;
  std::set<std::string> directories;
  for (const auto& file : layout) {
    for (auto at = file.path.find('/'); at != file.path.npos; at = file.path.find('/', at + 1)) {
      const auto directory = file.path.substr(0, at);
      if (!directories.insert(directory).second) continue;
      entries.push_back({.path = directory, .mode = 0755, .directory = true});
    }
    entries.push_back({.path = file.path, .bytes = file.bytes});
  }
  return to_tar(entries, seconds);
}

}  // namespace caisson::image
