#include "editor/shapes.h"

#include <algorithm>

#include "generator/render/node.h"
#include "generator/spec/tables.h"

namespace caisson::editor {
namespace {

using spec::Entry;
using spec::Field;
using spec::Node;
using spec::Shape;

bool fits(const Shape& shape, const Node& node) {
  switch (node.kind) {
    case Node::Kind::map:
      return shape.kind == Shape::Kind::object || shape.kind == Shape::Kind::map;
    case Node::Kind::sequence:
      return shape.kind == Shape::Kind::list;
    default:
      return shape.kind != Shape::Kind::object && shape.kind != Shape::Kind::map &&
             shape.kind != Shape::Kind::list;
  }
}

const Field* field_of(const Shape* shape, std::string_view key) {
  if (shape == nullptr || shape->kind != Shape::Kind::object) return nullptr;
  const auto found = std::ranges::find(shape->fields, key, &Field::key);
  return found == shape->fields.end() ? nullptr : &*found;
}

/// The same place one step further in.
Spot step(const Spot& from, const Entry& entry) {
  Spot spot{.node = &entry.value,
            .entry = &entry,
            .around = from.node,
            .around_shape = from.shape,
            .pointer = from.pointer + '/' + render::pointer_segment(entry.key),
            .field_path = from.field_path + (from.field_path.empty() ? "" : ".")};
  if (const Field* field = field_of(from.shape, entry.key)) {
    spot.field = field;
    spot.shape = field->shape;
    spot.field_path += entry.key;
  } else {
    const bool named = from.shape != nullptr && from.shape->kind == Shape::Kind::map;
    spot.field = named ? from.field : nullptr;
    spot.shape = named ? from.shape->element : nullptr;
    spot.field_path += "*";
  }
  // What an environment says is said about the spec.
  if (spot.shape != nullptr && spot.shape->kind == Shape::Kind::overlay) spot.field_path.clear();
  spot.shape = shape_for(spot.shape, *spot.node);
  return spot;
}

Spot step(const Spot& from, std::size_t index) {
  const bool list = from.shape != nullptr && from.shape->kind == Shape::Kind::list;
  const Node& item = from.node->items[index];
  return {.node = &item,
          .shape = shape_for(list ? from.shape->element : nullptr, item),
          .field = list ? from.field : nullptr,
          .around = from.node,
          .around_shape = from.shape,
          .pointer = from.pointer + '/' + std::to_string(index),
          .field_path = from.field_path};
}

void walk(const Spot& spot, const Visit& visit) {
  visit(spot);
  for (const Entry& entry : spot.node->fields) walk(step(spot, entry), visit);
  for (std::size_t i = 0; i < spot.node->items.size(); ++i) walk(step(spot, i), visit);
}

bool holds(source::Span span, std::uint32_t offset) {
  return span.begin <= offset && offset <= span.end;
}

/// Whether anything below stands there; keys of a map may lie outside of its own span.
bool reaches(const Node& node, std::uint32_t offset) {
  if (holds(node.span, offset)) return true;
  return std::ranges::any_of(node.fields,
                             [offset](const Entry& entry) {
                               return holds(entry.key_span, offset) || reaches(entry.value, offset);
                             }) ||
         std::ranges::any_of(node.items,
                             [offset](const Node& item) { return reaches(item, offset); });
}

std::optional<Found> search(const Spot& from, std::uint32_t offset) {
  for (const Entry& entry : from.node->fields) {
    const bool key = holds(entry.key_span, offset);
    if (!key && !reaches(entry.value, offset)) continue;
    const Spot spot = step(from, entry);
    // A key without a value has the value's place.
    if (key && (entry.value.span == entry.key_span || !holds(entry.value.span, offset)))
      return Found{.spot = spot, .on_key = true};
    return search(spot, offset);
  }
  for (std::size_t i = 0; i < from.node->items.size(); ++i) {
    if (reaches(from.node->items[i], offset)) return search(step(from, i), offset);
  }
  return Found{.spot = from};
}

}  // namespace

const Shape* shape_for(const Shape* shape, const Node& node) {
  if (shape == nullptr) return nullptr;
  if (shape->kind == Shape::Kind::overlay) return &spec::deployment_type.shape;
  if (shape->kind != Shape::Kind::choice) return shape;
  const auto found = std::ranges::find_if(
      shape->choices, [&node](const Shape* choice) { return fits(*choice, node); });
  return found == shape->choices.end() ? shape : shape_for(*found, node);
}

const Shape* map_shape(const Shape* shape) {
  if (shape == nullptr) return nullptr;
  if (shape->kind == Shape::Kind::overlay) return &spec::deployment_type.shape;
  if (shape->kind == Shape::Kind::object || shape->kind == Shape::Kind::map) return shape;
  for (const Shape* choice : shape->choices) {
    if (const Shape* map = map_shape(choice)) return map;
  }
  return nullptr;
}

void walk(const Node& document, const Shape& shape, const Visit& visit) {
  walk(Spot{.node = &document, .shape = shape_for(&shape, document)}, visit);
}

std::optional<Found> spot_at(const Node& document, const Shape& shape, std::uint32_t offset) {
  return search(Spot{.node = &document, .shape = shape_for(&shape, document)}, offset);
}

}  // namespace caisson::editor
