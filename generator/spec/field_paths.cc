#include "generator/spec/field_paths.h"

#include "base/suggestion.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr std::size_t places_worth_naming = 3;

void collect(const Shape& shape, const std::string& path, std::vector<FieldPath>& out) {
  switch (shape.kind) {
    case Shape::Kind::object:
      for (const Field& field : shape.fields) {
        std::string inner =
            path.empty() ? std::string(field.key) : path + "." + std::string(field.key);
        out.push_back({inner, &field});
        collect(*field.shape, inner, out);
      }
      break;
    case Shape::Kind::list:
      collect(*shape.element, path + "[]", out);
      break;
    case Shape::Kind::map:
      collect(*shape.element, path + ".<name>", out);
      break;
    case Shape::Kind::choice:
      for (const Shape* choice : shape.choices) collect(*choice, path, out);
      break;
    default:
      break;
  }
}

}  // namespace

const std::vector<FieldPath>& all_fields() {
  static const std::vector<FieldPath> fields = [] {
    std::vector<FieldPath> all;
    collect(deployment_type.shape, "", all);
    return all;
  }();
  return fields;
}

std::string places_of_key(std::string_view key) {
  std::vector<std::string_view> places;
  for (const FieldPath& field : all_fields()) {
    if (field.field->key != key) continue;
    const std::size_t dot = field.path.rfind('.');
    places.push_back(dot == std::string::npos ? "the top level"
                                              : std::string_view(field.path).substr(0, dot));
  }
  return places.size() > places_worth_naming ? "" : any_of(places);
}

}  // namespace caisson::spec
