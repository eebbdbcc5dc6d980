#include "generator/render/node.h"

#include <algorithm>

namespace caisson::render {

namespace {

Origin::Kind kind_of(plan::Origin::Kind kind) {
  switch (kind) {
    case plan::Origin::Kind::spec:
      return Origin::Kind::spec;
    case plan::Origin::Kind::defaulted:
      return Origin::Kind::defaulted;
    case plan::Origin::Kind::derived:
      break;
  }
  return Origin::Kind::derived;
}

/// The index that a pointer's segment is, or one that no list has.
std::size_t list_index(std::string_view segment) {
  constexpr auto none = static_cast<std::size_t>(-1);
  if (segment.empty() || segment.size() > 9) return none;
  std::size_t index = 0;
  for (const char c : segment) {
    if (c < '0' || c > '9') return none;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

}  // namespace

Origin::Origin(const plan::Origin& origin) : kind(kind_of(origin.kind)), at(origin.pointer) {}

Node::Node(bool value, Origin origin) : value_(value), origin_(std::move(origin)) {}
Node::Node(int value, Origin origin) : value_(std::int64_t{value}), origin_(std::move(origin)) {}
Node::Node(std::int64_t value, Origin origin) : value_(value), origin_(std::move(origin)) {}
Node::Node(std::uint16_t value, Origin origin)
    : value_(std::int64_t{value}), origin_(std::move(origin)) {}
Node::Node(double value, Origin origin) : value_(value), origin_(std::move(origin)) {}
Node::Node(std::string value, Origin origin)
    : value_(std::move(value)), origin_(std::move(origin)) {}
Node::Node(std::string_view value, Origin origin)
    : value_(std::string(value)), origin_(std::move(origin)) {}
Node::Node(const char* value, Origin origin)
    : value_(std::string(value)), origin_(std::move(origin)) {}
Node::Node(List value, Origin origin) : value_(std::move(value)), origin_(std::move(origin)) {}
Node::Node(Map value, Origin origin) : value_(std::move(value)), origin_(std::move(origin)) {}

bool Node::empty() const {
  if (const auto* entries = map()) return entries->empty();
  if (const auto* elements = list()) return elements->empty();
  return is_null();
}

const Node* Node::find(std::string_view key) const {
  const auto* entries = map();
  if (entries == nullptr) return nullptr;
  const auto found = std::ranges::find(*entries, key, &Entry::first);
  return found == entries->end() ? nullptr : &found->second;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Node* Node::at(std::string_view pointer) const {
  const auto* node = this;
  for (const auto& segment : pointer_segments(pointer)) {
    node = node->child(segment);
    if (node == nullptr) return nullptr;
  }
  return node;
}

Node& Node::set(std::string key, Node value) {
  if (auto* entry = find(key)) return *entry = std::move(value);
  return add(std::move(key), std::move(value));
}

Node& Node::add(std::string key, Node value) {
  if (is_null()) value_ = Map{};
  return std::get<Map>(value_).emplace_back(std::move(key), std::move(value)).second;
}

Node& Node::push(Node value) {
  if (is_null()) value_ = List{};
  return std::get<List>(value_).emplace_back(std::move(value));
}

Node* Node::child(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).child(key));
}

const Node* Node::child(std::string_view key) const {
  const auto* elements = list();
  if (elements == nullptr) return find(key);
  const auto index = list_index(key);
  return index < elements->size() ? &(*elements)[index] : nullptr;
}

std::vector<std::string> Node::keys() const {
  std::vector<std::string> keys;
  if (const auto* entries = map()) {
    for (const auto& entry : *entries) keys.push_back(entry.first);
  } else if (const auto* elements = list()) {
    for (std::size_t i = 0; i < elements->size(); ++i) keys.push_back(std::to_string(i));
  }
  return keys;
}

bool Node::remove(std::string_view key) {
  if (auto* elements = std::get_if<List>(&value_)) {
    const auto index = list_index(key);
    if (index >= elements->size()) return false;
    elements->erase(elements->begin() + static_cast<std::ptrdiff_t>(index));
    return true;
  }
  auto* entries = std::get_if<Map>(&value_);
  return entries != nullptr &&
         std::erase_if(*entries, [&](const Entry& entry) { return entry.first == key; }) != 0;
}

void Node::merge(Node over) {
  auto* theirs = std::get_if<Map>(&over.value_);
  if (theirs == nullptr || map() == nullptr) {
    *this = std::move(over);
    return;
  }
  if (!over.comment_.empty()) comment_ = std::move(over.comment_);
  for (auto& [key, value] : *theirs) {
    if (auto* mine = find(key)) {
      mine->merge(std::move(value));
    } else {
      add(std::move(key), std::move(value));
    }
  }
}

Node& Node::remark(std::string comment) {
  comment_ = std::move(comment);
  return *this;
}

Origin origin_at(const Node& tree, std::string_view pointer) {
  auto origin = tree.origin();
  const auto* node = &tree;
  for (const auto& segment : pointer_segments(pointer)) {
    node = node->child(segment);
    if (node == nullptr) break;
    if (!node->origin().at.empty()) {
      origin = node->origin();
    } else if (origin.kind != Origin::Kind::blueprint) {
      origin.kind = Origin::Kind::derived;
    }
  }
  return origin;
}

std::string pointer_segment(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::vector<std::string> pointer_segments(std::string_view pointer) {
  std::vector<std::string> segments;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/' || segments.empty()) segments.emplace_back();
    if (c == '/') continue;
    const bool escaped = c == '~' && i + 1 < pointer.size();
    segments.back() += escaped ? (pointer[++i] == '0' ? '~' : '/') : c;
  }
  return segments;
}

}  // namespace caisson::render
