#include "generator/spec/field.h"

#include <algorithm>
#include <string>
#include <vector>

#include "generator/spec/field_paths.h"

namespace caisson::spec {
namespace {

Node scalar_node(std::string_view text) {
  return {.kind = Node::Kind::scalar, .text = std::string(text)};
}

bool read_unknown(Reader& reader, const Entry& entry, std::span<const Field> fields) {
  std::vector<std::string_view> known;
  for (const Field& field : fields) known.push_back(field.key);
  return reader.unknown_key(entry, known, places_of_key(entry.key));
}

bool read_absent(Reader& reader, const Node& map, const Field& field, void* object) {
  if (field.absent.kind == Absent::Kind::error) {
    return reader.partial() || reader.missing_key(map, field.key, field.doc);
  }
  if (field.absent.kind != Absent::Kind::literal || reader.partial()) return true;
  return field.read(reader, literal_node(field.absent.text), object);
}

}  // namespace

Node literal_node(std::string_view text) {
  const bool list = text.starts_with('[');
  if (!list && !text.starts_with('{')) return scalar_node(text);
  Node node{.kind = list ? Node::Kind::sequence : Node::Kind::map};
  std::string_view rest = text.substr(1, text.size() - 2);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(", "), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 2, rest.size()));
    if (list) {
      node.items.push_back(scalar_node(item));
      continue;
    }
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    const std::size_t colon = item.find(": ");
    node.fields.push_back(
        {.key = std::string(item.substr(0, colon)), .value = scalar_node(item.substr(colon + 2))});
  }
  return node;
}

bool read_fields(Reader& reader, const Node& node, std::span<const Field> fields, void* object) {
  bool good = true;
  for (const Entry& entry : node.fields) {
    const bool known = std::ranges::any_of(
        fields, [&entry](const Field& field) { return field.key == entry.key; });
    if (!known) good = read_unknown(reader, entry, fields);
  }
  for (const Field& field : fields) {
    const auto entry = std::ranges::find(node.fields, field.key, &Entry::key);
    // A key without a value says nothing; where it is required, that is the mistake.
    const bool written = entry != node.fields.end() && (entry->value.kind != Node::Kind::null ||
                                                        field.absent.kind == Absent::Kind::error);
    if (!written) {
      good &= read_absent(reader, node, field, object);
      continue;
    }
    if (reader.partial() && entry->value.kind == Node::Kind::null) {
      good &= reader.refuse("E0104", entry->value.span,
                            "'" + entry->key + "' is required" + reader.in_path(),
                            "an environment cannot remove it");
      continue;
    }
    const auto scope = reader.enter(*entry, &field);
    good &= field.read(reader, entry->value, object);
  }
  return good;
}

}  // namespace caisson::spec
