// JSON Schema 2020-12 of the language, from the field tables.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "generator/spec/json_text.h"
#include "generator/spec/json_value.h"
#include "generator/spec/spec.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

std::string figure(double value) {
  // Bounds are whole numbers, or a percentage with few digits.
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// What an overlay cannot hold.
constexpr std::array<std::string_view, 3> base_only{"answers", "caisson", "environments"};

// What stands for an answer in any value.
constexpr std::string_view placeholder = R"(\$\{answer:[a-z][a-z0-9-]*\})";

/// Maps are definitions by name. A partial spec has definitions of its own, in which nothing is
/// required and null takes a key away.
class SchemaWriter {
 public:
  std::string write() {
    json_.open('{');
    member("$schema", "https://json-schema.org/draft/2020-12/schema");
    member("title", "Caisson deployment spec, version 1");
    json_.key("$ref");
    json_.string(reference(deployment_type.shape, false));
    json_.key("$defs");
    json_.open('{');
    // A definition may ask for further ones while it is written.
    while (!wanted_.empty()) {
      const Wanted next = wanted_.back();
      wanted_.pop_back();
      json_.key(definition(*next.shape, next.partial));
      json_.open('{');
      next.shape->kind == Shape::Kind::object ? object(*next.shape, next.partial)
                                              : scalar(*next.shape);
      json_.close('}');
    }
    json_.key("Placeholder");
    json_.open('{');
    member("description", "stands for what a site answers");
    member("type", "string");
    member("pattern", placeholder);
    json_.close('}');
    json_.close('}');
    json_.close('}');
    return json_.finish();
  }

 private:
  struct Wanted {
    const Shape* shape = nullptr;
    bool partial = false;
  };

  static std::string definition(const Shape& shape, bool partial) {
    return std::string(shape.name) + (partial ? "Overlay" : "");
  }

  std::string reference(const Shape& shape, bool partial) {
    const std::string name = definition(shape, partial);
    if (seen_.emplace(name, &shape).second) wanted_.push_back({&shape, partial});
    return "#/$defs/" + name;
  }

  void member(std::string_view key, std::string_view text) {
    json_.key(key);
    json_.string(text);
  }

  void words(std::span<const std::string_view> words) {
    json_.open('[');
    for (const std::string_view word : words) json_.string(word);
    json_.close(']');
  }

  void scalar(const Shape& shape) {
    static constexpr std::string_view text[] = {"string", "number", "boolean"};
    member("description", shape.note);
    json_.key("type");
    if (shape.kind == Shape::Kind::plain)
      words(text);
    else if (shape.numeric)
      words(std::span(text).first<2>());
    else
      json_.string(text[0]);
    if (shape.pattern.empty()) return;
    member("pattern", "(?:" + std::string(shape.pattern) + ")|" + std::string(placeholder));
  }

  void bounds(const Shape& shape) {
    json_.key("minimum");
    json_.raw(figure(shape.min));
    json_.key("maximum");
    json_.raw(figure(shape.max));
  }

  // A value that is no text: nothing but an answer can stand for it.
  void single(const Shape& shape) {
    if (shape.kind == Shape::Kind::word) {
      json_.key("enum");
      return words(shape.words);
    }
    const auto* type = shape.kind == Shape::Kind::integer  ? "integer"
                       : shape.kind == Shape::Kind::number ? "number"
                                                           : "boolean";
    member("type", type);
    if (shape.kind != Shape::Kind::boolean) bounds(shape);
  }

  // The members of a schema of this shape, inside braces that the caller opened.
  void members(const Shape& shape, bool partial) {
    using Kind = Shape::Kind;
    switch (shape.kind) {
      case Kind::scalar:
      case Kind::plain:
        member("$ref", reference(shape, false));
        break;
      case Kind::word:
      case Kind::integer:
      case Kind::number:
      case Kind::boolean:
        json_.key("anyOf");
        json_.open('[');
        json_.open('{');
        single(shape);
        json_.close('}');
        json_.open('{');
        member("$ref", "#/$defs/Placeholder");
        json_.close('}');
        json_.close(']');
        break;
      case Kind::list:
        member("type", "array");
        json_.key("items");
        value(*shape.element, false, false);
        break;
      case Kind::map:
        member("type", "object");
        json_.key("propertyNames");
        value(*shape.key, false, false);
        json_.key("additionalProperties");
        value(*shape.element, partial, partial || shape.element->kind == Kind::object);
        break;
      case Kind::object:
        member("$ref", reference(shape, partial));
        break;
      case Kind::overlay:
        member("$ref", reference(deployment_type.shape, true));
        break;
      case Kind::choice:
        any_of(shape, partial, false);
        break;
      case Kind::any:
        break;
    }
  }

  // The alternatives of a shape, which is one itself when it is no choice, and null.
  void any_of(const Shape& shape, bool partial, bool nullable) {
    json_.key("anyOf");
    json_.open('[');
    if (shape.kind == Shape::Kind::choice) {
      for (const Shape* choice : shape.choices) value(*choice, partial, false);
    } else {
      value(shape, partial, false);
    }
    if (nullable) {
      json_.open('{');
      member("type", "null");
      json_.close('}');
    }
    json_.close(']');
  }

  void value(const Shape& shape, bool partial, bool nullable) {
    json_.open('{');
    nullable ? any_of(shape, partial, true) : members(shape, partial);
    json_.close('}');
  }

  void property(const Field& field, bool partial) {
    json_.key(field.key);
    const bool needed = field.absent.kind == Absent::Kind::error && !partial;
    json_.open('{');
    member("description", field.doc);
    if (field.absent.kind == Absent::Kind::literal) default_value(field);
    // A key without a value says nothing; "any" allows null already.
    const bool nullable = !needed && field.shape->kind != Shape::Kind::any;
    nullable ? any_of(*field.shape, partial, true) : members(*field.shape, partial);
    json_.close('}');
  }

  void default_value(const Field& field) {
    const auto kind = field.shape->kind;
    const bool bare = kind == Shape::Kind::integer || kind == Shape::Kind::number ||
                      kind == Shape::Kind::boolean || field.absent.text == "false";
    json_.key("default");
    bare ? json_.raw(field.absent.text) : node(literal_node(field.absent.text));
  }

  void node(const Node& value) {
    if (value.kind == Node::Kind::scalar) return json_.string(value.text);
    const bool list = value.kind == Node::Kind::sequence;
    json_.open(list ? '[' : '{');
    for (const Node& item : value.items) json_.string(item.text);
    for (const Entry& entry : value.fields) member(entry.key, entry.value.text);
    json_.close(list ? ']' : '}');
  }

  void object(const Shape& shape, bool partial) {
    member("type", "object");
    json_.key("additionalProperties");
    json_.raw("false");
    json_.key("properties");
    json_.open('{');
    const bool overlay = partial && &shape == &deployment_type.shape;
    for (const Field& field : shape.fields) {
      if (overlay && std::ranges::find(base_only, field.key) != base_only.end()) continue;
      property(field, partial);
    }
    json_.close('}');
    if (!partial) required_keys(shape);
  }

  void required_keys(const Shape& shape) {
    std::vector<std::string_view> needed;
    for (const Field& field : shape.fields) {
      if (field.absent.kind == Absent::Kind::error) needed.push_back(field.key);
    }
    if (!needed.empty()) {
      json_.key("required");
      words(needed);
    }
    if (shape.one_of.empty()) return;
    json_.key("oneOf");
    json_.open('[');
    for (const std::string_view key : shape.one_of) {
      json_.open('{');
      json_.key("required");
      words(std::array{key});
      json_.close('}');
    }
    json_.close(']');
  }

  JsonText json_;
  std::map<std::string, const Shape*> seen_;
  std::vector<Wanted> wanted_;
};

}  // namespace

std::string json_schema() { return SchemaWriter().write(); }

}  // namespace caisson::spec
