// The only reader of yaml-cpp. Its event interface is used, not YAML::Load: Load accepts duplicate
// keys and reports an alias at the place of its anchor.

#include <algorithm>
#include <array>
#include <istream>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "generator/spec/document.h"
#include "generator/spec/read_trace.h"
#include "generator/spec/tabs.h"

namespace caisson::spec {
namespace {

using source::Diagnostic;
using source::Diagnostics;
using source::Span;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A binary file has millions; nobody mends them one by one.
constexpr std::size_t most_controls = 20;

/// Stops yaml-cpp in the middle of a document; never leaves this file.
struct Abandon {};

/// Reads from memory without the copy that std::istringstream makes.
class View final : public std::streambuf {
 public:
  explicit View(std::string_view text) {
    auto* begin = const_cast<char*>(text.data());  // NOLINT: the get area is never written
    setg(begin, begin, begin + text.size());
  }

  [[nodiscard]] std::size_t taken() const { return static_cast<std::size_t>(gptr() - eback()); }
};

/// `value` with what yaml-cpp makes of the escapes `\N` and `\_`, one byte, as UTF-8 (U+0085 and
/// U+00A0). Nothing else in a text that was checked becomes an invalid byte.
std::string mended(std::string_view value) {
  std::string out;
  while (const auto at = first_invalid_utf8(value)) {
    out += value.substr(0, *at);
    append_utf8(out, static_cast<unsigned char>(value[*at]));
    value.remove_prefix(*at + 1);
  }
  return out += value;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::uint32_t offset, std::uint32_t file,
              Diagnostics& diagnostics, const DocumentLimits& limits)
      : text_(text), offset_(offset), file_(file), diagnostics_(diagnostics), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    const auto at = place(mark);
    const auto marker = text_.rfind("---", at);
    const auto begin = marker == std::string_view::npos ? at : static_cast<std::uint32_t>(marker);
    error("E0013", {file_, begin, begin + 3}, "the file holds more than one document",
          "keep one; variants go under 'environments'");
    throw Abandon{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node{.kind = Node::Kind::null, .span = null_span(mark)};
    node.text = text_.substr(node.span.begin, node.span.end - node.span.begin);
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    const auto span = word_at(place(mark));
    error("E0010", span, "alias '" + text(span) + "' is not supported",
          "write the value out where it is used");
    add(Node{.kind = Node::Kind::null, .span = span});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    refuse_tag(mark, tag);
    add(Node{.kind = Node::Kind::scalar,
             .quoted = tag == "!",
             .span = scalar_span(place(mark), value),
             .text = mended(value)});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override {
    report_duplicates(open_.back().node);
    close();
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    const auto begin = find_back('&', place(mark));
    error("E0009", {file_, begin, begin + static_cast<std::uint32_t>(name.size()) + 1},
          "anchor '&" + name + "' is not supported", "write the value out where it is used");
  }

  [[nodiscard]] std::optional<Node> take() { return std::move(root_); }
  /// What there is when nothing more comes.
  [[nodiscard]] std::optional<Node> take_unfinished() {
    while (open_.size() > 1) {
      Node node = std::move(open_.back().node);
      open_.pop_back();
      auto& parent = open_.back();
      if (parent.node.kind == Node::Kind::sequence) {
        parent.node.items.push_back(std::move(node));
      } else {
        Entry entry = parent.key ? std::move(*parent.key) : Entry{.key = {}, .key_span = node.span};
        entry.value = std::move(node);
        parent.node.fields.push_back(std::move(entry));
      }
    }
    return open_.empty() ? std::move(root_) : std::optional(std::move(open_.front().node));
  }
  [[nodiscard]] int documents() const { return documents_; }
  /// Where the last value begins, so far.
  [[nodiscard]] std::uint32_t last() const { return last_; }
  [[nodiscard]] std::uint32_t place(const YAML::Mark& mark) const {
    const auto at = offset_ + static_cast<std::size_t>(std::max(mark.pos, 0));
    return static_cast<std::uint32_t>(std::min(at, text_.size()));
  }
  [[nodiscard]] std::string text(Span span) const {
    return std::string(text_.substr(span.begin, span.end - span.begin));
  }
  [[nodiscard]] Span word_at(std::uint32_t begin) const {
    const auto end = std::min(text_.find_first_of(" \t\r\n,]}", begin), text_.size());
    return {file_, begin, static_cast<std::uint32_t>(end)};
  }
  /// Where the innermost list or map that is still open begins.
  [[nodiscard]] std::optional<Span> innermost() const {
    return open_.empty() ? std::nullopt : std::optional(open_.back().node.span);
  }

 private:
  struct Open {
    Node node;
    std::optional<Entry> key;  ///< a map's key that waits for its value
    bool usable = true;        ///< false: the key was refused, its value is read and dropped
  };

  void error(std::string_view code, Span where, std::string message, std::string remedy,
             std::vector<Span> related = {}) {
    diagnostics_.report(Diagnostic{.code = code,
                                   .where = where,
                                   .message = std::move(message),
                                   .remedy = std::move(remedy),
                                   .related = std::move(related)});
  }

  [[nodiscard]] std::uint32_t find_back(char c, std::uint32_t from) const {
    const auto found = text_.rfind(c, from);
    return found == std::string_view::npos ? from : static_cast<std::uint32_t>(found);
  }

  /// A null that is written (`~`, `null`) has a place; one that is left out stands where its key
  /// does.
  [[nodiscard]] Span null_span(const YAML::Mark& mark) const {
    const auto span = word_at(place(mark));
    const auto word = text(span);
    if (word == "~" || word == "null" || word == "Null" || word == "NULL") return span;
    if (!open_.empty() && open_.back().key) return open_.back().key->key_span;
    return {file_, span.begin, span.begin};
  }

  /// Just behind the closing quote of the scalar that opens at `begin`.
  [[nodiscard]] std::optional<std::size_t> closing_quote(std::uint32_t begin) const {
    const char quote = text_[begin];
    for (std::size_t at = begin + 1; at < text_.size(); ++at) {
      const bool escaped = quote == '"' ? text_[at] == '\\' : text_.substr(at, 2) == "''";
      if (escaped) {
        ++at;
      } else if (text_[at] == quote) {
        return at + 1;
      }
    }
    return std::nullopt;
  }

  /// The place of a scalar that starts at `begin`; yaml-cpp tells only where it starts.
  [[nodiscard]] Span scalar_span(std::uint32_t begin, const std::string& value) {
    const auto until = [&](std::size_t end) {
      return Span{file_, begin, static_cast<std::uint32_t>(end)};
    };
    if (begin >= text_.size()) return until(begin);
    const auto line_end = [&] { return std::min(text_.find('\n', begin), text_.size()); };
    if (text_[begin] == '"' || text_[begin] == '\'') {
      if (const auto end = closing_quote(begin)) return until(*end);
      // yaml-cpp takes the rest of the file for the value.
      error("E0001", until(line_end()), "a quoted value is never closed", "add the missing quote");
      throw Abandon{};
    }
    if (text_.substr(begin, value.size()) == value) return until(begin + value.size());
    return until(line_end());  // a block scalar, or a plain one over several lines
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    const auto begin = place(mark);
    const bool written = begin < text_.size() && text_[begin] == '!';
    if (!written && (tag.empty() || tag == "?" || tag == "!")) return;
    const auto span = word_at(begin);
    error("E0012", span, "tag '" + text(span) + "' is not supported",
          "remove it; quote a value to make it text");
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    refuse_tag(mark, tag);
    const auto begin = place(mark);
    last_ = std::max(last_, begin);
    if (open_.size() >= limits_.depth) {
      error("E0007", {file_, begin, begin + 1},
            "values are nested deeper than " + std::to_string(limits_.depth) + " levels",
            "nothing in a spec nests that deeply");
      throw Abandon{};
    }
    open_.push_back({.node = Node{.kind = kind, .span = {file_, begin, begin + 1}}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    if (!node.items.empty()) node.span.end = node.items.back().span.end;
    if (!node.fields.empty()) node.span.end = node.fields.back().value.span.end;
    add(std::move(node));
  }

  void add(Node node) {
    last_ = std::max(last_, node.span.begin);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (parent.node.kind == Node::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key) {
      parent.key->value = std::move(node);
      if (parent.usable) parent.node.fields.push_back(std::move(*parent.key));
      parent.key.reset();
    } else {
      add_key(parent, std::move(node));
    }
  }

  void add_key(Open& parent, Node key) {
    if (key.kind != Node::Kind::scalar) {
      error("E0014", key.span, "a key must be a plain name",
            key.kind == Node::Kind::null ? "write the name before the ':'"
                                         : "a list or a map cannot be a key");
    } else if (key.text == "<<" && !key.quoted) {
      error("E0011", key.span, "merge key '<<' is not supported",
            "write the keys out, or share them through a tier or an environment");
    }
    parent.usable = key.kind == Node::Kind::scalar && (key.quoted || key.text != "<<");
    parent.key = Entry{.key = std::move(key.text), .key_span = key.span};
  }

  void report_duplicates(const Node& map) {
    std::vector<const Entry*> entries;
    entries.reserve(map.fields.size());
    for (const auto& entry : map.fields) entries.push_back(&entry);
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry* a, const Entry* b) { return a->key < b->key; });
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i]->key != entries[i - 1]->key) continue;
      const auto first = entries[i - 1]->key_span;
      error("E0008", entries[i]->key_span, "key '" + entries[i]->key + "' is given twice",
            "keep one; the first is at line " + std::to_string(line_of(first.begin)), {first});
    }
  }

  [[nodiscard]] std::size_t line_of(std::uint32_t offset) const {
    const auto before = text_.substr(0, offset);
    return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  }

  std::string_view text_;
  std::uint32_t offset_;
  std::uint32_t file_;
  Diagnostics& diagnostics_;
  const DocumentLimits& limits_;
  std::vector<Open> open_;
  std::optional<Node> root_;
  std::uint32_t last_ = 0;
  int documents_ = 0;
};

