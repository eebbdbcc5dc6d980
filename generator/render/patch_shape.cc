#include "generator/render/patch_shape.h"

#include <cstddef>
#include <string>

#include "generator/render/unit_value.h"

namespace caisson::render {
namespace {

std::string_view name_of(const Node& node) {
  if (node.map() != nullptr) return "a map";
  return node.list() != nullptr ? "a list" : "a single value";
}

/// Whether a directive of a unit file, which may stand once or several times; commands are lists of
/// words.
bool is_free(bool unit, std::size_t depth, std::string_view key, const Node& before) {
  return unit && depth == 2 && before.map() == nullptr && !is_command(key);
}

std::optional<Misfit> compare(bool unit, const Node& before, const Node& after,
                              const std::string& at, std::size_t depth) {
  if (before.is_null() || after.is_null()) return std::nullopt;
  const auto was = name_of(before);
  const auto is = name_of(after);
  if (was != is) return Misfit{.at = at, .was = std::string(was), .is = std::string(is)};
  for (const auto& key : after.keys()) {
    const auto* there = before.child(key);
    // More elements than there were are like those that there were.
    if (const auto* list = before.list(); there == nullptr && list != nullptr && !list->empty())
      there = &list->back();
    if (there == nullptr || is_free(unit, depth + 1, key, *there)) continue;
    auto found =
        compare(unit, *there, *after.child(key), at + "/" + pointer_segment(key), depth + 1);
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> misfit(std::string_view path, const Node& before, const Node& after) {
  return compare(path.starts_with("systemd/") && !path.ends_with(".json"), before, after, "", 0);
}

}  // namespace caisson::render
