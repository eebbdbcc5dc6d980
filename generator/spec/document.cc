#include "generator/spec/document.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace caisson::spec {

const Node* Node::at(std::string_view key) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [key](const Entry& entry) { return entry.key == key; });
  return found == fields.end() ? nullptr : &found->value;
}

namespace {

/// Takes the first segment off a pointer that starts with '/', with ~1 and ~0 resolved (RFC 6901,
/// 4).
std::string take_segment(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const auto raw = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(raw.size());
  std::string segment;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool escaped = raw[i] == '~' && i + 1 < raw.size();
    segment += escaped ? (raw[i + 1] == '1' ? '/' : '~') : raw[i];
    i += escaped ? 1 : 0;
  }
  return segment;
}

const Node* child(const Node& node, std::string_view segment) {
  if (node.kind == Node::Kind::map) return node.at(segment);
  std::size_t index = 0;
  const char* const begin = segment.data();
  const char* const end = begin + segment.size();
  const auto [rest, error] = std::from_chars(begin, end, index);
  if (error != std::errc() || rest != end || index >= node.items.size()) return nullptr;
  return &node.items[index];
}

}  // namespace

const Node& nearest(const Node& root, std::string_view pointer) {
  const Node* node = &root;
  while (pointer.starts_with('/')) {
    const Node* next = child(*node, take_segment(pointer));
    if (next == nullptr) break;
    node = next;
  }
  return *node;
}

const Node* find(const Node& root, std::string_view pointer) {
  const Node* node = &root;
  while (node != nullptr && pointer.starts_with('/')) node = child(*node, take_segment(pointer));
  return node;
}

Node merge(Node base, const Node& overlay) {
  if (base.kind != Node::Kind::map || overlay.kind != Node::Kind::map) return overlay;
  for (const auto& entry : overlay.fields) {
    const auto found = std::find_if(base.fields.begin(), base.fields.end(),
                                    [&](const Entry& field) { return field.key == entry.key; });
    const bool remove = entry.value.kind == Node::Kind::null;
    if (found == base.fields.end()) {
      // A null below a key that the base does not have removes nothing and must not stay either.
      Node empty{.kind = Node::Kind::map, .span = entry.value.span};
      const bool map = entry.value.kind == Node::Kind::map;
      if (!remove) {
        base.fields.push_back({.key = entry.key,
                               .key_span = entry.key_span,
                               .value = map ? merge(std::move(empty), entry.value) : entry.value});
      }
    } else if (remove) {
      base.fields.erase(found);
    } else {
      found->key_span = entry.key_span;
      found->value = merge(std::move(found->value), entry.value);
    }
  }
  return base;
}

}  // namespace caisson::spec
