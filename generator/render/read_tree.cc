#include "generator/render/read_tree.h"

#include <charconv>
#include <optional>
#include <utility>

#include "generator/spec/document.h"

namespace caisson::render {

namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// Plain scalars as YAML 1.2 reads them: booleans, null and decimal numbers; all else is text.
Node scalar(const spec::Node& node, Origin origin) {
  const auto& text = node.text;
  if (node.quoted) return {text, std::move(origin)};
  if (text == "true" || text == "false") return {text == "true", std::move(origin)};
  if (const auto integer = number<std::int64_t>(text)) return {*integer, std::move(origin)};
  if (const auto real = number<double>(text); real && text.find('.') != std::string::npos) {
    return {*real, std::move(origin)};
  }
  return {text, std::move(origin)};
}

Node convert(const spec::Node& node, const source::SourceFile& file,
             const std::function<Origin(std::size_t line)>& origin_of) {
  auto origin = origin_of(file.line_at(node.span.begin));
  switch (node.kind) {
    case spec::Node::Kind::null:
      break;
    case spec::Node::Kind::scalar:
      return scalar(node, std::move(origin));
    case spec::Node::Kind::sequence: {
      Node list{Node::List{}, std::move(origin)};
      for (const auto& item : node.items) list.push(convert(item, file, origin_of));
      return list;
    }
    case spec::Node::Kind::map: {
      Node map{Node::Map{}, std::move(origin)};
      for (const auto& field : node.fields)
        map.add(field.key, convert(field.value, file, origin_of));
      return map;
    }
  }
  return {};
}

}  // namespace

Result<Node> read_tree(std::string name, std::string text,
                       const std::function<Origin(std::size_t line)>& origin) {
  const source::SourceFile file{std::move(name), std::move(text)};
  source::Diagnostics diagnostics;
  const auto document = spec::read_document(file, 0, diagnostics);
  if (document && !diagnostics.has_errors()) return convert(*document, file, origin);
  const auto found = diagnostics.sorted();
  if (found.empty()) return fail(file.name() + " is not a YAML document");
  const auto line = file.line_at(found.front().where.begin);
  return fail(file.name() + ":" + std::to_string(line) + ": " + found.front().message);
}

}  // namespace caisson::render
