#include "generator/render/place_hint.h"

#include <vector>

#include "generator/spec/suggestion.h"

namespace caisson::render {

std::string place_hint(const Node& tree, std::string_view pointer) {
  const auto* node = &tree;
  std::string way;
  for (const auto& segment : pointer_segments(pointer)) {
    const auto* next = node->child(segment);
    if (next == nullptr) {
      const auto keys = node->keys();
      if (keys.empty()) return "'" + way + "' is a value with nothing in it";
      const std::vector<std::string_view> there(keys.begin(), keys.end());
      const auto meant = spec::closest(segment, there);
      return meant.empty() ? "" : "did you mean '" + way + "/" + pointer_segment(meant) + "'?";
    }
    node = next;
    way += "/" + pointer_segment(segment);
  }
  return "";
}

}  // namespace caisson::render
