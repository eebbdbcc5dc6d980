// What to write instead of a value of another kind, by what the tables say of the place.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/field.h"

namespace caisson::spec {
namespace {

constexpr std::string_view unknown = "...";

bool is_known(std::string_view example) { return example.find(unknown) == std::string_view::npos; }

bool is_required(const Field& field) { return field.absent.kind == Absent::Kind::error; }

bool is_one_of(const Shape& shape, std::string_view key) {
  return std::ranges::find(shape.one_of, key) != shape.one_of.end();
}

/// "a date as 2027-01-31; ..." shows how it is written.
std::string example_in(std::string_view note) {
  constexpr std::string_view shown = " as ";
  const std::size_t at = note.find(shown);
  if (at == std::string_view::npos) return std::string(unknown);
  const auto example = note.substr(at + shown.size());
  return std::string(example.substr(0, example.find_first_of(";,")));
}

bool is_switch(const Shape& shape) {
  return shape.kind == Shape::Kind::boolean ||
         (shape.kind == Shape::Kind::choice && is_switch(*shape.choices.front()));
}

/// A map with what it needs, else with the first key of which a value is known. `off`: for somebody
/// who wants nothing of it.
std::string example_of_map(const Shape& shape, bool off = false) {
  std::string inner;
  const auto show = [&inner, off](const Field& field) {
    const bool is_on = is_switch(*field.shape) && field.absent.kind == Absent::Kind::literal;
    inner += (inner.empty() ? " " : ", ") + std::string(field.key) + ": " +
             (is_on && off ? "false" : example_of(field));
  };
  const Field* one = nullptr;
  for (const Field& field : shape.fields) {
    if (is_required(field)) {
      show(field);
    } else if (shape.one_of.empty() || is_one_of(shape, field.key)) {
      if (one == nullptr || (!is_known(example_of(*one)) && is_known(example_of(field))))
        one = &field;
    }
  }
  if (one != nullptr && (inner.empty() || !shape.one_of.empty())) show(*one);
  return inner.empty() ? "{}" : "{" + inner + " }";
}

std::string example_of_shape(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::scalar:
      return example_in(shape.note);
    case Shape::Kind::word:
      return std::string(shape.words.front());
    case Shape::Kind::integer:
    case Shape::Kind::number:
      return std::to_string(static_cast<std::int64_t>(shape.min));
    case Shape::Kind::boolean:
      return "true";
    case Shape::Kind::list:
      return "[" + example_of_shape(*shape.element) + "]";
    case Shape::Kind::object:
      return example_of_map(shape);
    case Shape::Kind::choice:
      return example_of_shape(*shape.choices.front());
    case Shape::Kind::map:
    case Shape::Kind::overlay:
    case Shape::Kind::plain:
    case Shape::Kind::any:
      break;
  }
  return std::string(unknown);
}

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A bare word or number: many keys take it, and it says of none that it is meant.
bool says_little(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

/// Whether a bare word that it takes is one of the language's, or a quantity, and no mere name.
bool takes_no_names(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::word:
    case Shape::Kind::integer:
    case Shape::Kind::number:
      return true;
    case Shape::Kind::scalar:
      return shape.pattern.starts_with("^\\d");
    case Shape::Kind::list:
      return takes_no_names(*shape.element);
    case Shape::Kind::choice:
      return std::ranges::any_of(shape.choices,
                                 [](const Shape* choice) { return takes_no_names(*choice); });
    default:
      return false;
  }
}

/// "write { key: value }", with what the map needs besides. Empty where only people know that.
std::string write_map(const Reader& reader, const Shape& shape, std::string_view key,
                      const std::string& value) {
  if (!shape.one_of.empty() && !is_one_of(shape, key)) return {};
  std::string inner;
  for (const Field& field : shape.fields) {
    const bool given = field.key == key;
    if (!given && (reader.partial() || !is_required(field))) continue;
    const std::string text = given ? value : example_of(field);
    if (!given && !is_known(text)) return {};
    inner += (inner.empty() ? " " : ", ") + std::string(field.key) + ": " + text;
  }
  return "write {" + inner + " }";
}

/// How a single value is written that is to be the field's; empty when it cannot be. `inside`: as a
/// map or a list that it stands for.
std::string as_value(const Reader& reader, const Node& node, const Field& field, void* object,
                     bool inside) {
  source::Diagnostics told;
  Reader probe(told, reader.partial());
  if (field.read(probe, node, object)) return inside ? std::string() : as_item(node);
  const auto& shape = *field.shape;
  if (!inside || (shape.kind != Shape::Kind::list && shape.kind != Shape::Kind::choice &&
                  shape.kind != Shape::Kind::object)) {
    return {};
  }
  if (shape.kind == Shape::Kind::list) {
    const bool text = shape.element->kind == Shape::Kind::scalar && shape.element->pattern.empty();
    if (text || (says_little(node.text) && !takes_no_names(shape))) return {};
  }
  constexpr std::string_view write = "write ";
  const auto said = told.sorted();
  const std::string remedy = said.empty() ? std::string() : said.front().remedy;
  const bool map_or_list = remedy.starts_with("write {") || remedy.starts_with("write [");
  return map_or_list ? remedy.substr(write.size()) : std::string();
}

/// The map that says nothing in its own word, as `proxy: none` does.
std::string as_word_for_nothing(const Reader& reader, const Shape& shape) {
  std::string out;
  for (const Field& field : shape.fields) {
    if (is_required(field) || is_one_of(shape, field.key)) return {};
    std::vector<std::string_view> words(field.shape->words.begin(), field.shape->words.end());
    for (const Shape* choice : field.shape->choices)
      words.insert(words.end(), choice->words.begin(), choice->words.end());
    const auto word = std::ranges::find_if(words, says_nothing);
    if (word == words.end()) continue;
    if (!out.empty()) return {};
    out = write_map(reader, shape, field.key, std::string(*word));
  }
  return out;
}

/// What a map takes, for a value that stands for none of its keys.
std::string keys_of(const Reader& reader, const Node& node, const Shape& shape) {
  constexpr std::size_t worth_naming = 8;
  const bool many = shape.fields.size() > worth_naming;
  if (many && reader.path().empty()) return {};
  if (shape.fields.empty()) return "it has no keys: write {}";
  std::string leave;
  if (const Field* field = reader.field(); field != nullptr && node.kind == Node::Kind::scalar) {
    const bool optional = field->absent.kind == Absent::Kind::nothing;
    if (says_nothing(node.text) && optional)
      leave = reader.partial() ? "write null, which takes it away; or " : "leave it out, or ";
    if (says_all(node.text) && !optional && !is_required(*field)) leave = "leave it out, or ";
  }
  const std::string example = example_of_map(shape, says_nothing(node.text));
  if (many) {
    return leave + "write its keys, as " + example + "; 'caisson explain " + reader.path() +
           "' has all";
  }
  std::vector<std::string_view> keys;
  for (const Field& field : shape.fields) keys.push_back(field.key);
  return leave + "use " + any_of(keys) + ", as " + example;
}

}  // namespace

