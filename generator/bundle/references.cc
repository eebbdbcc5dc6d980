#include "generator/bundle/references.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "generator/render/compose_service.h"
#include "generator/render/systemd_layout.h"

namespace caisson::bundle {
namespace {

using render::Node;

/// Every text under a key `image`, and below a map `images`.
void collect(const Node& node, bool named, std::set<std::string>& found) {
  if (const auto* map = node.map()) {
    for (const auto& [key, value] : *map) {
      const auto* text = value.text();
      if (text != nullptr && (key == "image" || named) && !text->empty()) {
        found.insert(render::substituted(*text));
      } else {
        collect(value, key == "images", found);
      }
    }
  } else if (const auto* list = node.list()) {
    for (const auto& value : *list) collect(value, false, found);
  }
}

}  // namespace

std::vector<std::string> image_references(const render::Artifacts& artifacts,
                                          const plan::Plan& plan,
                                          const std::vector<std::string>& forms) {
  std::set<std::string> found;
  for (const auto& artifact : artifacts) {
    if (!artifact.tree) continue;
    const std::string_view path = artifact.path;
    const bool project = path == "compose/compose.yaml";
    // The schema of the values is beside them, and tells of images in its own way.
    const bool values = path.starts_with("helm/") &&
                        path.find("/values") != std::string_view::npos && path.ends_with(".yaml");
    if (project || values) collect(*artifact.tree, false, found);
  }
  if (std::ranges::find(forms, "systemd") != forms.end()) {
    // The installer unpacks them; nothing else there comes from an image.
    const render::SystemdLayout layout(plan);
    for (const auto& instance : plan.instances) {
      if (render::SystemdLayout::is_image(instance)) found.insert(layout.image(instance));
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace caisson::bundle
