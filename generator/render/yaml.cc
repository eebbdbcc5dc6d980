#include "generator/render/yaml.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/hex.h"
#include "generator/render/comment.h"
#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

/// Words that YAML 1.1 or 1.2 read as something other than a string, in lower case.
constexpr std::array<std::string_view, 11> reserved{"y",    "n",     "yes",  "no",   "on",  "off",
                                                    "true", "false", "null", ".inf", ".nan"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Plain only what no YAML parser takes for a number, date, boolean, null, indicator or comment: a
/// word that begins with a letter, '/' or '_' (also as a relative path or a command line option),
/// of characters without any meaning in YAML.
bool plain(std::string_view text) {
  if (text.empty() || text.back() == ':') return false;
  auto word = text;
  for (const std::string_view prefix : {"./", "../", "--", "-"}) {
    if (!word.starts_with(prefix)) continue;
    word.remove_prefix(prefix.size());
    break;
  }
  if (word.empty() || (!is_letter(word[0]) && word[0] != '/' && word[0] != '_')) return false;
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && std::string_view("_-./:@+=").find(c) == text.npos) {
      return false;
    }
  }
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(reserved, lower) == reserved.end();
}

/// Printable in both versions of YAML, and on one line.
bool printable(char32_t c) {
  if (c < 0x20 || c == 0x7f) return false;
  if (c < 0x80) return true;
  if (c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff) return false;
  return c < 0xd800 || (c >= 0xe000 && c < 0xfffe) || c >= 0x10000;
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    const char32_t c = next_scalar(text, i);
    switch (c) {
      case U'"':
        out += "\\\"";
        break;
      case U'\\':
        out += "\\\\";
        break;
      case U'\n':
        out += "\\n";
        break;
      case U'\t':
        out += "\\t";
        break;
      case U'\r':
        out += "\\r";
        break;
      default:
        if (printable(c)) {
          out += text.substr(start, i - start);
        } else {
          out += c < 0x100 ? "\\x" + hex_number(c, 2) : "\\u" + hex_number(c, 4);
        }
    }
  }
  return out + '"';
}

bool all_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (!printable(next_scalar(text, i))) return false;
  }
  return true;
}

/// Several printable lines that a block scalar gives back as they are: no indentation to guess, no
/// blank at the end of a line or of the text.
bool is_block(std::string_view text) {
  if (text.find('\n') >= text.size() - 1 || text.front() == ' ' || text.front() == '\n' ||
      text.back() == ' ' || text.ends_with("\n\n")) {
    return false;
  }
  if (text.find(" \n") != text.npos) return false;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = next_scalar(text, i);
    if (c != U'\n' && !printable(c)) return false;
  }
  return true;
}

struct Writer {
  std::string out;

  void indent(std::size_t depth) { out.append(depth * 2, ' '); }

  void comment(const Node& node, std::size_t depth) {
    if (node.comment().empty()) return;
    indent(depth);
    out += comment_lines(node.comment());
  }

  /// Text of several lines, as lines.
  void block(std::string_view text, std::size_t depth) {
    out += text.back() == '\n' ? " |\n" : " |-\n";
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end);
      if (!line.empty()) {
        indent(depth);
        out += line;
      }
      out += '\n';
      text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    }
  }

  /// After "key:" or "-": a scalar on the same line, or a block below.
  void value(const Node& node, std::size_t depth) {
    if (const auto* entries = node.map(); entries != nullptr && !entries->empty()) {
      out += '\n';
      map(*entries, depth);
    } else if (const auto* elements = node.list(); elements != nullptr && !elements->empty()) {
      out += '\n';
      list(*elements, depth);
    } else if (const auto* text = node.text(); text != nullptr && is_block(*text)) {
      block(*text, depth);
    } else {
      out += ' ';
      scalar(node);
      out += '\n';
    }
  }

  void map(const Node::Map& entries, std::size_t depth, bool first_in_place = false) {
    for (const auto& [key, node] : entries) {
      if (!first_in_place) {
        comment(node, depth);
        indent(depth);
      }
      first_in_place = false;
      out += yaml_scalar(key);
      out += ':';
      value(node, depth + 1);
    }
  }

  void list(const Node::List& elements, std::size_t depth) {
    for (const auto& node : elements) {
      comment(node, depth);
      indent(depth);
      out += '-';
      if (const auto* entries = node.map(); entries != nullptr && !entries->empty()) {
        out += ' ';
        map(*entries, depth + 1, true);
      } else {
        value(node, depth + 1);
      }
    }
  }

  void scalar(const Node& node) {
    struct Visitor {
      std::string operator()(std::monostate) const { return "null"; }
      std::string operator()(bool value) const { return value ? "true" : "false"; }
      std::string operator()(std::int64_t value) const { return std::to_string(value); }
      std::string operator()(double value) const { return decimal(value); }
      std::string operator()(const std::string& value) const { return yaml_scalar(value); }
      std::string operator()(const Node::List&) const { return "[]"; }
      std::string operator()(const Node::Map&) const { return "{}"; }
    };
    out += std::visit(Visitor{}, node.value());
  }
};

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (plain(text)) return std::string(text);
  return all_printable(text) ? single_quoted(text) : double_quoted(text);
}

std::string to_yaml(const Node& document, std::string_view header) {
  Writer writer;
  writer.out = comment_lines(header);
  writer.out += "---\n";
  if (const auto* entries = document.map(); entries != nullptr && !entries->empty()) {
    writer.map(*entries, 0);
  } else if (const auto* elements = document.list(); elements != nullptr && !elements->empty()) {
    writer.list(*elements, 0);
  } else {
    writer.scalar(document);
    writer.out += '\n';
  }
  return std::move(writer.out);
}

}  // namespace caisson::render
