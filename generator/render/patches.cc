#include "generator/render/patches.h"

#include <algorithm>
#include <span>

#include "base/suggestion.h"
#include "generator/render/file_format.h"
#include "generator/render/patch_shape.h"
#include "generator/render/place_hint.h"
#include "generator/render/read_tree.h"

namespace caisson::render {

namespace {

using plan::Patch;
using Segments = std::span<const std::string>;

std::string title(const Patch& patch) {
  return "patch " + patch.origin.pointer + " of " + patch.file + " at '" + patch.at + "'";
}

/// Where the spec has the value of a patch.
std::string value_of(const Patch& patch) {
  return patch.origin.pointer + (patch.action == Patch::Action::set ? "/set" : "/merge");
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

/// How a file of text is changed: by the blueprint that its lines are of, else by the spec alone.
std::string instead_of_a_patch(const Artifact& text) {
  for (const auto& origins : text.lines) {
    for (const auto& origin : origins) {
      if (origin.kind != Origin::Kind::blueprint) continue;
      return "replace its blueprint '" + origin.at.substr(0, origin.at.rfind(':')) +
             "' with --blueprints";
    }
  }
  return "it has no blueprint; change '" + text.owner + "' of the spec, which it is made from";
}

}  // namespace

Result<void> Patches::apply(std::string_view path, Node& tree, const Check& check) {
  if (std::ranges::find(patches_, path, &Patch::file) == patches_.end()) return {};
  auto plain = tree;
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    if (patches_[i].file != path) continue;
    used_[i] = true;
    Node patched = tree;
    const auto before = mistakes_.size();
    if (auto done = apply(patches_[i], patched, check); !done) return done;
    if (mistakes_.size() == before) tree = std::move(patched);
  }
  files_.push_back({.path = std::string(path), .before = std::move(plain), .after = tree});
  return {};
}

Result<void> Patches::apply(const Patch& patch, Node& tree, const Check& check) {
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
    return {};
  }
  const Node before = tree;
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
    const auto meant = places == 0 ? place_hint(before, patch.at) : std::string{};
    mistakes_.push_back(
        {.code = "E0307",
         .pointer = patch.origin.pointer + (places == 0 ? "/at" : "/expect"),
         .message = "'" + patch.at + "' is at " + std::to_string(places) +
                    (places == 1 ? " place" : " places") + " of '" + patch.file + "', not at " +
                    std::to_string(patch.expect),
         .remedy = !meant.empty() ? meant
                   : places == 0  ? "name a place that the file has"
                                  : "correct it, or say `expect: " + std::to_string(places) + "`"});
    return {};
  }
  if (check) return check(tree, patch, mistakes_);
  judge(patch, before, tree);
  return {};
}

void Patches::judge(const Patch& patch, const Node& before, const Node& after) {
  const bool removes = patch.action == Patch::Action::remove;
  // Elements behind a removed one move up: they are compared with others.
  if (!removes && !has_format(patch.file)) {
    if (const auto wrong = misfit(patch.file, before, after)) {
      mistakes_.push_back({.code = "E0307",
                           .pointer = value_of(patch),
                           .message = "'" + wrong->at + "' of '" + patch.file + "' is " +
                                      wrong->was + ", and the patch makes it " + wrong->is,
                           .remedy = "write " + wrong->was});
      return;
    }
  }
  const auto fault = format_fault(patch.file, after);
  if (!fault) return;
  // What a blueprint wrote is not the patch's mistake.
  const auto old = format_fault(patch.file, before);
  if (old && old->at == fault->at && old->what == fault->what) return;
  mistakes_.push_back({.code = "E0307",
                       .pointer = removes ? patch.origin.pointer + "/at" : value_of(patch),
                       .message = "'" + fault->at + "' of '" + patch.file + "' " + fault->what,
                       .remedy = fault->remedy});
}

void Patches::finish(std::string_view target, const Artifacts& artifacts) {
  std::vector<std::string_view> structured;
  for (const auto& artifact : artifacts) {
    if (artifact.tree != nullptr) structured.push_back(artifact.path);
  }
  for (std::size_t i = 0; i < patches_.size(); ++i) {
    const auto& patch = patches_[i];
    if (used_[i] || !patch.file.starts_with(std::string(target) + "/")) continue;
    const auto written = std::ranges::find(artifacts, patch.file, &Artifact::path);
    const bool text = written != artifacts.end();
    mistakes_.push_back(
        {.code = "E0303",
         .pointer = patch.origin.pointer + "/file",
         .message = text && written->tree != nullptr
                        ? "'" + patch.file + "' is the installer's, which reads it as it is"
                    : text ? "'" + patch.file + "' is text; only files with values can be patched"
                           : "no target writes '" + patch.file + "'",
         .remedy = text ? instead_of_a_patch(*written) : suggest(patch.file, structured)});
  }
}

}  // namespace caisson::render
