#include "generator/render/patches.h"

#include <span>

#include "generator/render/read_tree.h"

namespace caisson::render {

namespace {

using plan::Patch;
using Segments = std::span<const std::string>;

std::string title(const Patch& patch) {
  return "patch " + patch.origin.pointer + " of " + patch.file + " at '" + patch.at + "'";
}

/// Calls `act(parent, key)` for every place that `path` leads to from `node`; a segment `*` leads
/// to every entry. The last segment is not followed: `act` says whether it is there.
template <class Act>
std::int64_t each_place(Node& node, Segments path, const Act& act) {
  std::int64_t places = 0;
  const auto visit = [&](const std::string& key) {
    if (path.size() == 1) {
      places += act(node, key) ? 1 : 0;
    } else if (auto* child = node.child(key)) {
      places += each_place(*child, path.subspan(1), act);
    }
  };
  if (path.front() != "*") {
    visit(path.front());
    return places;
  }
  for (const auto& key : node.keys()) visit(key);
  return places;
}

}  // namespace

Result<void> Patches::apply(std::string_view path, Node& tree) {
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    const auto& patch = patches_[i];
    if (patch.file != path) continue;
    used_[i] = true;
    Node value;
    if (patch.action != Patch::Action::remove) {
      auto read = read_tree("the value of " + title(patch), patch.value,
                            [&](std::size_t) { return Origin(patch.origin); });
      if (!read) return tl::unexpected(read.error());
      value = std::move(*read);
    }
    const auto segments = pointer_segments(patch.at);
    if (segments.empty()) return fail(title(patch) + " names the whole file", "name a place in it");
    const auto places = each_place(tree, segments, [&](Node& parent, const std::string& key) {
      auto* present = parent.child(key);
      switch (patch.action) {
        case Patch::Action::remove:
          return parent.remove(key);
        case Patch::Action::merge:
          if (present != nullptr) present->merge(value);
          return present != nullptr;
        case Patch::Action::set:
          break;
      }
      if (present != nullptr) {
        *present = value;
      } else if (parent.map() != nullptr) {
        parent.add(key, value);
      } else {
        return false;
      }
      return true;
    });
    if (places != patch.expect) {
      return fail(title(patch) + " matches " + std::to_string(places) + " places, not " +
                      std::to_string(patch.expect),
                  "correct the pointer, or say `expect: " + std::to_string(places) + "`");
    }
  }
  return {};
}

Result<void> Patches::finish(std::string_view target) const {
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    const auto& patch = patches_[i];
    if (used_[i] || !patch.file.starts_with(std::string(target) + "/")) continue;
    return fail(title(patch) + " is for a file that is not written, or is not YAML or JSON");
  }
  return {};
}

}  // namespace caisson::render
