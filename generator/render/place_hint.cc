#include "generator/render/place_hint.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/suggestion.h"

namespace caisson::render {

std::string place_hint(const Node& tree, std::string_view pointer) {
  const auto* node = &tree;
  std::string way;
  for (auto segment : pointer_segments(pointer)) {
    // What `*` stands for is told of the first.
    if (segment == "*" && !node->keys().empty()) segment = node->keys().front();
    const auto* next = node->child(segment);
    if (next == nullptr) {
      const auto keys = node->keys();
      if (keys.empty()) return "'" + way + "' is a value with nothing in it";
      const std::vector<std::string_view> there(keys.begin(), keys.end());
      const auto meant = closest(segment, there);
      if (!meant.empty()) return "did you mean '" + way + "/" + pointer_segment(meant) + "'?";
      constexpr std::size_t most_named = 8;
      auto names = way.empty() ? std::string("at the top there is ") : "in '" + way + "' there is ";
      for (std::size_t i = 0; i < std::min(keys.size(), most_named); ++i)
        names += (i == 0 ? "" : ", ") + keys[i];
      if (keys.size() > most_named)
        names += " and " + std::to_string(keys.size() - most_named) + " more";
      return names;
    }
    node = next;
    way += "/" + pointer_segment(segment);
  }
  return "";
}

}  // namespace caisson::render
