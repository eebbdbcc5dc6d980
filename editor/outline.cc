#include "editor/outline.h"

#include <algorithm>
#include <string>
#include <utility>

namespace caisson::editor {
namespace {

using source::Span;
using spec::Entry;
using spec::Node;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr int deepest = 64;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_break(char c) { return c == '\n' || c == '\r'; }

class Outliner {
 public:
  Outliner(std::string_view text, std::uint32_t file) : text_(text), file_(file) {
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  }

  Node read() {
    Node root = node_in(0, 0);
    // What does not belong to the first value: more of it is better than nothing.
    while (to_content()) {
      const std::size_t before = at_;
      Node more = node_in(0, 0);
      if (root.kind == more.kind) {
        std::ranges::move(more.fields, std::back_inserter(root.fields));
        std::ranges::move(more.items, std::back_inserter(root.items));
        root.span.end = std::max(root.span.end, more.span.end);
      } else if (root.kind == Node::Kind::null || root.kind == Node::Kind::scalar) {
        root = std::move(more);
      }
      if (at_ == before) skip_line();
    }
    return root;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool ends_line(std::size_t at) const {
    return at >= text_.size() || is_break(text_[at]);
  }
  [[nodiscard]] bool starts_comment(std::size_t at) const {
    return at < text_.size() && text_[at] == '#' &&
           (at == 0 || is_blank(text_[at - 1]) || is_break(text_[at - 1]));
  }
  [[nodiscard]] std::size_t line_end(std::size_t at) const {
    return std::min(text_.find_first_of("\r\n", at), text_.size());
  }
  [[nodiscard]] std::size_t column() const {
    const auto before = text_.substr(0, at_).find_last_of("\r\n");
    return at_ - (before == std::string_view::npos ? 0 : before + 1);
  }
  [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  void skip_blanks() {
    while (is_blank(peek())) ++at_;
  }
  void skip_line() {
    at_ = line_end(at_);
    while (is_break(peek())) ++at_;
  }
  /// Goes to what is next to be read, over blanks, comments and line breaks; false at the end.
  bool to_content() {
    for (;;) {
      skip_blanks();
      if (at_ >= text_.size()) return false;
      const bool marker =
          column() == 0 && (text_.substr(at_, 3) == "---" || text_.substr(at_, 3) == "...");
      if (!marker && !is_break(peek()) && !starts_comment(at_)) return true;
      if (marker && !ends_line(at_ + 3) && is_blank(peek(3))) {
        at_ += 3;
        continue;
      }
      skip_line();
    }
  }
  [[nodiscard]] bool at_item() const {
    return peek() == '-' && (ends_line(at_ + 1) || is_blank(peek(1)));
  }

  /// Where the key at `at_` ends, before blanks and ':'; npos when there is none on this line.
  [[nodiscard]] std::size_t key_end() const {
    std::size_t at = at_;
    const char quote = peek();
    if (quote == '"' || quote == '\'') {
      at = text_.find(quote, at_ + 1);
      if (at == std::string_view::npos || at > line_end(at_)) return std::string_view::npos;
      const std::size_t end = at + 1;
      for (at = end; at < text_.size() && is_blank(text_[at]);) ++at;
      return at < text_.size() && text_[at] == ':' ? end : std::string_view::npos;
    }
    if (quote == '{' || quote == '[') return std::string_view::npos;
    for (; !ends_line(at) && !starts_comment(at); ++at) {
      if (text_[at] == ':' && (ends_line(at + 1) || is_blank(text_[at + 1]))) {
        std::size_t end = at;
        while (end > at_ && is_blank(text_[end - 1])) --end;
        return end;
      }
    }
    return std::string_view::npos;
  }

  [[nodiscard]] std::string unquoted(std::size_t begin, std::size_t end) const {
    const bool quotes = end - begin >= 2 && (text_[begin] == '"' || text_[begin] == '\'') &&
                        text_[end - 1] == text_[begin];
    return std::string(quotes ? text_.substr(begin + 1, end - begin - 2)
                              : text_.substr(begin, end - begin));
  }

  /// The next value, if it stands at this column or further right.
  Node node_in(std::size_t least, int depth) {
    if (!to_content() || column() < least) return Node{.span = span(at_, at_)};
    return value_here(column(), depth);
  }

  Node value_here(std::size_t around, int depth) {
    if (depth > deepest) {
      skip_line();
      return Node{.span = span(at_, at_)};
    }
    if (at_item()) return sequence_at(column(), depth);
    const bool key = key_end() != std::string_view::npos || is_above_a_key() ||
                     (depth == 0 && peek() != '{' && peek() != '[');
    return key ? map_at(column(), depth) : inline_value(around, depth);
  }

  /// A word that is being typed, before the keys of its map.
  [[nodiscard]] bool is_above_a_key() {
    if (std::string_view("{[\"'|>").find(peek()) != std::string_view::npos) return false;
    const std::size_t here = at_;
    const std::size_t indent = column();
    skip_line();
    const bool above =
        to_content() && column() == indent && !at_item() && key_end() != std::string_view::npos;
    at_ = here;
    return above;
  }

  Node map_at(std::size_t indent, int depth) {
    Node map{.kind = Node::Kind::map, .span = span(at_, at_ + 1)};
    while (to_content()) {
      const std::size_t here = column();
      if (here < indent || (here == indent && at_item())) break;
      if (here > indent) {  // a line that belongs to nothing
        skip_line();
        continue;
      }
      map.fields.push_back(entry_at(indent, depth));
      map.span.end = std::max(
          {map.span.end, map.fields.back().key_span.end, map.fields.back().value.span.end});
    }
    return map;
  }

  Entry entry_at(std::size_t indent, int depth) {
    const std::size_t begin = at_;
    std::size_t end = key_end();
    const bool keyed = end != std::string_view::npos;
    if (!keyed) {
      for (end = at_; !ends_line(end) && !starts_comment(end);) ++end;
      while (end > begin && is_blank(text_[end - 1])) --end;
    }
    Entry entry{.key = unquoted(begin, end),
                .key_span = span(begin, end),
                .value = {.span = span(end, end)}};
    at_ = end;
    if (!keyed) {
      skip_line();
      return entry;
    }
    at_ = text_.find(':', end) + 1;
    skip_blanks();
    if (!ends_line(at_) && !starts_comment(at_)) {
      entry.value = inline_value(indent + 1, depth + 1);
      return entry;
    }
    const std::size_t behind = at_;
    // A list may stand below its key without being indented.
    if (to_content() && (column() > indent || (column() == indent && at_item()))) {
      entry.value = value_here(column(), depth + 1);
    } else {
      entry.value.span = span(std::min(behind, end + 1), std::min(behind, end + 1));
    }
    return entry;
  }

  Node sequence_at(std::size_t indent, int depth) {
    Node list{.kind = Node::Kind::sequence, .span = span(at_, at_ + 1)};
    while (to_content()) {
      const std::size_t here = column();
      if (here < indent || (here == indent && !at_item())) break;
      if (here > indent) {
        skip_line();
        continue;
      }
      ++at_;
      skip_blanks();
      if (ends_line(at_) || starts_comment(at_)) {
        list.items.push_back(node_in(indent + 1, depth + 1));
      } else {
        list.items.push_back(value_here(indent + 1, depth + 1));
      }
      list.span.end = std::max(list.span.end, list.items.back().span.end);
    }
    return list;
  }

  /// A value on the line of its key: flow, quoted, block scalar or plain. Uses up the line.
  Node inline_value(std::size_t indent, int depth) {
    Node node;
    if (peek() == '|' || peek() == '>') {
      node = block_scalar(indent);
    } else if (peek() == '{' || peek() == '[' || peek() == '"' || peek() == '\'') {
      node = flow_value(indent, depth);
      at_ = line_end(at_);
    } else {
      std::size_t end = at_;
      while (!ends_line(end) && !starts_comment(end)) ++end;
      const std::size_t rest = end;
      while (end > at_ && is_blank(text_[end - 1])) --end;
      node = plain(at_, end);
      at_ = line_end(rest);
    }
    return node;
  }

  /// Whether the line behind the break at `at_` begins left of what is around it.
  [[nodiscard]] bool steps_back(std::size_t indent) const {
    const std::size_t begin = text_.find_first_not_of("\r\n", at_);
    if (begin == std::string_view::npos) return false;
    const std::size_t content = std::min(text_.find_first_not_of(" \t", begin), text_.size());
    return !ends_line(content) && content - begin < indent;
  }

  [[nodiscard]] Node plain(std::size_t begin, std::size_t end) const {
    const auto word = text_.substr(begin, end - begin);
    const bool null = word.empty() || word == "~" || word == "null";
    return Node{.kind = null ? Node::Kind::null : Node::Kind::scalar,
                .span = span(begin, end),
                .text = std::string(word)};
  }

  Node block_scalar(std::size_t indent) {
    const std::size_t begin = at_;
    std::size_t end = line_end(at_);
    at_ = end;
    while (at_ < text_.size()) {
      while (is_break(peek())) ++at_;
      const std::size_t start = at_;
      skip_blanks();
      if (!ends_line(at_) && column() < indent) {
        at_ = start;
        break;
      }
      at_ = line_end(at_);
      if (start < text_.size()) end = at_;
    }
    return Node{.kind = Node::Kind::scalar, .quoted = true, .span = span(begin, end)};
  }

  /// Over blanks, breaks and comments inside brackets. False at the end, or where a line steps back
  /// to the left of what is around the brackets: somebody is still typing them.
  bool to_flow_content(std::size_t indent) {
    for (;;) {
      while (is_blank(peek())) ++at_;
      if (at_ >= text_.size()) return false;
      if (!is_break(peek()) && !starts_comment(at_)) return true;
      const std::size_t before = at_;
      skip_line();
      skip_blanks();
      const bool closes = peek() == '}' || peek() == ']';
      if (at_ < text_.size() && !closes && !is_break(peek()) && !starts_comment(at_) &&
          column() < indent) {
        at_ = before;
        return false;
      }
    }
  }

  Node flow_value(std::size_t indent, int depth) {
    if (depth > deepest) {
      at_ = line_end(at_);
      return Node{.span = span(at_, at_)};
    }
    if (peek() == '{' || peek() == '[') return brackets(indent, depth);
    if (peek() == '"' || peek() == '\'') return quoted(indent);
    const std::size_t begin = at_;
    at_ = flow_word_end();
    std::size_t end = at_;
    while (end > begin && is_blank(text_[end - 1])) --end;
    return plain(begin, end);
  }

  [[nodiscard]] std::size_t flow_word_end() const {
    std::size_t at = at_;
    for (; !ends_line(at) && !starts_comment(at); ++at) {
      if (std::string_view(",[]{}").find(text_[at]) != std::string_view::npos) break;
      if (text_[at] != ':') continue;
      if (ends_line(at + 1) || is_blank(text_[at + 1]) ||
          std::string_view(",[]{}").find(text_[at + 1]) != std::string_view::npos)
        break;
    }
    return at;
  }

  Node quoted(std::size_t indent) {
    const std::size_t begin = at_;
    const char quote = peek();
    for (++at_; at_ < text_.size(); ++at_) {
      if (is_break(peek()) && steps_back(indent)) break;
      const bool escape = quote == '"' ? peek() == '\\' : peek() == '\'' && peek(1) == '\'';
      if (escape) {
        ++at_;
      } else if (peek() == quote) {
        ++at_;
        return {.kind = Node::Kind::scalar,
                .quoted = true,
                .span = span(begin, at_),
                .text = unquoted(begin, at_)};
      }
    }
    // Never closed: until the end of its line.
    at_ = line_end(begin);
    return {.kind = Node::Kind::scalar,
            .quoted = true,
            .span = span(begin, at_),
            .text = std::string(text_.substr(begin + 1, at_ - begin - 1))};
  }

  Node brackets(std::size_t indent, int depth) {
    const bool map = peek() == '{';
    Node node{.kind = map ? Node::Kind::map : Node::Kind::sequence, .span = span(at_, at_ + 1)};
    ++at_;
    while (to_flow_content(indent)) {
      if (peek() == '}' || peek() == ']') {
        ++at_;
        break;
      }
      if (peek() == ',') {
        ++at_;
        continue;
      }
      const std::size_t before = at_;
      if (map) {
        node.fields.push_back(member(indent, depth));
      } else {
        node.items.push_back(flow_value(indent, depth + 1));
      }
      if (at_ == before) ++at_;
    }
    node.span.end = static_cast<std::uint32_t>(at_);
    return node;
  }

  Entry member(std::size_t indent, int depth) {
    const Node key = flow_value(indent, depth + 1);
    Entry entry{.key = key.text, .key_span = key.span, .value = {.span = span(at_, at_)}};
    skip_blanks();
    if (peek() != ':') return entry;
    ++at_;
    if (!to_flow_content(indent) || peek() == ',' || peek() == '}' || peek() == ']') {
      entry.value.span = span(at_, at_);
      return entry;
    }
    entry.value = flow_value(indent, depth + 1);
    return entry;
  }

  std::string_view text_;
  std::uint32_t file_;
  std::size_t at_ = 0;
};

}  // namespace

spec::Node outline(std::string_view text, std::uint32_t file) {
  return Outliner(text, file).read();
}

}  // namespace caisson::editor
