#include "generator/spec/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "base/suggestion.h"
#include "generator/spec/foreign_words.h"

namespace caisson::spec {
namespace {

constexpr std::size_t longest_quote = 40;

std::string_view describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "nothing";
}

/// Text in YAML's single quotes.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

// How to turn what was written into what is expected.
std::string how_to_write(const Node& node, std::string_view expected, std::string_view key) {
  constexpr std::size_t short_enough = 40;
  constexpr std::size_t longest_command = 160;
  if (expected.starts_with("a list")) {
    if (key == "command" && node.kind == Node::Kind::scalar &&
        node.text.size() <= longest_command) {
      return "write " + as_command(node.text);
    }
    const bool item = node.kind == Node::Kind::scalar && node.text.size() <= short_enough;
    return item ? "write [" + as_item(node) + "]" : "start each item with '- '";
  }
  if (expected == "a map") return "write keys as 'key: value'";
  if (node.kind == Node::Kind::sequence) return "write one value";
  return node.kind == Node::Kind::map ? "write the value behind the ':'" : std::string();
}

// What is not YAML 1.2's core schema, but what people write who know YAML 1.1.
bool means_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 12> words{"yes", "no",  "on",   "off",   "Yes",  "No",
                                                   "On",  "Off", "True", "False", "TRUE", "FALSE"};
  return std::ranges::find(words, text) != words.end();
}

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string plain(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

}  // namespace

std::string as_item(const Node& node) {
  constexpr std::string_view of_flows = ",[]{}\"'";
  constexpr std::string_view of_starts = "&*!|>%@`#?:-";
  const auto& text = node.text;
  const bool plain = !node.quoted && !text.empty() &&
                     text.find_first_of(of_flows) == std::string::npos &&
                     of_starts.find(text.front()) == std::string_view::npos;
  return plain ? text : in_quotes(text);
}

std::string quote(std::string_view text) {
  std::string out = "'";
  std::size_t length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // Cut between characters, never inside one.
    if ((byte & 0xC0U) != 0x80U && ++length > longest_quote) return out + "...'";
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out + "'";
}

std::string as_command(const std::string& line) {
  constexpr std::string_view of_shells = "\"'\\$`|&;<>()*?~#{}[]!";
  const auto quoted = [](std::string_view word) {
    constexpr std::array<std::string_view, 6> no_text{"-", "~", "null", "Null", "NULL", ""};
    const bool plain = std::ranges::all_of(word, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("/._-+=").find(c) != std::string_view::npos;
    });
    const bool is_text = std::ranges::find(no_text, word) == no_text.end();
    return plain && is_text ? std::string(word) : in_quotes(word);
  };
  const bool sets_variables = line.substr(0, line.find(' ')).find('=') != std::string::npos;
  if (sets_variables || line.find_first_of(of_shells) != std::string::npos) {
    return "[/bin/sh, -c, " + quoted(line) + "]";
  }
  std::string out = "[";
  for (std::size_t at = line.find_first_not_of(' '); at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    out += (out.size() == 1 ? "" : ", ") + quoted(std::string_view(line).substr(at, end - at));
    at = std::min(line.find_first_not_of(' ', end), line.size());
  }
  return out + "]";
}

Node key_node(const Entry& entry) {
  return {.kind = Node::Kind::scalar, .quoted = true, .span = entry.key_span, .text = entry.key};
}

const Field* Reader::field() const { return steps_.empty() ? nullptr : steps_.back().field; }

Reader::Scope Reader::enter(const Entry& entry, const Field* field) {
  steps_.push_back({.entry = &entry, .field = field});
  return Scope(*this);
}

Reader::Scope Reader::enter(std::size_t index) {
  steps_.push_back({.index = index});
  return Scope(*this);
}

std::string Reader::path() const {
  std::string path;
  for (const Step& step : steps_) {
    if (step.entry == nullptr) {
      path += '[' + std::to_string(step.index) + ']';
    } else {
      if (!path.empty()) path += '.';
      path += step.entry->key;
    }
  }
  return path;
}

std::string Reader::subject() const { return steps_.empty() ? std::string(subject_) : path(); }

std::string Reader::in_path() const { return steps_.empty() ? "" : " in " + path(); }

bool Reader::refuse(std::string_view code, source::Span where, std::string message,
                    std::string remedy) {
  diagnostics_.report({.severity = source::Severity::error,
                       .code = code,
                       .where = where,
                       .message = std::move(message),
                       .remedy = std::move(remedy)});
  return false;
}

bool Reader::invalid(const Node& node, std::string_view code, std::string_view noun,
                     std::string remedy) {
  return refuse(code, node.span,
                "invalid " + std::string(noun) + ' ' + quote(node.text) + in_path(),
                std::move(remedy));
}

