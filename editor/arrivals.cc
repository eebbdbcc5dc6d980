#include "editor/arrivals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "generator/plan/planner.h"
#include "generator/render/blueprints.h"
#include "generator/render/json.h"
#include "generator/render/render.h"

namespace caisson::editor {
namespace {

constexpr std::size_t longest_value = 120;
constexpr std::size_t most_arrivals = 200;

std::string cut(std::string text) {
  if (text.size() <= longest_value) return text;
  std::size_t end = longest_value;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

using Index = std::map<std::string, std::vector<Arrival>>;

void add(Index& index, const std::string& pointer, const render::Artifact& artifact,
         const std::string& place, std::string value) {
  auto& arrivals = index[pointer];
  if (arrivals.size() == most_arrivals) return;
  arrivals.push_back({.target = artifact.path.substr(0, artifact.path.find('/')),
                      .place = artifact.path + ':' + place,
                      .value = cut(std::move(value))});
}

/// Values whose origin is written, defaulted or derived from a field; those of blueprints are not
/// the spec's.
bool is_of_spec(const render::Origin& origin) {
  return origin.kind != render::Origin::Kind::blueprint && origin.at.starts_with('/') &&
         origin != render::own_version;
}

void collect(const render::Node& node, const std::string& place, const render::Artifact& artifact,
             Index& index) {
  if (node.map() != nullptr) {
    for (const auto& [key, value] : *node.map())
      collect(value, place + '/' + render::pointer_segment(key), artifact, index);
  } else if (node.list() != nullptr) {
    for (std::size_t i = 0; i < node.list()->size(); ++i)
      collect((*node.list())[i], place + '/' + std::to_string(i), artifact, index);
  } else if (is_of_spec(node.origin())) {
    add(index, node.origin().at, artifact, place, render::to_json_line(node));
  }
}

/// Of a line of JSON the entry that the value of the spec is in, as far as it has the keys that
/// lead there; any other line as a whole.
std::string entry_in(const std::string& line, const std::string& pointer) {
  if (!line.starts_with('{')) return line;
  std::size_t begin = std::string::npos;
  for (const auto& segment : render::pointer_segments(pointer)) {
    const auto next = line.find('"' + segment, begin == std::string::npos ? 0 : begin + 1);
    if (next != std::string::npos) begin = next;
  }
  if (begin == std::string::npos) return line;
  std::size_t depth = 0;
  bool quoted = false;
  std::size_t end = begin;
  for (; end < line.size(); ++end) {
    const char c = line[end];
    if (quoted) {
      if (c == '\\') ++end;
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    if (c == '{' || c == '[') ++depth;
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
    if (c == '}' || c == ']') --depth;
  }
  while (end > begin && line[end - 1] == ' ') --end;
  return line.substr(begin, end - begin);
}

void collect_lines(const render::Artifact& artifact, Index& index) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < artifact.lines.size(); ++i) {
    const std::size_t end = std::min(artifact.bytes.find('\n', begin), artifact.bytes.size());
    for (const render::Origin& origin : artifact.lines[i]) {
      if (!is_of_spec(origin)) continue;
      const auto line = artifact.bytes.substr(begin, end - begin);
      const auto first = line.find_first_not_of(" \t");
      if (first != std::string::npos)
        add(index, origin.at, artifact, std::to_string(i + 1),
            entry_in(line.substr(first), origin.at));
    }
    begin = end + 1;
  }
}

}  // namespace

ArrivalIndex ArrivalIndex::of(const spec::Loaded& loaded) {
  ArrivalIndex index;
  std::vector<render::Mistake> mistakes;
  const auto artifacts =
      render::render(plan::plan(loaded), render::Blueprints(), render::TargetSet::all(), mistakes);
  if (!artifacts || !mistakes.empty()) return index;
  for (const render::Artifact& artifact : *artifacts) {
    if (artifact.tree != nullptr) {
      collect(*artifact.tree, "", artifact, index.by_pointer_);
    } else {
      collect_lines(artifact, index.by_pointer_);
    }
  }
  return index;
}

std::vector<std::string> refused_patches(const spec::Loaded& loaded) {
  std::vector<render::Mistake> mistakes;
  static_cast<void>(
      render::render(plan::plan(loaded), render::Blueprints(), render::TargetSet::all(), mistakes));
  std::vector<std::string> messages;
  for (const render::Mistake& mistake : mistakes)
    if (mistake.pointer.starts_with("/patches/")) messages.push_back(mistake.message);
  return messages;
}

std::vector<Arrival> ArrivalIndex::at(const std::string& pointer) const {
  if (pointer.empty()) return {};
  std::vector<Arrival> found;
  for (auto entry = by_pointer_.lower_bound(pointer); entry != by_pointer_.end(); ++entry) {
    const auto& [at, arrivals] = *entry;
    if (!at.starts_with(pointer)) break;
    const bool inside = at.size() == pointer.size() || at[pointer.size()] == '/';
    if (inside) found.insert(found.end(), arrivals.begin(), arrivals.end());
    if (found.size() >= most_arrivals) break;
  }
  if (!found.empty()) return found;
  // What is named after a tenant comes from its row, and a word of a list from the list.
  const auto segments = render::pointer_segments(pointer);
  const bool is_slug = segments.size() == 3 && segments[0] == "tenants" && segments[2] == "slug";
  const bool is_item =
      segments.size() > 2 && segments.back().find_first_not_of("0123456789") == std::string::npos;
  const auto around = by_pointer_.find(pointer.substr(0, pointer.rfind('/')));
  return (is_slug || is_item) && around != by_pointer_.end() ? around->second : found;
}

}  // namespace caisson::editor
