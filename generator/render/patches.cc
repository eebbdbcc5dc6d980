#include "generator/render/patches.h"

#include <algorithm>
#include <span>

#include "generator/render/place_hint.h"
#include "generator/render/read_tree.h"
#include "generator/spec/suggestion.h"

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
    if (segments.empty()) {
      mistakes_.push_back({.code = "E0307",
                           .pointer = patch.origin.pointer + "/at",
                           .message = "the patch names the whole file",
                           .remedy = "name a place in it, as /services"});
      continue;
    }
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
    if (places == patch.expect) continue;
    const auto meant = places == 0 ? place_hint(tree, patch.at) : std::string{};
    mistakes_.push_back(
        {.code = "E0307",
         .pointer = patch.origin.pointer + (places == 0 ? "/at" : "/expect"),
         .message = "'" + patch.at + "' is at " + std::to_string(places) +
                    (places == 1 ? " place" : " places") + " of '" + patch.file + "', not at " +
                    std::to_string(patch.expect),
         .remedy = !meant.empty() ? meant
                   : places == 0  ? "`caisson explain` shows what is there"
                                  : "correct it, or say `expect: " + std::to_string(places) + "`"});
  }
  return {};
}

void Patches::finish(std::string_view target, const Artifacts& artifacts) {
  std::vector<std::string_view> structured;
  for (const auto& artifact : artifacts) {
    if (artifact.tree != nullptr) structured.push_back(artifact.path);
  }
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    const auto& patch = patches_[i];
    if (used_[i] || !patch.file.starts_with(std::string(target) + "/")) continue;
    const bool text = std::ranges::find(artifacts, patch.file, &Artifact::path) != artifacts.end();
    mistakes_.push_back(
        {.code = "E0303",
         .pointer = patch.origin.pointer + "/file",
         .message = text ? "'" + patch.file + "' is text; only files with values can be patched"
                         : "no target writes '" + patch.file + "'",
         .remedy = text ? "replace its blueprint with --blueprints"
                        : spec::suggest(patch.file, structured)});
  }
}

}  // namespace caisson::render