/// What yaml-cpp says, in words that help. Matched by the start of its message.
struct Wording {
  std::string_view theirs, message, remedy;
};

constexpr std::array<Wording, 9> wordings{{
    {"illegal map value", "a ':' is not possible here",
     "quote the value if ': ' belongs to it, or check the indentation of this line"},
    {"end of map not found", "this line does not line up with the map it belongs to",
     "indent it like the keys above, or close the '{'"},
    {"end of sequence not found", "this line does not line up with the list it belongs to",
     "indent it like the items above"},
    {"illegal block entry", "a list item is not possible here",
     "give the list its own line below the key, indented"},
    {"illegal EOF in scalar", "a quoted value is never closed", "add the missing quote"},
    {"illegal document indicator in scalar", "a quoted value is never closed",
     "add the missing quote"},
    {"illegal flow end", "this bracket closes none that is open",
     "close every '[' and '{' in turn"},
    {"unknown escape character", "unknown escape in a double-quoted value",
     "use single quotes to keep backslashes as they are"},
    {"unknown token", "this character cannot start a value", "quote the value"},
}};

void report_syntax(const YAML::Exception& exception, const TreeBuilder& builder,
                   const source::SourceFile& source, std::uint32_t file, Diagnostics& diagnostics) {
  const auto begin = builder.place(exception.mark);
  const auto text = source.text();
  // A tab in the indentation is the usual cause, whatever the parser stumbles over: name every one.
  const auto tabs = tabs_in_indentation(text, file);
  for (const Span& tab : tabs)
    diagnostics.report({.code = "E0002",
                        .where = tab,
                        .message = "a tab is used for indentation",
                        .remedy = "use spaces"});
  if (!tabs.empty()) return;

  if (exception.msg == YAML::ErrorMsg::UNKNOWN_ANCHOR) {
    const auto star = begin > 0 && text[begin - 1] == '*' ? begin - 1 : begin;
    const Span where{file, star, builder.word_at(begin).end};
    diagnostics.report({.code = "E0010",
                        .where = where,
                        .message = "alias '" + builder.text(where) + "' is not supported",
                        .remedy = "write the value out where it is used"});
    return;
  }
  const bool unclosed = exception.msg == YAML::ErrorMsg::END_OF_MAP_FLOW ||
                        exception.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (unclosed && builder.innermost()) {
    // The parser notices far from the mistake: where the bracket opens is the better place.
    const Span opening = *builder.innermost();
    const bool map = exception.msg == YAML::ErrorMsg::END_OF_MAP_FLOW;
    const auto at = source.position(begin);
    diagnostics.report({.code = "E0001",
                        .where = opening,
                        .message = map ? "the '{' is never closed" : "the '[' is never closed",
                        .remedy = std::string("add the missing '") + (map ? "}'" : "]'") +
                                  " before line " + std::to_string(at.line) + ", column " +
                                  std::to_string(at.column),
                        .related = {{file, begin, begin}}});
    return;
  }

  const auto known = std::find_if(wordings.begin(), wordings.end(), [&](const Wording& wording) {
    return exception.msg.starts_with(wording.theirs);
  });
  const bool found = known != wordings.end();
  diagnostics.report(
      {.code = "E0001",
       .where = {file, begin, begin + 1},
       .message = found ? std::string(known->message) : "the YAML cannot be read: " + exception.msg,
       .remedy = found ? std::string(known->remedy)
                       : "check quotes and indentation here and on the line before"});
}

}  // namespace

