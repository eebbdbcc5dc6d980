#include "generator/bundle/sbom.h"

#include <map>
#include <set>

#include "base/hex.h"
#include "generator/render/json.h"

namespace caisson::bundle {
namespace {

using render::Node;

Node hashes(const Digest& digest) {
  Node hash{Node::Map{}};
  hash.add("alg", "SHA-256");
  hash.add("content", hex(digest));
  Node list{Node::List{}};
  list.push(std::move(hash));
  return list;
}

/// Components and who is made of which. Every component stands once.
class Components {
 public:
  /// The reference of the part.
  std::string add(const Part& part) {
    const auto reference = part.purl.empty() ? part.name + "@" + part.version : part.purl;
    if (!known_.insert(reference).second) return reference;
    Node node{Node::Map{}};
    node.add("type", "library");
    node.add("bom-ref", reference);
    node.add("name", part.name);
    node.add("version", part.version);
    if (!part.licence.empty()) {
      Node licence{Node::Map{}};
      licence.add("name", part.licence);
      Node choice{Node::Map{}};
      choice.add("license", std::move(licence));
      Node list{Node::List{}};
      list.push(std::move(choice));
      node.add("licenses", std::move(list));
    }
    if (!part.purl.empty()) node.add("purl", part.purl);
    list_.push(std::move(node));
    return reference;
  }

  void add(std::string_view type, const std::string& reference, const std::string& name,
           const std::string& version, const Digest& digest, const std::set<std::string>& parts) {
    known_.insert(reference);
    Node node{Node::Map{}};
    node.add("type", type);
    node.add("bom-ref", reference);
    node.add("name", name);
    if (!version.empty()) node.add("version", version);
    node.add("hashes", hashes(digest));
    list_.push(std::move(node));
    depends_[reference] = parts;
  }

  Node take() { return std::move(list_); }

  [[nodiscard]] Node dependencies(const std::string& root) const {
    Node all{Node::List{}};
    const auto add = [&](const std::string& reference, const auto& on) {
      Node names{Node::List{}};
      for (const auto& name : on) names.push(name);
      Node node{Node::Map{}};
      node.add("ref", reference);
      node.add("dependsOn", std::move(names));
      all.push(std::move(node));
    };
    std::set<std::string> top;
    for (const auto& [reference, parts] : depends_) top.insert(reference);
    add(root, top);
    for (const auto& [reference, parts] : depends_) add(reference, parts);
    return all;
  }

 private:
  std::set<std::string> known_;
  Node list_{Node::List{}};
  std::map<std::string, std::set<std::string>> depends_;
};

/// The packages of an image, as far as its databases tell.
std::vector<Part> packages(const ImageRoot& root) {
  const auto text = [&](std::string_view path) {
    const auto* bytes = root.file(path);
    return bytes == nullptr ? std::string_view() : std::string_view(*bytes);
  };
  auto os = text("etc/os-release");
  if (os.empty()) os = text("usr/lib/os-release");
  std::vector<Part> all;
  const auto take = [&](std::vector<Part> parts) {
    for (auto& part : parts) all.push_back(std::move(part));
  };
  take(dpkg_parts(text("var/lib/dpkg/status"), os));
  for (const auto& [path, bytes] : root.below("var/lib/dpkg/status.d"))
    take(dpkg_parts(*bytes, os));
  take(apk_parts(text("lib/apk/db/installed"), os));
  take(apk_parts(text("usr/lib/apk/db/installed"), os));
  return all;
}

}  // namespace

std::string sbom(const Recipe& recipe, const std::vector<ProgramParts>& programs,
                 const PackedImages& images) {
  Components components;
  for (const auto& program : programs) {
    std::set<std::string> references;
    for (const auto& part : program.parts) references.insert(components.add(part));
    const bool own = program.name.starts_with("caisson");
    components.add("application", "program:" + program.name, program.name,
                   own ? CAISSON_VERSION : "", program.digest, references);
  }
  for (std::size_t i = 0; i < images.images.size(); ++i) {
    std::set<std::string> references;
    for (const auto& part : packages(images.roots[i])) references.insert(components.add(part));
    const auto& image = images.images[i];
    components.add("container", "image:" + image.reference, image.reference, "",
                   image.manifest.digest, references);
  }
  const auto root = "product:" + recipe.product + "@" + to_text(recipe.version);
  Node product{Node::Map{}};
  product.add("type", "application");
  product.add("bom-ref", root);
  product.add("name", recipe.product);
  product.add("version", to_text(recipe.version));
  Node tool{Node::Map{}};
  tool.add("type", "application");
  tool.add("name", "caisson");
  tool.add("version", CAISSON_VERSION);
  Node tool_list{Node::List{}};
  tool_list.push(std::move(tool));
  Node tools{Node::Map{}};
  tools.add("components", std::move(tool_list));
  Node metadata{Node::Map{}};
  metadata.add("tools", std::move(tools));
  metadata.add("component", std::move(product));
  auto dependencies = components.dependencies(root);
  Node bom{Node::Map{}};
  bom.add("bomFormat", "CycloneDX");
  bom.add("specVersion", "1.6");
  bom.add("version", 1);
  bom.add("metadata", std::move(metadata));
  bom.add("components", components.take());
  bom.add("dependencies", std::move(dependencies));
  return render::to_json(bom);
}

std::string licences(const Recipe& recipe, const std::vector<ProgramParts>& programs) {
  std::map<std::string, std::pair<const Part*, std::string>> parts;
  std::string silent;
  for (const auto& program : programs) {
    if (program.parts.empty()) silent += "    " + program.name + "\n";
    for (const auto& part : program.parts) {
      auto& entry = parts[part.name + " " + part.version];
      entry.first = &part;
      entry.second += (entry.second.empty() ? "" : ", ") + program.name;
    }
  }
  std::string text = "What is linked into the programs of " + recipe.product + " " +
                     to_text(recipe.version) +
                     ", and under which licences.\nThe packages in container images are listed in "
                     "sbom.cdx.json; their licences are in the images.\n";
  if (!silent.empty()) {
    text +=
        "\nThese programs do not say what they are made of; ask whoever built them:\n\n" + silent;
  }
  for (const auto& [name, entry] : parts) {
    text += "\n" + std::string(78, '=') + "\n" + name + ", in " + entry.second + "\n";
    if (!entry.first->licence.empty()) text += entry.first->licence + "\n";
    text += std::string(78, '=') + "\n" + entry.first->text;
    if (!text.ends_with('\n')) text += '\n';
  }
  return text;
}

}  // namespace caisson::bundle
