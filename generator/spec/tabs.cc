// The parser stops at the first mistake, so what is behind it is told by the looks of the lines.

#include "generator/spec/tabs.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace caisson::spec {
namespace {

using source::Span;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_one_of(char c, std::string_view all) { return all.find(c) != std::string_view::npos; }

class TabFinder {
 public:
  TabFinder(std::string_view text, std::uint32_t file) : text_(text), file_(file) {}

  std::vector<Span> find() {
    while (at_ < text_.size()) {
      end_ = std::min(text_.find('\n', at_), text_.size());
      const std::size_t next = end_ + 1;
      if (end_ > at_ && text_[end_ - 1] == '\r') --end_;
      line();
      at_ = next;
    }
    return std::move(tabs_);
  }

 private:
  /// What a tab counts for; where keys below one stand nobody can say exactly.
  static constexpr std::size_t tab_width = 2;

  void line() {
    const std::size_t content = behind_blanks(at_);
    if (quote_ != '\0') {
      const char quote = quote_;
      quote_ = '\0';
      value(in_quotes(at_, quote), false);
      return;
    }
    if (in_block(content)) return;
    if (depth_ > 0) {
      value(content, true);
      return;
    }
    // Whatever stands below plain text may go on with it.
    const bool refused = plain_ && spaces(content) <= value_column_ && note(content);
    if (content == end_) return;
    plain_ = false;
    if (text_[content] != '#') structure(content, refused);
  }

  /// The text of a block scalar begins where its first line does; its own tabs come behind that.
  bool in_block(std::size_t content) {
    if (!around_) return false;
    if (content < end_ && width(content) <= *around_) {
      around_.reset();
      inner_ = 0;
      return false;
    }
    const std::size_t least = std::max(inner_, *around_ + 1);
    if (spaces(content) < least) note(content);
    if (content < end_ && inner_ == 0) inner_ = std::max(spaces(content), least);
    return true;
  }

  /// A line that begins items or a key, or goes on with plain text, which tabs may stand before.
  void structure(std::size_t content, bool refused) {
    std::size_t at = content;
    std::size_t column = width(content);
    bool structured = false;
    while (at < end_ && text_[at] == '-' && (at + 1 == end_ || is_blank(text_[at + 1]))) {
      structured = true;
      value_column_ = column;
      const std::size_t behind = behind_blanks(at + 1);
      column += behind - at;
      at = behind;
    }
    if (const auto colon = key_end(at)) {
      structured = true;
      value_column_ = column;
      at = behind_blanks(*colon + 1);
    }
    if (structured && !refused) note(content);
    value(at, true);
  }

  /// False when no tab stands before what the line says.
  bool note(std::size_t content) {
    const std::size_t tab = text_.substr(at_, content - at_).find('\t');
    if (tab == std::string_view::npos) return false;
    tabs_.push_back(
        {file_, static_cast<std::uint32_t>(at_ + tab), static_cast<std::uint32_t>(content)});
    return true;
  }
  [[nodiscard]] std::size_t spaces(std::size_t content) const {
    return std::min(text_.find_first_not_of(' ', at_), content) - at_;
  }

  [[nodiscard]] std::size_t behind_blanks(std::size_t at) const {
    while (at < end_ && is_blank(text_[at])) ++at;
    return at;
  }
  [[nodiscard]] std::size_t width(std::size_t content) const {
    const auto blanks = text_.substr(at_, content - at_);
    const auto tabs = static_cast<std::size_t>(std::ranges::count(blanks, '\t'));
    return blanks.size() + tabs * (tab_width - 1);
  }
  [[nodiscard]] bool starts_comment(std::size_t at) const {
    return text_[at] == '#' && (at == at_ || is_blank(text_[at - 1]));
  }

  /// The ':' of the key at `at`, when there is one on this line.
  [[nodiscard]] std::optional<std::size_t> key_end(std::size_t at) {
    if (at == end_ || is_one_of(text_[at], "{[#")) return std::nullopt;
    if (is_one_of(text_[at], "\"'")) {
      at = in_quotes(at + 1, text_[at]);
      if (quote_ != '\0') {
        quote_ = '\0';
        return std::nullopt;
      }
    }
    for (; at < end_ && !starts_comment(at); ++at)
      if (text_[at] == ':' && (at + 1 == end_ || is_blank(text_[at + 1]))) return at;
    return std::nullopt;
  }

  /// Behind the closing quote; at the line's end, with `quote_` set, when there is none.
  std::size_t in_quotes(std::size_t at, char quote) {
    for (; at < end_; ++at) {
      const bool escape = quote == '"'
                              ? text_[at] == '\\'
                              : text_[at] == '\'' && at + 1 < end_ && text_[at + 1] == '\'';
      if (escape) {
        ++at;
      } else if (text_[at] == quote) {
        return at + 1;
      }
    }
    quote_ = quote;
    return end_;
  }

  /// The rest of a line. `starts`: a value may begin here.
  void value(std::size_t at, bool starts) {
    bool plain = false;
    while (at < end_ && !starts_comment(at)) {
      const char c = text_[at];
      if (starts && is_one_of(c, "\"'")) {
        at = in_quotes(at + 1, c);
        starts = false;
        continue;
      }
      if (starts && depth_ == 0 && is_one_of(c, "|>")) {
        around_ = value_column_;
        return;
      }
      if ((starts && is_one_of(c, "{[")) || (depth_ > 0 && is_one_of(c, "{[}],"))) {
        if (is_one_of(c, "{[")) ++depth_;
        if (is_one_of(c, "}]")) --depth_;
        starts = is_one_of(c, "{[,");
      } else if (depth_ > 0 && c == ':' && (at + 1 == end_ || is_blank(text_[at + 1]))) {
        starts = true;
      } else if (!is_blank(c)) {
        starts = false;
        plain = true;
      }
      ++at;
    }
    plain_ = plain && at == end_ && depth_ == 0;
  }

  std::string_view text_;
  std::uint32_t file_;
  std::vector<Span> tabs_;
  std::size_t at_ = 0;                 ///< where the line begins
  std::size_t end_ = 0;                ///< where it ends, before its break
  std::size_t value_column_ = 0;       ///< of the key or the item that the value belongs to
  std::optional<std::size_t> around_;  ///< inside a block scalar: the column that it is right of
  std::size_t inner_ = 0;              ///< of its first line; 0: it has none yet
  bool plain_ = false;                 ///< below plain text
  int depth_ = 0;                      ///< of brackets
  char quote_ = '\0';                  ///< inside quotes: which
};

}  // namespace

std::vector<Span> tabs_in_indentation(std::string_view text, std::uint32_t file) {
  return TabFinder(text, file).find();
}

}  // namespace caisson::spec
