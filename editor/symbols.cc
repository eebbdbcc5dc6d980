#include "editor/symbols.h"

#include <algorithm>
#include <map>
#include <optional>

#include "editor/text.h"

namespace caisson::editor {
namespace {

using spec::Entry;
using spec::Node;

/// Below this an outline repeats the file.
constexpr int deepest = 3;

source::Span joined(source::Span a, source::Span b) {
  return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

Symbol::Kind kind_under(std::string_view section) {
  if (section == "tiers") return Symbol::Kind::tier;
  if (section == "services") return Symbol::Kind::service;
  if (section == "secrets") return Symbol::Kind::secret;
  if (section == "environments") return Symbol::Kind::environment;
  return Symbol::Kind::field;
}

std::string detail_of(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.text;
  if (node.kind == Node::Kind::sequence) {
    const auto count = node.items.size();
    return std::to_string(count) + (count == 1 ? " item" : " items");
  }
  return {};
}

std::vector<Symbol> children_of(const Node& node, std::string_view section, int depth);

Symbol symbol_of(const Entry& entry, Symbol::Kind kind, std::string_view section, int depth) {
  Symbol symbol{.kind = kind,
                .name = entry.key.empty() ? "?" : entry.key,
                .detail = detail_of(entry.value),
                .whole = joined(entry.key_span, entry.value.span),
                .name_place = entry.key_span,
                .children = children_of(entry.value, section, depth + 1)};
  for (const Symbol& child : symbol.children) symbol.whole = joined(symbol.whole, child.whole);
  return symbol;
}

/// A tenant is called by its slug.
std::optional<Symbol> tenant_of(const Node& item) {
  const auto slug = std::ranges::find(item.fields, "slug", &Entry::key);
  if (slug == item.fields.end() || slug->value.text.empty()) return std::nullopt;
  const Node* tier = item.at("tier");
  return Symbol{.kind = Symbol::Kind::tenant,
                .name = slug->value.text,
                .detail = tier == nullptr ? std::string() : tier->text,
                .whole = joined(item.span, slug->value.span),
                .name_place = slug->value.span,
                .children = {}};
}

std::vector<Symbol> children_of(const Node& node, std::string_view section, int depth) {
  std::vector<Symbol> symbols;
  if (depth > deepest) return symbols;
  for (const Entry& entry : node.fields) {
    const auto kind = depth == 1 ? kind_under(section) : Symbol::Kind::field;
    symbols.push_back(symbol_of(entry, kind, section, depth));
  }
  for (const Node& item : node.items)
    if (auto tenant = tenant_of(item)) symbols.push_back(*std::move(tenant));
  return symbols;
}

void fold(const Node& node, const Text& text, std::uint32_t from,
          std::map<std::size_t, std::size_t>& folds) {
  const auto end = [&](const Node& inner) {
    // What closes a bracket or a quote on a line of its own stays visible.
    return inner.span.end > inner.span.begin ? inner.span.end - 1 : inner.span.end;
  };
  const std::size_t first = text.line_at(from);
  const std::size_t last = text.line_at(std::max(from, end(node)));
  if (last > first) folds[first] = std::max(folds[first], last);
  for (const Entry& entry : node.fields) fold(entry.value, text, entry.key_span.begin, folds);
  for (const Node& item : node.items) fold(item, text, item.span.begin, folds);
}

}  // namespace

std::vector<Symbol> symbols_of(const Part& part) {
  if (part.kind == Part::Kind::tenants) return children_of(part.tree, "tenants", 1);
  std::vector<Symbol> symbols;
  symbols.reserve(part.tree.fields.size());
  for (const Entry& entry : part.tree.fields)
    symbols.push_back(symbol_of(entry, Symbol::Kind::section, entry.key, 0));
  return symbols;
}

std::vector<Fold> folds_of(const Part& part, std::string_view bytes) {
  const Text text{std::string(bytes)};
  std::map<std::size_t, std::size_t> folds;
  if (part.kind != Part::Kind::tenants) fold(part.tree, text, part.tree.span.begin, folds);
  // The document itself is everything.
  folds.erase(text.line_at(part.tree.span.begin));
  for (const Entry& entry : part.tree.fields) {
    if (part.kind != Part::Kind::tenants) fold(entry.value, text, entry.key_span.begin, folds);
  }
  std::vector<Fold> result;
  result.reserve(folds.size());
  for (const auto& [first, last] : folds) result.push_back({.first = first, .last = last});

  std::size_t comments = 0;  // the lines of them that precede this one
  for (std::size_t line = 0; line <= text.lines(); ++line) {
    const auto written = text.line(line);
    const auto content = written.find_first_not_of(" \t");
    const bool is_comment = content != std::string_view::npos && written[content] == '#';
    if (is_comment) {
      ++comments;
      continue;
    }
    if (comments > 1) {
      result.push_back({.first = line - comments, .last = line - 1, .comment = true});
    }
    comments = 0;
  }
  return result;
}

}  // namespace caisson::editor
