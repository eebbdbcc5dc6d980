#include "editor/format.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "generator/source/diagnostics.h"

namespace caisson::editor {
namespace {

using spec::Node;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t level_width = 2;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_blanks_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

void trim(std::string& text) { text.resize(without_blanks_behind(text).size()); }

std::size_t blanks_before(std::string_view text) {
  return std::min(text.find_first_not_of(" \t"), text.size());
}

/// Lays out one line after the other. A value over several lines moves as its first line does.
class Layout {
 public:
  /// A comment on its own line waits for what it stands above; `settle` gives it its indentation.
  struct Line {
    std::string text;
    bool comment = false;
    std::size_t column = 0;  ///< of a comment, as written
    bool kept = false;       ///< of a text over several lines: also when it is empty
  };

  Line line(std::string_view text) {
    const std::size_t column = blanks_before(text);
    const auto content = text.substr(column);
    if (block_) {
      if (content.empty()) return {.text = std::string(text), .kept = true};
      if (column > block_->around) return {.text = shifted(text, block_->by), .kept = true};
      block_.reset();
    }
    if (quote_ != '\0') {
      begin_continued(column);
      in_quote(content);
      return {.text = content.empty() ? std::string() : std::move(out_), .kept = true};
    }
    if (content.empty()) return {};
    if (depth_ > 0) {
      begin_continued(column);
      inline_value(content);
      return {finish()};
    }
    if (content.starts_with('#'))
      return {std::string(without_blanks_behind(content)), true, column};
    structure(content, column);
    return {finish()};
  }

  /// Where a comment goes that stood at `column`, above what was laid out last.
  [[nodiscard]] std::size_t comment_indent(std::size_t column) const {
    std::size_t indent = 0;
    for (const Level& level : levels_)
      if (level.column <= column) indent = level.indent;
    return indent;
  }

 private:
  struct Level {
    std::size_t column;  ///< as written
    std::size_t indent;  ///< as laid out
  };
  struct Block {
    std::size_t around;  ///< the column that its lines are right of
    std::ptrdiff_t by;
  };

  static std::string shifted(std::string_view text, std::ptrdiff_t by) {
    const auto blanks = static_cast<std::ptrdiff_t>(blanks_before(text));
    const auto kept = std::max<std::ptrdiff_t>(blanks + by, 0);
    return std::string(static_cast<std::size_t>(kept), ' ') +
           std::string(text.substr(static_cast<std::size_t>(blanks)));
  }

  void begin_continued(std::size_t column) {
    const auto indent = static_cast<std::ptrdiff_t>(column) + by_;
    const auto least = static_cast<std::ptrdiff_t>(level_indent_ + 1);
    out_.assign(static_cast<std::size_t>(std::max(indent, least)), ' ');
  }

  std::string finish() {
    trim(out_);
    return std::move(out_);
  }

  std::size_t enter(std::size_t column, std::optional<std::size_t> indent) {
    while (!levels_.empty() && levels_.back().column > column) levels_.pop_back();
    if (levels_.empty() || levels_.back().column < column) {
      const std::size_t next = levels_.empty() ? 0 : levels_.back().indent + level_width;
      levels_.push_back({column, indent.value_or(next)});
    }
    by_ = static_cast<std::ptrdiff_t>(levels_.back().indent) - static_cast<std::ptrdiff_t>(column);
    level_column_ = column;
    level_indent_ = levels_.back().indent;
    return level_indent_;
  }

  /// A line that begins a key or an item, or goes on with plain text.
  void structure(std::string_view content, std::size_t column) {
    out_.clear();
    std::optional<std::size_t> indent;
    while (content == "-" || content.starts_with("- ") || content.starts_with("-\t")) {
      const std::size_t at = enter(column, indent);
      if (!indent) out_.assign(at, ' ');
      out_ += "- ";
      const std::size_t width = 1 + blanks_before(content.substr(1));
      content.remove_prefix(std::min(width, content.size()));
      column += width;
      indent = at + level_width;
    }
    const std::size_t key = key_length(content);
    if (key == std::string_view::npos) {
      if (!indent && !levels_.empty()) begin_continued(column);
      inline_value(content);
      return;
    }
    const std::size_t at = enter(column, indent);
    if (!indent) out_.assign(at, ' ');
    out_ += without_blanks_behind(content.substr(0, key));
    out_ += ':';
    content.remove_prefix(key + 1);
    const std::size_t blanks = blanks_before(content);
    if (blanks == content.size()) return;
    if (content[blanks] == '#') {
      out_ += content;
      return;
    }
    out_ += ' ';
    inline_value(content.substr(blanks));
  }