bool check_text(const source::SourceFile& source, std::uint32_t file, Diagnostics& diagnostics,
                const DocumentLimits& limits) {
  const auto text = source.text();
  const auto refuse = [&](std::string_view code, std::size_t at, std::string message,
                          std::string remedy) {
    const auto begin = static_cast<std::uint32_t>(at);
    diagnostics.report({.code = code,
                        .where = {file, begin, begin + 1},
                        .message = std::move(message),
                        .remedy = std::move(remedy)});
  };
  if (text.size() > limits.bytes) {
    refuse("E0006", 0,
           "the file has " + std::to_string(text.size()) + " bytes; the limit is " +
               std::to_string(limits.bytes),
           "put a large tenant list into a file of its own with 'tenants: { file: ... }'");
    return false;
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    refuse("E0003", 0, "the file is UTF-16", "save the file as UTF-8");
    return false;
  }
  if (const auto at = first_invalid_utf8(text)) {
    refuse("E0003", *at, "the file is not UTF-8: invalid byte", "save the file as UTF-8");
    return false;
  }
  std::size_t controls = 0;
  for (std::size_t at = 0; at < text.size() && controls < most_controls; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte >= 0x20 && byte != 0x7F) || byte == '\t' || byte == '\n' || byte == '\r') continue;
    refuse("E0004", at, "control character 0x" + hex_number(byte, 2) + " in the file",
           byte == 0 ? "remove it" : "remove it, or write it as an escape in double quotes");
    ++controls;
  }
  return controls == 0;
}

