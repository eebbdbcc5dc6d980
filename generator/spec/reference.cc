// The field reference and the list of codes in Markdown, from the tables that decode and report.

#include "generator/spec/reference.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/suggestion.h"
#include "generator/source/codes.h"
#include "generator/spec/manifest.h"
#include "generator/spec/spec.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr std::string_view introduction = R"(# The fields of a deployment spec

One YAML document; unknown keys are errors. A key without a value says nothing. This file is written
from the tables that read specs: `caisson explain FIELD` shows the same, `caisson schema` prints them
as JSON Schema.

`${answer:NAME}` in a value stands for what each site answers to a question that `answers` declares, as
if it were written there: alone, or inside of other text. A bundle leaves it to the site; everywhere else
`--answers FILE` or the default counts.

)";

constexpr std::string_view manifests = R"(# Module manifests

A YAML or JSON file beside the spec that a service names under `module`.

)";

// A cell of a table holds no line break and no bare '|'.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) { return '`' + std::string(text) + '`'; }

std::string figure(double value) {
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

void collect_scalars(const Shape& shape, std::map<std::string_view, const Shape*>& scalars) {
  if (shape.kind == Shape::Kind::scalar || shape.kind == Shape::Kind::plain)
    scalars.emplace(shape.name, &shape);
  if (shape.key != nullptr) collect_scalars(*shape.key, scalars);
  if (shape.element != nullptr) collect_scalars(*shape.element, scalars);
  for (const Field& field : shape.fields) collect_scalars(*field.shape, scalars);
  for (const Shape* choice : shape.choices) collect_scalars(*choice, scalars);
}

void write_section(const Shape& shape, const std::string& path, std::string& out);

// The maps below a field, each in a section of its own.
void write_inner(const Shape& shape, const std::string& path, std::string& out) {
  switch (shape.kind) {
    case Shape::Kind::object:
      write_section(shape, path, out);
      break;
    case Shape::Kind::list:
      write_inner(*shape.element, path + "[]", out);
      break;
    case Shape::Kind::map:
      write_inner(*shape.element, path + ".<name>", out);
      break;
    case Shape::Kind::choice:
      for (const Shape* choice : shape.choices) write_inner(*choice, path, out);
      break;
    default:
      break;
  }
}

void write_section(const Shape& shape, const std::string& path, std::string& out) {
  if (shape.fields.empty()) return;
  if (!path.empty()) out += "## " + code(path) + "\n\n";
  if (!shape.one_of.empty()) out += "Exactly one of " + any_of(shape.one_of) + ".\n\n";
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const Field& field : shape.fields) {
    out += "| " + code(field.key) + " | " + cell(type_text(*field.shape)) + " | " +
           cell(default_text(field)) + " | " + cell(field.doc) + " |\n";
  }
  out += '\n';
  for (const Field& field : shape.fields) {
    write_inner(*field.shape,
                path.empty() ? std::string(field.key) : path + '.' + std::string(field.key), out);
  }
}

}  // namespace

std::string type_text(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::word: {
      std::string text;
      for (const std::string_view word : shape.words)
        text += (text.empty() ? "" : ", ") + code(word);
      return text;
    }
    case Shape::Kind::integer:
    case Shape::Kind::number:
      return std::string(shape.name) + ' ' + figure(shape.min) + " to " + figure(shape.max);
    case Shape::Kind::list:
      return "list of " + type_text(*shape.element);
    case Shape::Kind::map:
      return "map of " + type_text(*shape.key) + " to " + type_text(*shape.element);
    case Shape::Kind::object:
      return "map";
    case Shape::Kind::choice: {
      std::string text;
      for (const Shape* choice : shape.choices)
        text += (text.empty() ? "" : ", or ") + type_text(*choice);
      return text;
    }
    default:
      return std::string(shape.name);
  }
}

std::string default_text(const Field& field) {
  switch (field.absent.kind) {
    case Absent::Kind::error:
      return "required";
    case Absent::Kind::nothing:
      return "none";
    case Absent::Kind::literal:
      return code(field.absent.text);
    case Absent::Kind::computed:
      return std::string(field.absent.text);
  }
  return {};
}

std::string reference() {
  std::string out(introduction);
  out += "## Values\n\n| type | how it is written |\n|---|---|\n";
  std::map<std::string_view, const Shape*> scalars;
  collect_scalars(deployment_type.shape, scalars);
  collect_scalars(manifest_type.shape, scalars);
  for (const auto& [name, shape] : scalars)
    out += "| " + std::string(name) + " | " + cell(shape->note) + " |\n";
  out += "\n## The top level\n\n";
  write_section(deployment_type.shape, "", out);
  out += manifests;
  write_section(manifest_type.shape, "", out);
  out.pop_back();
  return out;
}

std::string codes_reference() {
  std::string out = "# The codes of diagnostics\n\n`caisson explain CODE` shows the same.\n";
  for (const source::Code& entry : source::codes()) {
    out += "\n## " + std::string(entry.code) + ": " + std::string(entry.title) + "\n\n" +
           std::string(entry.explanation) + '\n';
  }
  return out;
}

}  // namespace caisson::spec
