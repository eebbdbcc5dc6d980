#include "editor/project.h"

#include <algorithm>
#include <set>
#include <utility>

#include "editor/outline.h"
#include "editor/shapes.h"
#include "generator/spec/manifest.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"
#include "generator/spec/tenant_file.h"

namespace caisson::editor {
namespace {

using spec::Node;

constexpr auto tenant_list_type = spec::list_of<spec::tenant_type>;

struct Named {
  Part::Kind kind;
  std::string path;
};

/// The files that a spec names and that `spec::load` reads.
std::vector<Named> files_of(const Node& spec) {
  std::vector<Named> files;
  std::set<std::string> known;
  source::Diagnostics unheard;
  spec::Reader reader(unheard, false);
  walk(spec, spec::deployment_type.shape, [&](const Spot& spot) {
    const bool tenants = spot.field_path == "tenants.file";
    if (!tenants && spot.field_path != "services.*.module") return;
    std::string path;
    if (!spec::path_type.read(reader, *spot.node, path) || !known.insert(path).second) return;
    files.push_back({tenants ? Part::Kind::tenants : Part::Kind::manifest, std::move(path)});
  });
  return files;
}

Part part_of(Part::Kind kind, std::optional<Node> tree, const source::SourceFile& source,
             std::uint32_t file, const source::Diagnostics& found) {
  const bool exact = tree.has_value() && !found.has_errors();
  return {
      .kind = kind, .tree = tree ? *std::move(tree) : outline(source.text(), file), .exact = exact};
}

}  // namespace

const spec::Shape& Project::shape_of(Part::Kind kind) {
  switch (kind) {
    case Part::Kind::tenants:
      return tenant_list_type.shape;
    case Part::Kind::manifest:
      return spec::manifest_type.shape;
    default:
      return spec::deployment_type.shape;
  }
}

Part read_part(Part::Kind kind, const source::SourceFile& source, std::uint32_t file) {
  source::Diagnostics found;
  if (kind != Part::Kind::tenants) {
    return part_of(kind, spec::read_document(source, file, found), source, file, found);
  }
  // What no row can be made of is no YAML either.
  auto rows = spec::read_tenant_file(source, file, found);
  const bool exact = rows.has_value() && !found.has_errors();
  return {
      .kind = kind,
      .tree = rows ? *std::move(rows) : Node{.kind = Node::Kind::sequence, .span = {file, 0, 0}},
      .exact = exact};
}

Project read_project(const std::string& name, std::string_view text, DocumentReader& reader,
                     const ReadFile& read_file) {
  Project project;
  project.sources.emplace_back(name, std::string(text));
  source::Diagnostics found;
  auto tree = reader.read(project.sources[0], 0, found);
  project.parts.push_back(part_of(Part::Kind::spec, std::move(tree), project.sources[0], 0, found));
  for (const Named& named : files_of(project.parts[0].tree)) {
    auto bytes = read_file(named.path);
    if (!bytes) continue;
    const auto file = static_cast<std::uint32_t>(project.sources.size());
    project.sources.emplace_back(named.path, *std::move(bytes));
    project.parts.push_back(read_part(named.kind, project.sources.back(), file));
  }
  return project;
}

}  // namespace caisson::editor