std::string example_of(const Field& field) {
  if (field.key == "command") return "[/app/serve, --all]";
  const auto text = field.absent.text;
  // "`files` with a `cert`, else `internal`": what needs nothing more comes last.
  for (const std::string_view word : field.shape->words)
    if (text.ends_with("`" + std::string(word) + "`")) return std::string(word);
  if (field.absent.kind != Absent::Kind::literal || text == "{}" || text == "[]")
    return example_of_shape(*field.shape);
  return text.starts_with('{') || text.starts_with('[')
             ? std::string(text)
             : as_item({.kind = Node::Kind::scalar, .text = std::string(text)});
}

std::string as_map(const Reader& reader, const Node& node, const Shape& shape, void* probe) {
  constexpr std::size_t longest = 160;
  const std::string& text = node.text;
  if (node.kind != Node::Kind::scalar || text.size() > longest || says_all(text)) return {};
  if (says_nothing(text)) return as_word_for_nothing(reader, shape);
  const auto named = std::ranges::find(shape.fields, text, &Field::key);
  if (named != shape.fields.end()) {
    const std::string example = is_switch(*named->shape) ? "true" : example_of(*named);
    return is_known(example) || example.starts_with('{')
               ? write_map(reader, shape, named->key, example)
               : std::string();
  }
  const auto needed_keys = std::ranges::count_if(shape.fields, is_required);
  const bool needs_one = needed_keys + (shape.one_of.empty() ? 0 : 1) == 1;
  const bool number = is_number(text);
  std::vector<std::pair<const Field*, std::string>> taking;
  const auto collect = [&](bool of_needed, bool inside) {
    for (const Field& field : shape.fields) {
      const bool needed = is_required(field) || is_one_of(shape, field.key);
      const bool name = says_little(text) && !takes_no_names(*field.shape);
      if (needed != of_needed || (inside ? number : name && (number || !needed || !needs_one)))
        continue;
      if (auto value = as_value(reader, node, field, probe, inside); !value.empty())
        taking.emplace_back(&field, std::move(value));
    }
  };
  collect(true, false);
  if (taking.empty()) collect(true, true);
  if (taking.empty()) {
    collect(false, false);
    collect(false, true);
  }
  if (taking.size() == 1)
    return write_map(reader, shape, taking.front().first->key, taking.front().second);
  const auto command = std::ranges::find(shape.fields, "command", &Field::key);
  const bool runs =
      command != shape.fields.end() && (is_required(*command) || is_one_of(shape, command->key));
  // A bare word may be the path of a health check as well.
  return runs && taking.empty() && !number && (is_required(*command) || !says_little(text))
             ? write_map(reader, shape, "command", as_command(text))
             : std::string();
}

