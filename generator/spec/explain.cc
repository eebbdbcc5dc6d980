// What a field means, for `caisson explain` and completion.

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/field_paths.h"
#include "generator/spec/reference.h"
#include "generator/spec/spec.h"

namespace caisson::spec {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t dot = path.find('.');
    out.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    path.remove_prefix(dot + 1);
  }
}

std::string_view without_index(std::string_view segment) {
  return segment.substr(0, segment.find('['));
}

/// Whether a path as people write it ("services.billing.env", "tenants[0].slug", "/runtime/drain")
/// means this field.
bool means(const std::vector<std::string_view>& asked, const FieldPath& field) {
  auto wanted = segments(field.path);
  // An entry of a map is explained by the map.
  if (field.field->shape->kind == Shape::Kind::map && asked.size() == wanted.size() + 1) {
    wanted.emplace_back("<name>");
  }
  return std::ranges::equal(asked, wanted, [](std::string_view a, std::string_view b) {
    return b == "<name>" || without_index(a) == without_index(b);
  });
}

/// The field whose section was asked for and whose last key comes closest; empty when none does.
std::string nearest_sibling(const std::vector<std::string_view>& asked,
                            std::span<const FieldPath> fields) {
  if (asked.size() < 2) return {};
  std::vector<const FieldPath*> siblings;
  std::vector<std::string_view> keys;
  for (const FieldPath& field : fields) {
    const auto wanted = segments(field.path);
    if (wanted.size() != asked.size()) continue;
    const bool same = std::equal(asked.begin(), asked.end() - 1, wanted.begin(),
                                 [](std::string_view a, std::string_view b) {
                                   return b == "<name>" || without_index(a) == without_index(b);
                                 });
    if (!same) continue;
    siblings.push_back(&field);
    keys.push_back(field.field->key);
  }
  const auto best = closest(asked.back(), keys);
  const auto at = std::ranges::find(keys, best);
  return best.empty() ? std::string() : siblings[static_cast<std::size_t>(at - keys.begin())]->path;
}

std::string with_dots(std::string_view path) {
  std::string out(path.starts_with('/') ? path.substr(1) : path);
  if (path.starts_with('/')) std::ranges::replace(out, '/', '.');
  return out;
}

/// Whether something else than a map with fields may stand there.
bool holds_value(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::object:
      return shape.fields.empty();
    case Shape::Kind::list:
    case Shape::Kind::map:
      return holds_value(*shape.element);
    case Shape::Kind::choice:
      return std::ranges::any_of(shape.choices, [](const Shape* s) { return holds_value(*s); });
    default:
      return true;
  }
}

const Shape* object_of(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::object:
      return &shape;
    case Shape::Kind::list:
    case Shape::Kind::map:
      return object_of(*shape.element);
    case Shape::Kind::choice:
      for (const Shape* choice : shape.choices) {
        if (const Shape* object = object_of(*choice)) return object;
      }
      return nullptr;
    default:
      return nullptr;
  }
}

const Shape* scalar_of(const Shape& shape) {
  return shape.element != nullptr ? scalar_of(*shape.element) : &shape;
}

std::string without_quotes(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string explain(const FieldPath& found) {
  const Field& field = *found.field;
  std::string out = found.path + ": " + without_quotes(std::string(field.doc)) + "\n\n";
  const std::string_view note = scalar_of(*field.shape)->note;
  out += "  type     " + without_quotes(type_text(*field.shape)) +
         (note.empty() ? "" : ": " + std::string(note)) + '\n';
  out += "  default  " + without_quotes(default_text(field)) + '\n';
  const Shape* object = object_of(*field.shape);
  if (object == nullptr) return out;
  if (!object->one_of.empty()) out += "  has      exactly one of " + any_of(object->one_of) + '\n';
  std::size_t width = 0;
  for (const Field& inner : object->fields) width = std::max(width, inner.key.size());
  if (!object->fields.empty()) out += "\n  keys\n";
  for (const Field& inner : object->fields) {
    out += "    " + std::string(inner.key) + std::string(width + 2 - inner.key.size(), ' ') +
           without_quotes(std::string(inner.doc)) + '\n';
  }
  return out;
}

}  // namespace

Result<std::string> explain_field(std::string_view path) {
  const std::string dotted = with_dots(path);
  const auto asked = segments(dotted);
  const auto& fields = all_fields();
  const auto found = std::ranges::find_if(
      fields, [&asked](const FieldPath& field) { return means(asked, field); });
  if (found != fields.end()) return explain(*found);

  // A last key that is wrong in a section that is right; else the last key alone may be enough;
  // else the nearest path.
  if (const auto sibling = nearest_sibling(asked, fields); !sibling.empty())
    return fail("there is no field '" + std::string(path) + "'", "did you mean " + sibling + "?");
  std::vector<std::string_view> candidates;
  for (const FieldPath& field : fields) {
    if (field.field->key == asked.back()) candidates.push_back(field.path);
  }
  constexpr std::size_t worth_listing = 8;
  std::string remedy;
  if (!candidates.empty() && candidates.size() <= worth_listing) {
    remedy = "did you mean " + any_of(candidates) + "?";
  } else {
    candidates.clear();
    for (const FieldPath& field : fields) candidates.push_back(field.path);
    const std::string_view nearest = closest(dotted, candidates);
    remedy = nearest.empty() ? "'caisson explain' without an argument lists the fields"
                             : "did you mean " + std::string(nearest) + "?";
  }
  return fail("there is no field '" + std::string(path) + "'", std::move(remedy));
}

std::vector<std::string> field_paths() {
  std::set<std::string> paths;
  for (const FieldPath& field : all_fields()) paths.insert(field.path);
  return {paths.begin(), paths.end()};
}

std::vector<std::string> value_fields() {
  std::set<std::string> fields;
  for (const FieldPath& field : all_fields()) {
    if (!holds_value(*field.field->shape)) continue;
    // "<name>" stands for any key; a list's "[]" is part of its field.
    std::string path;
    for (std::size_t i = 0; i < field.path.size(); ++i) {
      if (field.path[i] == '<') {
        path += '*';
        i = field.path.find('>', i);
      } else if (field.path.compare(i, 2, "[]") == 0) {
        ++i;
      } else {
        path += field.path[i];
      }
    }
    fields.insert(std::move(path));
  }
  return {fields.begin(), fields.end()};
}

}  // namespace caisson::spec