  /// Of the key that the line begins with, up to its ':'; npos when it begins with none.
  static std::size_t key_length(std::string_view content) {
    if (content.empty() || content[0] == '{' || content[0] == '[' || content[0] == '#')
      return std::string_view::npos;
    std::size_t at = 0;
    if (content[0] == '"' || content[0] == '\'') {
      at = quote_end(content, 0);
      if (at == std::string_view::npos) return at;
    }
    for (; at < content.size(); ++at) {
      if (content[at] == '#' && at > 0 && is_blank(content[at - 1])) break;
      if (content[at] == ':' && (at + 1 == content.size() || is_blank(content[at + 1]))) return at;
    }
    return std::string_view::npos;
  }

  static std::size_t quote_end(std::string_view text, std::size_t begin) {
    const char quote = text[begin];
    for (std::size_t at = begin + 1; at < text.size(); ++at) {
      const bool escape =
          quote == '"' ? text[at] == '\\' : text[at] == '\'' && text.substr(at + 1, 1) == "'";
      if (escape) {
        ++at;
      } else if (text[at] == quote) {
        return at + 1;
      }
    }
    return std::string_view::npos;
  }

  /// The rest of a line that began inside quotes.
  void in_quote(std::string_view content) {
    const std::string opened = quote_ + std::string(content);
    const std::size_t end = quote_end(opened, 0);
    if (end == std::string_view::npos) {
      out_ += content;
      return;
    }
    quote_ = '\0';
    out_ += content.substr(0, end - 1);
    inline_value(content.substr(end - 1), false);
    trim(out_);
  }

  /// A value or the rest of one: brackets and commas are laid out, everything else is kept.
  void inline_value(std::string_view text, bool starts = true) {
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c == '#' && (at == 0 ? out_.empty() || is_blank(out_.back()) : is_blank(text[at - 1]))) {
        comment(text, at);
        return;
      }
      if (starts && (c == '"' || c == '\'')) {
        const std::size_t end = quote_end(text, at);
        if (end == std::string_view::npos) quote_ = c;
        out_ += text.substr(at, end - at);
        at = std::min(end, text.size());
        starts = false;
      } else if (starts && depth_ == 0 && (c == '|' || c == '>')) {
        block_ = Block{level_column_, by_};
        out_ += text.substr(at);
        return;
      } else if ((starts && (c == '{' || c == '[')) ||
                 (depth_ > 0 && std::string_view("{}[],").find(c) != std::string_view::npos)) {
        at = bracket(text, at);
        starts = c == '{' || c == '[' || c == ',';
      } else if (is_blank(c)) {
        if (!starts || depth_ == 0) out_ += c;
        ++at;
      } else if (depth_ > 0 && c == ':' &&
                 (at + 1 == text.size() || is_blank(text[at + 1]) || !starts)) {
        at = colon(text, at, starts);
      } else {
        out_ += c;
        ++at;
        starts = false;
      }
    }
  }

  /// A ':' in brackets: between key and value when a blank follows, or a quoted key is before it.
  std::size_t colon(std::string_view text, std::size_t at, bool& starts) {
    const bool separates = at + 1 == text.size() || is_blank(text[at + 1]);
    const bool quoted_key = out_.ends_with('"') || out_.ends_with('\'');
    out_ += ':';
    ++at;
    if (!separates) {
      starts = quoted_key;
      return at;
    }
    at += blanks_before(text.substr(at));
    if (at < text.size()) out_ += ' ';
    starts = true;
    return at;
  }

  std::size_t bracket(std::string_view text, std::size_t at) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth_;
    if (c == '}' || c == ']') --depth_;
    const bool first = blanks_before(out_) == out_.size();  // of its line: indentation stays
    if (!first && (c == '}' || c == ']' || c == ',')) trim(out_);
    if (c == '}' && !first && !out_.ends_with('{')) out_ += ' ';
    out_ += c;
    ++at;
    if (c == '}' || c == ']') return at;
    const std::size_t blanks = blanks_before(text.substr(at));
    const bool ends = at + blanks == text.size();
    const char next = ends ? '\n' : text[at + blanks];
    if (next == '#' && blanks > 0) {
      out_ += text.substr(at, blanks);  // without them the comment would be none
      return at + blanks;
    }
    if (!ends && c == '{' && next != '}') out_ += ' ';
    if (!ends && c == ',' && next != ']' && next != '}') out_ += ' ';
    return at + blanks;
  }

  void comment(std::string_view text, std::size_t at) {
    // The blanks before it are there already.
    out_ += without_blanks_behind(text.substr(at));
  }

  std::vector<Level> levels_;
  std::optional<Block> block_;
  std::string out_;
  std::ptrdiff_t by_ = 0;  ///< how far the current level has moved
  std::size_t level_column_ = 0;
  std::size_t level_indent_ = 0;
  int depth_ = 0;  ///< of brackets
  char quote_ = '\0';
};

