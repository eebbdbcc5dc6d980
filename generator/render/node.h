#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "generator/plan/origin.h"

namespace caisson::render {

/// Where a node of an artifact came from: a field of the spec (written, defaulted or derived from),
/// or a line of a blueprint.
struct Origin {
  enum class Kind : std::uint8_t { spec, defaulted, derived, blueprint };
  Kind kind = Kind::derived;
  std::string
      at;  ///< pointer into the merged spec, or "compose/service.yaml:12"; empty: Caisson itself

  Origin() = default;
  Origin(Kind origin_kind, std::string origin_at) : kind(origin_kind), at(std::move(origin_at)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): every origin of the plan is an origin of an
  // artifact
  Origin(const plan::Origin& origin);

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Of what comes from this version of Caisson itself: the spec's `caisson: v1` asks for it.
inline const Origin own_version{Origin::Kind::derived, "/caisson"};

/// A structured document on its way to YAML or JSON. Maps keep the order in which keys were added;
/// every node remembers its origin.
class Node {
 public:
  using List = std::vector<Node>;
  using Entry = std::pair<std::string, Node>;
  using Map = std::vector<Entry>;
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map>;

  Node() = default;
  // NOLINTBEGIN(google-explicit-constructor): trees are written as nested values
  Node(bool value, Origin origin = {});
  Node(int value, Origin origin = {});
  Node(std::int64_t value, Origin origin = {});
  Node(std::uint16_t value, Origin origin = {});
  Node(double value, Origin origin = {});
  Node(std::string value, Origin origin = {});
  Node(std::string_view value, Origin origin = {});
  Node(const char* value, Origin origin = {});
  Node(List value, Origin origin = {});
  Node(Map value, Origin origin = {});
  template <class T>
  Node(const plan::Traced<T>& traced) : Node(traced.value, traced.origin) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] const Origin& origin() const { return origin_; }
  [[nodiscard]] const std::string& comment() const { return comment_; }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] const Map* map() const { return std::get_if<Map>(&value_); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&value_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  /// No elements, no entries, or null.
  [[nodiscard]] bool empty() const;

  /// The entry `key` of a map; null when there is none.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  /// The node at an RFC 6901 pointer; null when there is none.
  [[nodiscard]] const Node* at(std::string_view pointer) const;

  /// Adds or replaces the entry `key` and returns it. A null node becomes a map.
  Node& set(std::string key, Node value);
  /// Adds an entry known to be new: constant time. A null node becomes a map.
  Node& add(std::string key, Node value);
  /// Appends to a list. A null node becomes a list.
  Node& push(Node value);
  /// The entry of a map, or the element of a list whose index `key` is; null when there is none.
  [[nodiscard]] Node* child(std::string_view key);
  [[nodiscard]] const Node* child(std::string_view key) const;
  /// The keys of a map, or the indexes of a list.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// Removes a child; false when there is none.
  bool remove(std::string_view key);

  /// Maps merge key by key; everything else is replaced by `over`.
  void merge(Node over);

  /// One line for the reader, written above the node where the format has comments.
  Node& remark(std::string comment);

  /// Equal values; origins and comments do not count.
  friend bool operator==(const Node& left, const Node& right) {
    return left.value_ == right.value_;
  }

 private:
  Value value_;
  Origin origin_;
  std::string comment_;
};

/// Where the node at `pointer` came from. A node without an origin of its own was derived from what
/// the nearest node around it came from; nothing is made up for one that has none around it either.
[[nodiscard]] Origin origin_at(const Node& tree, std::string_view pointer);

/// One segment of an RFC 6901 pointer, with `~` and `/` escaped.
[[nodiscard]] std::string pointer_segment(std::string_view text);
/// The segments of an RFC 6901 pointer, unescaped.
[[nodiscard]] std::vector<std::string> pointer_segments(std::string_view pointer);

}  // namespace caisson::render