std::optional<Node> read_document(const source::SourceFile& source, std::uint32_t file,
                                  Diagnostics& diagnostics, const DocumentLimits& limits) {
  ReadTrace unheard;
  return read_document(source, file, diagnostics, limits, unheard);
}

std::optional<Node> read_document(const source::SourceFile& source, std::uint32_t file,
                                  Diagnostics& diagnostics, const DocumentLimits& limits,
                                  ReadTrace& trace) {
  trace = {.gave_up = !check_text(source, file, diagnostics, limits)};
  if (trace.gave_up) return std::nullopt;
  const auto text = source.text();
  const std::uint32_t skipped = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  TreeBuilder builder(text, skipped, file, diagnostics, limits);
  View buffer(text.substr(skipped));
  try {
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& exception) {
    trace.gave_up = true;
    trace.syntax = true;
    report_syntax(exception, builder, source, file, diagnostics);
  } catch (const Abandon&) {
    trace.gave_up = true;
  }
  trace.seen = skipped + buffer.taken();
  trace.parsed = builder.last();
  if (trace.gave_up && !trace.syntax && builder.documents() > 1) return builder.take();
  if (trace.gave_up) {
    trace.unfinished = builder.take_unfinished();
    return std::nullopt;
  }
  auto document = builder.take();
  if (!document || document->kind == Node::Kind::null) {
    diagnostics.report({.code = "E0005",
                        .where = {file, 0, 0},
                        .message = "the file is empty",
                        .remedy = "'caisson init' writes a starter spec"});
    return std::nullopt;
  }
  return document;
}

}  // namespace caisson::spec