bool Reader::wrong_kind(const Node& node, std::string_view expected, std::string remedy) {
  const std::string name = subject();
  if (node.kind == Node::Kind::null) {
    return refuse("E0103",
                  steps_.empty() || steps_.back().entry == nullptr ? node.span
                                                                   : steps_.back().entry->key_span,
                  name + " has no value", "write " + std::string(expected));
  }
  return refuse("E0102", node.span,
                name + " is " + std::string(describe(node.kind)) + " where " +
                    std::string(expected) + " is expected",
                !remedy.empty() ? std::move(remedy)
                                : how_to_write(node, expected,
                                               steps_.empty() || steps_.back().entry == nullptr
                                                   ? std::string_view{}
                                                   : std::string_view(steps_.back().entry->key)));
}

bool Reader::unknown_key(const Entry& entry, std::span<const std::string_view> known,
                         std::string_view elsewhere) {
  std::string remedy = suggest(entry.key, known);
  if (closest(entry.key, known).empty() && !elsewhere.empty()) {
    remedy = "it belongs in " + std::string(elsewhere);
  }
  if (const auto foreign = foreign_remedy(entry.key, known); !foreign.empty()) remedy = foreign;
  if (remedy.empty())
    remedy = "'caisson explain" + (steps_.empty() ? "" : " " + path()) + "' lists the keys";
  return refuse("E0101", entry.key_span, "unknown key " + quote(entry.key) + in_path(),
                std::move(remedy));
}

bool Reader::missing_key(const Node& map, std::string_view key, std::string_view doc) {
  const bool named = !steps_.empty() && steps_.back().entry != nullptr;
  return refuse("E0104", named ? steps_.back().entry->key_span : map.span,
                subject() + " has no " + quote(key),
                "add '" + std::string(key) + "': " + std::string(doc));
}

bool Reader::exactly_one(const Node& map, std::span<const std::string_view> keys) {
  const Entry* first = nullptr;
  for (const Entry& entry : map.fields) {
    if (std::ranges::find(keys, entry.key) == keys.end()) continue;
    if (entry.value.kind == Node::Kind::null) continue;
    if (first != nullptr) {
      return refuse(
          "E0105", entry.key_span,
          quote(first->key) + " and " + quote(entry.key) + " exclude each other" + in_path(),
          entry.key_span.begin > first->key_span.begin
              ? "keep one of them"
              : "keep one of them; an environment removes a key with '" + first->key + ": null'");
    }
    first = &entry;
  }
  if (first != nullptr || keys.empty() || partial_) return true;
  const bool named = !steps_.empty() && steps_.back().entry != nullptr;
  return refuse("E0104", named ? steps_.back().entry->key_span : map.span,
                subject() + " has none of " + any_of(keys), "add one of them");
}

const std::string* Reader::text(const Node& node, std::string_view expected) {
  if (node.kind == Node::Kind::scalar) return &node.text;
  wrong_kind(node, expected);
  return nullptr;
}

std::optional<std::size_t> Reader::word(const Node& node, std::span<const std::string_view> words) {
  const std::string* written = text(node, any_of(words));
  if (written == nullptr) return std::nullopt;
  const auto found = std::ranges::find(words, *written);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string remedy = suggest(*written, words);
  if (!closest(*written, words).empty() && words.size() > 1)
    remedy += " it is one of " + any_of(words);
  refuse("E0106", node.span, "unknown value " + quote(*written) + in_path(), std::move(remedy));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(const Node& node, std::string_view expected) {
  const std::string* written = text(node, expected);
  if (written == nullptr) return std::nullopt;
  if (!node.quoted && *written == "true") return true;
  if (!node.quoted && *written == "false") return false;
  std::string remedy = "write " + std::string(expected);
  if (node.quoted && (*written == "true" || *written == "false"))
    remedy += " without quotes";
  else if (means_boolean(*written))
    remedy += "; only these two words are booleans";
  refuse("E0107", node.span, quote(*written) + " is no boolean" + in_path(), std::move(remedy));
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(const Node& node, std::int64_t low, std::int64_t high) {
  const std::string bounds =
      "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  const std::string* written = text(node, bounds);
  if (written == nullptr) return std::nullopt;
  const std::optional<std::int64_t> value =
      node.quoted ? std::nullopt : parse<std::int64_t>(*written);
  if (value && *value >= low && *value <= high) return value;
  refuse("E0108", node.span,
         value ? *written + " is out of range" + in_path()
               : quote(*written) + " is no whole number" + in_path(),
         "write " + bounds + (node.quoted ? " without quotes" : ""));
  return std::nullopt;
}

std::optional<double> Reader::number(const Node& node, double low, double high) {
  const std::string bounds = "a number from " + plain(low) + " to " + plain(high);
  const std::string* written = text(node, bounds);
  if (written == nullptr) return std::nullopt;
  const std::optional<double> value = node.quoted ? std::nullopt : parse<double>(*written);
  if (value && std::isfinite(*value) && *value >= low && *value <= high) return value;
  refuse("E0108", node.span,
         value ? *written + " is out of range" + in_path()
               : quote(*written) + " is no number" + in_path(),
         "write " + bounds + (node.quoted ? " without quotes" : ""));
  return std::nullopt;
}

}  // namespace caisson::spec
