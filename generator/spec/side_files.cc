#include "generator/spec/side_files.h"

#include <algorithm>
#include <utility>

#include "generator/spec/manifest.h"
#include "generator/spec/reader.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tenant_file.h"

namespace caisson::spec {
namespace {

/// Whether it stays in the folder of the spec. If not, whoever decodes the node says so.
bool is_path(const Node& node) {
  source::Diagnostics unheard;
  Reader reader(unheard, false);
  std::string path;
  return path_type.read(reader, node, path);
}

}  // namespace

std::optional<std::uint32_t> SideFiles::open(const Node& path, source::Diagnostics& diagnostics) {
  if (const auto known = opened_.find(path.text); known != opened_.end()) return known->second;
  Reader reader(diagnostics, false);
  if (!options_.read_file) {
    reader.refuse("E0133", path.span, "cannot read " + quote(path.text),
                  "files beside the spec are not available here");
    return std::nullopt;
  }
  Result<std::string> text = options_.read_file(path.text);
  if (!text) {
    reader.refuse("E0133", path.span, text.error().what, text.error().remedy);
    return std::nullopt;
  }
  const auto number = static_cast<std::uint32_t>(sources_.size());
  sources_.emplace_back(path.text, *std::move(text));
  opened_.emplace(path.text, number);
  return number;
}

void SideFiles::read_tenant_list(Node& spec, source::Diagnostics& diagnostics) {
  const auto tenants = std::ranges::find(spec.fields, "tenants", &Entry::key);
  if (tenants == spec.fields.end() || tenants->value.fields.size() != 1) return;
  const Node* path = tenants->value.at("file");
  if (path == nullptr || !is_path(*path)) return;
  const Node empty{.kind = Node::Kind::sequence, .span = tenants->value.span};
  const auto file = open(*path, diagnostics);
  tenants->value =
      file ? read_tenant_file(sources_[*file], *file, diagnostics).value_or(empty) : empty;
}

void SideFiles::read_manifests(Deployment& deployment, const Node& document,
                               source::Diagnostics& diagnostics) {
  for (auto& [name, service] : deployment.services) {
    if (!service.module) continue;
    const auto file = open(nearest(document, "/services/" + name + "/module"), diagnostics);
    if (file) service.manifest = read_manifest(sources_[*file], *file, diagnostics);
  }
}

}  // namespace caisson::spec
