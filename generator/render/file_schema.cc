#include "generator/render/file_schema.h"

#include <map>
#include <string>

#include "file_schemas.h"
#include "generator/render/read_tree.h"

namespace caisson::render {

std::string_view file_schema_text(std::string_view name) {
  constexpr std::string_view folder = "schemas/";
  for (const auto& [path, bytes] : schemas::file_schemas())
    if (path.substr(folder.size()) == name) return bytes;
  return {};
}

const Node& file_schema(std::string_view name) {
  static std::map<std::string, Node, std::less<>> known;
  auto found = known.find(name);
  if (found == known.end()) {
    auto tree = read_tree(std::string(name), std::string(file_schema_text(name)),
                          [](std::size_t) { return Origin(own_version); });
    found = known.emplace(name, tree ? *std::move(tree) : Node(Node::Map{})).first;
  }
  return found->second;
}

}  // namespace caisson::render
