#include "editor/document_reader.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace caisson::editor {
namespace {

using spec::Node;

/// Below this a document is parsed faster than it is taken apart.
constexpr std::size_t worth_taking_apart = std::size_t{32} << 10;
/// Items in a piece, on average.
constexpr std::size_t items_in_piece = 16;
/// Stands for the items while the rest is parsed: as a list whose place is known.
constexpr std::string_view stand_in = "[]";

/// The items of the block list under the top-level key `tenants`, as ranges of bytes.
struct Items {
  std::size_t begin = 0;            ///< of the first item's line
  std::size_t end = 0;              ///< behind the last line
  std::vector<std::size_t> pieces;  ///< where each begins; ascending
};

std::size_t next_line(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size() - 1) + 1;
}

/// The line that says `tenants:` and nothing more.
std::optional<std::size_t> behind_key(std::string_view text) {
  constexpr std::string_view key = "\ntenants:";
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t behind = text.find_first_not_of(" \r", at + key.size());
  if (behind == std::string_view::npos || text[behind] != '\n') return std::nullopt;
  return behind + 1;
}

/// Takes the list apart at lines that begin an item. Nothing when the text has anything that needs
/// the whole of it to be understood.
std::optional<Items> take_apart(std::string_view text) {
  if (text.size() < worth_taking_apart || text.size() > spec::DocumentLimits().bytes)
    return std::nullopt;
  const auto start = behind_key(text);
  if (!start) return std::nullopt;
  Items items{.begin = *start, .end = *start, .pieces = {}};
  std::optional<std::size_t> indent;
  std::size_t item = 0;
  for (std::size_t at = *start; at < text.size();) {
    const std::size_t next = next_line(text, at);
    const std::size_t content = text.find_first_not_of(' ', at);
    const std::size_t column = content - at;
    const char first = content < text.size() ? text[content] : '\n';
    const bool empty = first == '\n' || first == '\r' || first == '#';
    const bool dash = text.substr(content, 2) == "- ";
    if (!empty && column == 0 && !dash) break;  // the next key
    // A carriage return alone ends a line too.
    const std::string_view line = text.substr(at, next - at);
    if (first == '\t' || std::min(line.find('\r'), line.size()) + 2 < line.size())
      return std::nullopt;
    if (!empty) {
      if (!indent) indent = column;
      if (column < *indent) return std::nullopt;
      if (column == *indent) {
        if (!dash) return std::nullopt;
        // Where pieces begin follows from what stands before, so that an item more moves no other.
        const bool cut =
            items.pieces.empty() ||
            std::hash<std::string_view>()(text.substr(item, at - item)) % items_in_piece == 0;
        if (cut) items.pieces.push_back(at);
        item = at;
      }
    }
    at = next;
    if (!empty) items.end = at;
  }
  if (items.pieces.size() < 2) return std::nullopt;
  items.begin = items.pieces.front();
  return items;
}

void shift(source::Span& span, std::uint32_t file, std::int64_t by) {
  span.file = file;
  span.begin = static_cast<std::uint32_t>(span.begin + by);
  span.end = static_cast<std::uint32_t>(span.end + by);
}

/// Moves what stands at `from` or behind it.
void shift(Node& node, std::uint32_t file, std::int64_t by, std::uint32_t from = 0) {
  if (node.span.begin >= from) {
    shift(node.span, file, by);
  } else if (node.span.end > from) {
    node.span.end = static_cast<std::uint32_t>(node.span.end + by);
  }
  for (Node& item : node.items) shift(item, file, by, from);
  for (spec::Entry& entry : node.fields) {
    if (entry.key_span.begin >= from) shift(entry.key_span, file, by);
    shift(entry.value, file, by, from);
  }
}

/// An item without a value stands where the parser finds out, which may be behind its piece.
bool has_empty_item(const Node& node) {
  const auto is_empty = [](const Node& item) {
    return item.kind == Node::Kind::null || has_empty_item(item);
  };
  return std::ranges::any_of(node.items, is_empty) ||
         std::ranges::any_of(node.fields, has_empty_item, &spec::Entry::value);
}

}  // namespace

std::optional<Node> DocumentReader::read(const source::SourceFile& source, std::uint32_t file,
                                         source::Diagnostics& diagnostics) {
  parsed_ = 0;
  if (auto document = assemble(source, file)) return document;
  parsed_ += source.text().size();
  return spec::read_document(source, file, diagnostics);
}

std::optional<Node> DocumentReader::assemble(const source::SourceFile& source, std::uint32_t file) {
  const std::string_view text = source.text();
  const auto items = take_apart(text);
  if (!items) return std::nullopt;

  // A mistake anywhere is told in the words and places of the whole document.
  source::Diagnostics unheard;
  const std::size_t indent = text.find('-', items->begin) - items->begin;
  const auto place = static_cast<std::uint32_t>(items->begin + indent);
  std::string rest(text.substr(0, place));
  if (indent == 0) rest += ' ';  // `[]` has to be indented, block lists need not be
  const auto stand_in_at = static_cast<std::uint32_t>(rest.size());
  rest.append(stand_in).append("\n").append(text.substr(items->end));
  const source::SourceFile skeleton("", std::move(rest));
  parsed_ += skeleton.text().size();
  auto document = spec::read_document(skeleton, file, unheard);
  if (!document || !unheard.sorted().empty()) return std::nullopt;
  const auto entry = std::ranges::find(document->fields, "tenants", &spec::Entry::key);
  if (entry == document->fields.end() || entry->value.kind != Node::Kind::sequence ||
      entry->value.span.begin != stand_in_at || !entry->value.items.empty()) {
    return std::nullopt;
  }

  Pieces used;
  Node list{.kind = Node::Kind::sequence, .span = {file, place, place + 1}};
  for (std::size_t i = 0; i < items->pieces.size(); ++i) {
    const std::size_t begin = items->pieces[i];
    const std::size_t end = i + 1 < items->pieces.size() ? items->pieces[i + 1] : items->end;
    const Node* found = piece(text.substr(begin, end - begin), used);
    if (found == nullptr) return std::nullopt;
    for (const Node& item : found->items) {
      list.items.push_back(item);
      shift(list.items.back(), file, static_cast<std::int64_t>(begin));
    }
  }
  list.span.end = list.items.back().span.end;
  pieces_ = std::move(used);

  const auto behind = stand_in_at + static_cast<std::uint32_t>(stand_in.size());
  shift(*document, file, static_cast<std::int64_t>(items->end) - (behind + 1), behind);
  if (entry == document->fields.end() - 1) document->span.end = list.span.end;
  entry->value = std::move(list);
  return document;
}

const Node* DocumentReader::piece(std::string_view text, Pieces& used) {
  std::string key(text);
  if (const auto known = used.find(key); known != used.end()) return &known->second;
  if (auto known = pieces_.extract(key)) return &used.insert(std::move(known)).position->second;
  source::Diagnostics unheard;
  const source::SourceFile source("", key);
  parsed_ += key.size();
  // In the document a list of the top level is one level deeper.
  auto node = spec::read_document(source, 0, unheard, {.depth = spec::DocumentLimits().depth - 1});
  const bool good = node && node->kind == Node::Kind::sequence && unheard.sorted().empty() &&
                    !has_empty_item(*node);
  return good ? &used.emplace(std::move(key), *std::move(node)).first->second : nullptr;
}

}  // namespace caisson::editor
