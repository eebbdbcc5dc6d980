#include "generator/spec/json_lines.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "base/utf8.h"

namespace caisson::spec {
namespace {

using source::Span;

/// A tenant nests two levels and has a dozen keys; the bounds keep a hostile line cheap.
constexpr int deepest = 8;
constexpr std::size_t most_keys = 64;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<char> simple_escape(char c) {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const std::size_t at = letters.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(meanings[at]);
}

/// Reads one line. Stops at the first mistake, which it reports.
class LineReader {
 public:
  LineReader(std::string_view text, std::size_t begin, std::size_t end, std::uint32_t file,
             source::Diagnostics& diagnostics)
      : text_(text.substr(0, end)), at_(begin), file_(file), diagnostics_(diagnostics) {}

  bool read(Node& node) {
    skip_blanks();
    if (peek() != '{') return refuse("a line is one JSON object", "write {\"slug\": \"...\"}");
    if (!read_value(node, 0)) return false;
    skip_blanks();
    return at_ == text_.size() || refuse("text after the object", "one object a line");
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r", at_), text_.size()); }

  [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }
  bool refuse(std::string message, std::string remedy, std::optional<Span> where = {}) {
    diagnostics_.report({.code = "E0017",
                         .where = where.value_or(span(at_, at_ + 1)),
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
    return false;
  }

  bool read_value(Node& node, int depth) {
    skip_blanks();
    const std::size_t begin = at_;
    bool good = false;
    switch (peek()) {
      case '{':
        node.kind = Node::Kind::map;
        good = depth < deepest ? read_members(node, depth) : refuse("nested too deeply", "");
        break;
      case '[':
        node.kind = Node::Kind::sequence;
        good = depth < deepest ? read_items(node, depth) : refuse("nested too deeply", "");
        break;
      case '"':
        node.kind = Node::Kind::scalar;
        node.quoted = true;
        good = read_string(node.text);
        break;
      default:
        good = read_word(node);
    }
    node.span = span(begin, at_);
    return good;
  }

  bool read_word(Node& node) {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(" \t\r,:]}\"[{", at_), text_.size());
    const std::string_view word = text_.substr(begin, at_ - begin);
    node.kind = word == "null" ? Node::Kind::null : Node::Kind::scalar;
    node.text = word;
    if (word == "null" || word == "true" || word == "false" || is_number(word)) return true;
    const std::size_t end = std::max(at_, begin + 1);
    return refuse(word.empty() ? "a value is missing" : "this is no JSON value",
                  "put text in double quotes", span(begin, end));
  }

  static bool is_number(std::string_view word) {
    const auto digits = [&] {
      const auto end = std::ranges::find_if_not(word, is_digit);
      const auto count = static_cast<std::size_t>(end - word.begin());
      word.remove_prefix(count);
      return count;
    };
    if (word.starts_with('-')) word.remove_prefix(1);
    const bool zero = word.starts_with('0');
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (word.starts_with('.')) {
      word.remove_prefix(1);
      if (digits() == 0) return false;
    }
    if (word.starts_with('e') || word.starts_with('E')) {
      word.remove_prefix(1);
      if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
      if (digits() == 0) return false;
    }
    return word.empty();
  }

  bool read_items(Node& list, int depth) {
    ++at_;
    skip_blanks();
    if (take(']')) return true;
    do {
      if (!read_value(list.items.emplace_back(), depth + 1)) return false;
      skip_blanks();
    } while (take(','));
    return take(']') || refuse("the list goes on without a ','", "add a ',' or close the ']'");
  }

  bool read_members(Node& map, int depth) {
    ++at_;
    skip_blanks();
    if (take('}')) return true;
    do {
      skip_blanks();
      Entry entry;
      const std::size_t begin = at_;
      if (peek() != '"')
        return refuse("a key in double quotes is missing", "write \"slug\": \"...\"");
      if (!read_string(entry.key)) return false;
      entry.key_span = span(begin, at_);
      if (map.fields.size() >= most_keys) return refuse("an object of too many keys", "");
      if (map.at(entry.key) != nullptr)
        return refuse("key '" + entry.key + "' is given twice", "keep one", entry.key_span);
      skip_blanks();
      if (!take(':')) return refuse("a ':' is missing after the key", "add it");
      if (!read_value(entry.value, depth + 1)) return false;
      map.fields.push_back(std::move(entry));
      skip_blanks();
    } while (take(','));
    return take('}') || refuse("the object goes on without a ','", "add a ',' or close the '}'");
  }

  bool read_string(std::string& out) {
    const std::size_t begin = at_++;
    for (;;) {
      const std::size_t end = text_.find_first_of("\"\\\t", at_);
      if (end == std::string_view::npos) {
        return refuse("a string is never closed", "add the missing '\"'", span(begin, begin + 1));
      }
      out += text_.substr(at_, end - at_);
      at_ = end;
      if (take('"')) return true;
      if (peek() == '\t') return refuse("a tab in a string", "write it as \\t");
      if (!read_escape(out)) return false;
    }
  }

  bool read_escape(std::string& out) {
    const std::size_t begin = at_++;
    if (const auto plain = simple_escape(peek())) {
      ++at_;
      out += *plain;
      return true;
    }
    std::optional<char32_t> value = read_hex_escape();
    if (value && *value >= 0xD800 && *value < 0xDC00 && take('\\')) {
      const std::optional<char32_t> low = read_hex_escape();
      const bool pair = low && *low >= 0xDC00 && *low < 0xE000;
      value = pair ? std::optional(0x10000 + ((*value - 0xD800) << 10U) + (*low - 0xDC00))
                   : std::nullopt;
    }
    const bool lone = value && *value >= 0xD800 && *value < 0xE000;
    if (!value || lone || *value == 0) {
      return refuse("unknown escape in a string", "write characters as they are, in UTF-8",
                    span(begin, std::min(begin + 2, text_.size())));
    }
    append_utf8(out, *value);
    return true;
  }

  /// `uXXXX`
  std::optional<char32_t> read_hex_escape() {
    if (!take('u') || text_.size() - at_ < 4) return std::nullopt;
    char32_t value = 0;
    for (const char c : text_.substr(at_, 4)) {
      const int digit = hex_value(c);
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<char32_t>(digit);
    }
    at_ += 4;
    return value;
  }

  std::string_view text_;
  std::size_t at_;
  std::uint32_t file_;
  source::Diagnostics& diagnostics_;
};

}  // namespace

std::optional<Node> read_json_lines(const source::SourceFile& source, std::uint32_t file,
                                    source::Diagnostics& diagnostics) {
  const std::string_view text = source.text();
  Node list{.kind = Node::Kind::sequence, .span = {file, 0, 0}};
  bool good = true;
  for (std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool blank = text.find_first_not_of(" \t\r", begin) >= end;
    if (!blank) {
      Node tenant;
      if (LineReader(text, begin, end, file, diagnostics).read(tenant)) {
        list.items.push_back(std::move(tenant));
      } else {
        good = false;
      }
    }
    begin = end + 1;
  }
  if (!good && list.items.empty()) return std::nullopt;
  return list;
}

}  // namespace caisson::spec
