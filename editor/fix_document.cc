#include "editor/fix_document.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "editor/format.h"
#include "generator/spec/document.h"
#include "generator/spec/spec.h"
#include "generator/spec/tabs.h"

namespace caisson::editor {
namespace {

using source::Span;

/// Of a larger text nobody waits for what it would say.
constexpr std::size_t most_tried = std::size_t{256} << 10;

bool any(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

class DocumentIdeas {
 public:
  DocumentIdeas(const Writing& writing, const source::Diagnostic& diagnostic)
      : writing_(writing), diagnostic_(diagnostic) {}

  std::vector<Fix> think() {
    const Span where = diagnostic_.where;
    const std::size_t line_end = std::min(text().find_first_of("\r\n", where.begin), text().size());
    const auto insert = [&](std::string title, std::size_t at, std::string what) {
      const auto place = static_cast<std::uint32_t>(at);
      replace(std::move(title), {0, place, place}, std::move(what), true);
    };
    if (code() == "E0001") syntax(line_end, insert);
    if (code() == "E0002") tabs();
    if (code() == "E0004") replace("remove the character", where, "", true);
    if (code() == "E0005") {
      const bool open = !text().empty() && !text().ends_with('\n');
      const auto end = static_cast<std::uint32_t>(text().size());
      replace("write a starter spec", {0, end, end},
              (open ? "\n" : "") + spec::starter("my-product"), true);
    }
    if (any(code(), {"E0009", "E0012"})) {
      Span place = where;
      while (place.end < text().size() && text()[place.end] == ' ') ++place.end;
      // Without the tag of a kind that YAML sees by itself the value says the same.
      const bool alike = code() == "E0009" ||
                         any(written(), {"!!str", "!!int", "!!bool", "!!float", "!!seq", "!!map"});
      replace("remove '" + written() + "'", place, "", alike);
    }
    if (code() == "E0010") alias();
    if (code() == "E0013") {
      replace("remove everything from here on",
              {0, where.begin, static_cast<std::uint32_t>(text().size())}, "");
    }
    return std::move(fixes_);
  }

 private:
  [[nodiscard]] std::string_view code() const { return diagnostic_.code; }
  [[nodiscard]] std::string_view text() const { return writing_.text(); }
  [[nodiscard]] std::string written() const {
    const Span& where = diagnostic_.where;
    return std::string(
        text().substr(std::min<std::size_t>(where.begin, text().size()), where.end - where.begin));
  }

  /// `only`: nothing else can have been meant.
  void add(std::string title, std::vector<Edit> edits, bool only = false) {
    fixes_.push_back({.title = std::move(title), .edits = std::move(edits), .preferred = only});
  }
  void replace(std::string title, Span place, std::string by, bool only = false) {
    add(std::move(title), {writing_.replace(place, std::move(by))}, only);
  }

  /// This line alone, or all that are said to be wrong.
  void tabs() {
    auto places = spec::tabs_in_indentation(text(), diagnostic_.where.file);
    if (places.size() > 1)
      add("indent every line with spaces", indented(places, likely_width(places).width));
    const auto here = std::ranges::find(places, diagnostic_.where.begin, &Span::begin);
    if (here == places.end()) return;
    places = {*here};
    const Width likely = likely_width(places);
    add("indent with spaces", indented(places, likely.width), likely.only);
  }

  struct Width {
    std::size_t width = 2;
    bool only = false;  ///< whatever a tab stood for, the text says the same
  };

  /// How many blanks a tab stood for: which nobody knows where that decides what belongs to what.
  [[nodiscard]] Width likely_width(const std::vector<Span>& places) const {
    if (text().size() > most_tried) return {};
    Width found;
    std::optional<spec::Node> first;
    for (const std::size_t width : {2, 4, 8}) {
      auto read = read_without_mistakes(apply(text(), indented(places, width)));
      if (!read) continue;
      if (first) {
        found.only = found.only && says_the_same(*first, *read);
      } else {
        found = {.width = width, .only = true};
        first = std::move(read);
      }
    }
    return found;
  }

  [[nodiscard]] std::vector<Edit> indented(const std::vector<Span>& places,
                                           std::size_t width) const {
    std::vector<Edit> edits;
    for (const Span& place : places) {
      std::string blanks;
      for (const char c : text().substr(place.begin, place.end - place.begin))
        blanks.append(c == '\t' ? width : 1, ' ');
      edits.push_back(writing_.replace(place, std::move(blanks)));
    }
    return edits;
  }

  template <class Insert>
  void syntax(std::size_t line_end, const Insert& insert) {
    const Span where = diagnostic_.where;
    const char first = where.begin < text().size() ? text()[where.begin] : '\0';
    if (first == '"' || first == '\'') {
      insert("add the missing quote", line_end, std::string(1, first));
      const std::size_t comma = text().find_first_of(",}]\n", where.begin);
      if (comma < line_end) insert("add the missing quote", comma, std::string(1, first));
    }
    if (first == '{' || first == '[') {
      const std::string closing(first == '{' ? " }" : "]");
      const std::string title = "add the missing '" + closing.substr(closing.size() - 1) + "'";
      insert(title, line_end, closing);
      for (const Span& related : diagnostic_.related) {
        const auto last = text().substr(0, related.begin).find_last_not_of(" \t\r\n");
        insert(title, last == std::string_view::npos ? 0 : last + 1, closing);
      }
    }
    if (any(written(), {"}", "]"})) replace("remove the bracket", where, "", true);
    // A value that needs quotes: behind the first ": " or "- " of the line.
    const std::size_t begin = text().substr(0, where.begin + 1).find_last_of('\n') + 1;
    const auto line = text().substr(begin, line_end - begin);
    for (const std::string_view mark : {": ", "- "}) {
      const std::size_t at = line.find(mark);
      if (at == std::string_view::npos) continue;
      const std::size_t start = line.find_first_not_of(' ', at + mark.size());
      if (start == std::string_view::npos) continue;
      std::string value(line.substr(start));
      const bool double_quotes = value.size() > 1 && value[0] == '"' && value.back() == '"';
      if (double_quotes) value = value.substr(1, value.size() - 2);
      std::string doubled;
      for (const char c : value) doubled += c == '\'' ? std::string("''") : std::string(1, c);
      replace(double_quotes ? "use single quotes" : "quote the value",
              {0, static_cast<std::uint32_t>(begin + start), static_cast<std::uint32_t>(line_end)},
              '\'' + doubled + '\'', diagnostic_.remedy.find("quote") != std::string::npos);
    }
  }

  /// Where the anchor is that an alias at `end` means: the last one before it that stands before a
  /// value, and in no comment.
  [[nodiscard]] std::size_t anchor_before(std::size_t end, const std::string& name) const {
    constexpr auto none = std::string_view::npos;
    for (std::size_t at = end; at > 0;) {
      at = text().rfind('&' + name, at - 1);
      if (at == none) return none;
      const std::size_t behind = at + 1 + name.size();
      const auto line = text().substr(0, at).find_last_of('\n');
      const auto before =
          text().substr(line == none ? 0 : line + 1, at - (line == none ? 0 : line + 1));
      const auto last = before.find_last_not_of(' ');
      const bool opens = last == none || std::string_view(":-,[{?").find(before[last]) != none;
      const bool comment = before.starts_with('#') || before.find(" #") != none;
      const bool whole =
          behind < text().size() && std::string_view(" \r\n").find(text()[behind]) != none;
      if (opens && !comment && whole) return at;
    }
    return none;
  }

  /// The value that the alias stands for, if it is written on one line.
  void alias() {
    const std::string name = written().substr(std::min<std::size_t>(1, written().size()));
    const std::size_t anchor = anchor_before(diagnostic_.where.begin, name);
    if (name.empty() || anchor == std::string_view::npos) return;
    const std::size_t begin =
        std::min(text().find_first_not_of(' ', anchor + 1 + name.size()), text().size());
    if (begin == anchor + 1 + name.size()) return;
    const std::size_t end = std::min(text().find_first_of("\r\n", begin), text().size());
    auto value = text().substr(begin, end - begin);
    if (value.empty()) return;
    const bool brackets = value[0] == '{' || value[0] == '[';
    value = value.substr(0, value.find(" #"));
    if (!brackets) value = value.substr(0, value.find_first_of(",}]"));
    value = value.substr(0, value.find_last_not_of(' ') + 1);
    if (value.empty()) return;
    replace("write the value out", diagnostic_.where, std::string(value), true);
  }

  const Writing& writing_;
  const source::Diagnostic& diagnostic_;
  std::vector<Fix> fixes_;
};

}  // namespace

std::vector<Fix> document_fixes(const Writing& writing, const source::Diagnostic& diagnostic) {
  return DocumentIdeas(writing, diagnostic).think();
}

}  // namespace caisson::editor