std::string remedy_as_name(const Reader& reader, const Node& node, bool is_name,
                           const Shape& element) {
  if (node.kind != Node::Kind::scalar || says_all(node.text)) return {};
  if (says_nothing(node.text)) return reader.partial() ? "" : "leave it out, or write {}";
  if (!is_name || (node.text.front() >= '0' && node.text.front() <= '9')) return {};
  return "write { " + as_item(node) + ": " +
         (element.kind == Shape::Kind::overlay ? "{}" : example_of_shape(element)) + " }";
}

std::string remedy_of_word(const Reader& reader, const Node& node, const Shape& item, bool fits) {
  if (node.kind != Node::Kind::scalar || item.kind == Shape::Kind::word) return {};
  // As `false` is a program.
  const bool text = item.kind == Shape::Kind::scalar && item.pattern.empty();
  if (says_all(node.text) && fits && !text) return "nothing stands for all: write each in a list";
  if (!says_nothing(node.text)) return {};
  const Field* field = reader.field();
  const bool must = reader.partial() || field == nullptr || is_required(*field);
  return (must ? "write [" : "leave it out, or write [") + (text ? as_item(node) : "") + "]";
}

std::string remedy_in_list(const source::Diagnostics& told) {
  constexpr std::string_view map = "write {";
  const auto said = told.sorted();
  if (said.empty() || said.front().remedy.empty()) return {};
  const auto& remedy = said.front().remedy;
  if (remedy.starts_with(map)) return "write [" + remedy.substr(map.size() - 1) + "]";
  constexpr std::string_view example = ", as {";
  const auto at = remedy.find(example);
  if (at == std::string::npos) return "write a list; " + remedy;
  return "write a list; " + remedy.substr(0, at) + ", as [" +
         remedy.substr(at + example.size() - 1) + "]";
}

bool refuse_as_map(Reader& reader, const Node& node, const Shape& shape, void* probe) {
  auto remedy = as_map(reader, node, shape, probe);
  if (remedy.empty()) remedy = keys_of(reader, node, shape);
  return reader.wrong_kind(node, "a map", std::move(remedy));
}

}  // namespace caisson::spec