struct Written {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  ///< behind the line break
  std::string_view text;
};

std::vector<Written> lines_of(std::string_view text) {
  std::vector<Written> lines;
  std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t next = std::min(end + 1, text.size());
    lines.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(next), line});
    at = next;
  }
  return lines;
}

std::vector<Edit> lay_out(std::string_view text) {
  const auto lines = lines_of(text);
  const auto first = text.find('\n');
  const std::string_view line_break =
      first != std::string_view::npos && first > 0 && text[first - 1] == '\r' ? "\r\n" : "\n";
  Layout layout;
  std::vector<std::optional<std::string>> result(lines.size());
  std::vector<std::pair<std::size_t, Layout::Line>> waiting;  // comments and what is between them
  bool empty = true;                                          // what was kept last
  const auto settle = [&] {
    for (auto& [at, line] : waiting)
      result[at] = std::string(layout.comment_indent(line.column), ' ') + line.text;
    waiting.clear();
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool marker = lines[i].text.starts_with("---") || lines[i].text.starts_with("...") ||
                        lines[i].text.starts_with('%');
    Layout::Line line = marker ? Layout::Line{std::string(without_blanks_behind(lines[i].text))}
                               : layout.line(lines[i].text);
    const bool nothing = !line.comment && line.text.empty();
    if (!nothing || !empty || line.kept) {
      if (line.comment) {
        waiting.emplace_back(i, std::move(line));
        result[i].emplace();
      } else {
        result[i] = std::move(line.text);
        if (!nothing) settle();
      }
    }
    empty = nothing;
  }
  settle();
  for (std::size_t i = lines.size(); i > 0 && (!result[i - 1] || result[i - 1]->empty()); --i)
    result[i - 1].reset();

  std::vector<Edit> edits;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto before = text.substr(lines[i].begin, lines[i].end - lines[i].begin);
    std::string after = result[i] ? *result[i] + std::string(line_break) : std::string();
    if (before != after) edits.push_back({{0, lines[i].begin, lines[i].end}, std::move(after)});
  }
  return edits;
}

}  // namespace

std::string apply(std::string_view text, std::vector<Edit> edits) {
  std::ranges::stable_sort(edits, {}, [](const Edit& edit) { return edit.place.begin; });
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    const std::size_t begin = std::min<std::size_t>(edit.place.begin, text.size());
    out += text.substr(at, begin > at ? begin - at : 0);
    out += edit.text;
    at = std::max<std::size_t>(at, std::min<std::size_t>(edit.place.end, text.size()));
  }
  return out += text.substr(at);
}

bool says_the_same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.quoted != b.quoted || a.items.size() != b.items.size() ||
      a.fields.size() != b.fields.size()) {
    return false;
  }
  if (a.kind == Node::Kind::scalar && a.text != b.text) return false;
  return std::ranges::equal(a.items, b.items, says_the_same) &&
         std::ranges::equal(a.fields, b.fields, [](const spec::Entry& x, const spec::Entry& y) {
           return x.key == y.key && says_the_same(x.value, y.value);
         });
}

std::optional<Node> read_without_mistakes(std::string text) {
  source::Diagnostics found;
  const source::SourceFile source("", std::move(text));
  auto document = spec::read_document(source, 0, found);
  return found.has_errors() ? std::nullopt : std::move(document);
}

std::vector<Edit> format(std::string_view text) {
  const auto before = read_without_mistakes(std::string(text));
  if (!before) return {};
  auto edits = lay_out(text);
  if (edits.empty()) return edits;
  const auto after = read_without_mistakes(apply(text, edits));
  return after && says_the_same(*before, *after) ? std::move(edits) : std::vector<Edit>();
}

}  // namespace caisson::editor
