#include "editor/hover.h"

#include <algorithm>
#include <map>
#include <utility>

#include "editor/completion.h"
#include "editor/names.h"
#include "editor/shapes.h"

namespace caisson::editor {
namespace {

/// A value that reaches fifty pods is told by the first few.
constexpr std::size_t most_places = 4;

struct Address {
  std::string environment;
  std::string pointer;  ///< into the merged spec
};

/// Where a place of a part is in the merged spec.
Address address_of(const Project& project, std::uint32_t file, const std::string& pointer) {
  if (project.parts[file].kind == Part::Kind::tenants) return {{}, "/tenants" + pointer};
  constexpr std::string_view folder = "/environments/";
  if (!pointer.starts_with(folder)) return {{}, pointer};
  const std::size_t end = std::min(pointer.find('/', folder.size()), pointer.size());
  return {pointer.substr(folder.size(), end - folder.size()), pointer.substr(end)};
}

/// Text in a code span, whatever it holds.
std::string code(const std::string& text) {
  const bool ticks = text.find('`') != std::string::npos;
  return ticks ? "`` " + text + " ``" : '`' + text + '`';
}

std::string arrivals_text(const std::vector<Arrival>& arrivals) {
  std::map<std::string, std::vector<const Arrival*>> by_target;
  for (const Arrival& arrival : arrivals) by_target[arrival.target].push_back(&arrival);
  std::string text;
  for (const auto& [target, places] : by_target) {
    text += "- **" + target + "**\n";
    for (std::size_t i = 0; i < std::min(places.size(), most_places); ++i)
      text += "  - " + code(places[i]->value) + " in " + code(places[i]->place) + "\n";
    if (places.size() > most_places)
      text += "  - and " + std::to_string(places.size() - most_places) + " more\n";
  }
  return text;
}

std::string name_text(const Project& project, const std::vector<Use>& all, const Use& use) {
  const auto same = same_name(all, use);
  const auto declared = std::ranges::find_if(same, &Use::definition);
  std::string text = std::string(word_of(use.kind)) + ' ' + code(use.name);
  if (declared == same.end()) return text + ", not declared\n\n";
  const auto& source = project.sources[declared->place.file];
  const auto uses = std::ranges::count_if(same, [](const Use& each) { return !each.definition; });
  return text + ", declared at " + source.name() + ":" +
         std::to_string(source.line_at(declared->place.begin)) + ", used " + std::to_string(uses) +
         (uses == 1 ? " time\n\n" : " times\n\n");
}

}  // namespace

std::optional<Hover> hover(const Project& project, std::uint32_t file, std::uint32_t offset,
                           const Arrivals& arrivals) {
  const Part& part = project.parts[file];
  const auto found = spot_at(part.tree, Project::shape_of(part.kind), offset);
  if (!found) return std::nullopt;
  const Spot& spot = found->spot;
  const bool scalar = spot.node->kind == spec::Node::Kind::scalar;
  if (!found->on_key && !scalar) return std::nullopt;

  Hover result{.markdown = {}, .place = found->on_key ? spot.entry->key_span : spot.node->span};
  const auto uses = uses_of(project);
  if (const Use* use = use_at(uses, file, offset))
    result.markdown += name_text(project, uses, *use);
  if (spot.field != nullptr) {
    std::string path =
        part.kind == Part::Kind::tenants ? "tenants." + spot.field_path : spot.field_path;
    // What an environment says has the paths of the spec, and the whole of it none.
    if (path.empty()) path = "environments";
    result.markdown += "**" + path + "**: " + describe_field(*spot.field, path);
  }
  if (part.kind != Part::Kind::manifest) {
    const Address address = address_of(project, file, spot.pointer);
    auto found_there = arrivals(address.environment, address.pointer);
    // Of the row of a tenant, what is named after it.
    if (spot.field != nullptr && spot.field->key == "slug")
      std::erase_if(found_there, [&spot](const Arrival& each) {
        return each.value.find(spot.node->text) == std::string::npos &&
               each.place.find(spot.node->text) == std::string::npos;
      });
    const auto places = arrivals_text(found_there);
    if (!places.empty()) result.markdown += "\nbecomes\n\n" + places;
  }
  if (result.markdown.empty()) return std::nullopt;
  return result;
}

}  // namespace caisson::editor
