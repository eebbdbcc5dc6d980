#include "generator/render/unit_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/hex.h"
#include "generator/render/comment.h"
#include "generator/render/scalar_text.h"
#include "generator/render/unit_format.h"
#include "generator/render/unit_value.h"

namespace caisson::render {

namespace {

/// systemd's own LONG_LINE_MAX is 1 MiB.
constexpr std::size_t longest_line = 1'000'000;

tl::unexpected<Failure> cannot(std::string_view what, const std::string& why) {
  return fail(std::string(what) + " cannot be written in a unit file: " + why,
              "change the value, or set targets.systemd: false");
}

/// Directives whose values are lists of paths and of pairs of paths, which systemd splits at blanks
/// and colons.
constexpr std::array path_lists{"BindPaths", "BindReadOnlyPaths", "ReadWritePaths",
                                "TemporaryFileSystem"};

/// What systemd's utf8_is_valid() refuses of valid UTF-8, and control characters.
Result<void> check(std::string_view text, std::string_view what, bool quoted) {
  for (std::size_t at = 0; at < text.size();) {
    const auto scalar = next_scalar(text, at);
    const bool control = scalar < 0x20 || scalar == 0x7f;
    if (control && !(quoted && (scalar == '\n' || scalar == '\t'))) {
      return cannot(what, "it holds the control character U+" + hex_number(scalar, 4));
    }
    if ((scalar & 0xfffeU) == 0xfffeU || (scalar >= 0xfdd0 && scalar <= 0xfdef)) {
      return cannot(what, "it holds U+" + hex_number(scalar, 4) + ", which is no character");
    }
  }
  return {};
}

bool is_bare(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./:@,+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string doubled(std::string_view text, std::string_view which) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (which.find(c) != std::string_view::npos) out += c;
  }
  return out;
}

/// A word of a line that systemd splits at blanks, with the characters of `special` doubled.
Result<std::string> word(std::string_view text, std::string_view what, std::string_view special) {
  if (auto fine = check(text, what, true); !fine) return tl::unexpected(fine.error());
  if (is_bare(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : doubled(text, special)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

Result<std::string> scalar(const Node& node, const std::string& what) {
  if (const auto* flag = std::get_if<bool>(&node.value())) return *flag ? "yes" : "no";
  if (const auto* number = std::get_if<std::int64_t>(&node.value())) {
    return std::to_string(*number);
  }
  const auto* text = node.text();
  if (text == nullptr) return cannot(what, "it is neither text nor a whole number");
  if (auto fine = check(*text, what, false); !fine) return tl::unexpected(fine.error());
  if (text->starts_with(' ') || text->ends_with(' '))
    return cannot(what, "it has blanks around it");
  if (text->ends_with('\\')) return cannot(what, "it ends with a backslash");
  return takes_percentages(what) ? *text : doubled(*text, "%");
}

/// One entry of a list of paths: no escape means a control character there.
Result<std::string> paths(const Node& node, const std::string& what) {
  if (node.text() == nullptr) return cannot(what, "it is no text");
  std::string_view rest = *node.text();
  if (auto fine = check(rest, what, false); !fine) return tl::unexpected(fine.error());
  // Of these alone systemd removes the backslashes of an entry twice.
  if (what == "TemporaryFileSystem") return word(doubled(rest, "\\"), what, "%");
  std::string out;
  for (bool more = true; more;) {
    const auto colon = std::min(rest.find(':'), rest.size());
    auto written = word(rest.substr(0, colon), what, "%");
    if (!written) return written;
    more = colon < rest.size();
    out += *written + (more ? ":" : "");
    rest.remove_prefix(more ? colon + 1 : colon);
  }
  return out;
}

class Writer {
 public:
  explicit Writer(std::vector<Mistake>& mistakes) : mistakes_(&mistakes) {}

  Result<std::string> write(const Node& tree, std::string_view header) {
    out_ = comment_lines(header);
    if (tree.map() == nullptr) return cannot("the file", "it has no sections");
    for (const auto& [name, section] : *tree.map()) {
      Result<void> fine = check(name, "a section", false);
      if (section.map() == nullptr) fine = cannot("section " + name, "it has no directives");
      if (!fine) {
        if (auto done = refuse(section, tl::unexpected(std::move(fine.error()))); !done)
          return tl::unexpected(done.error());
        continue;
      }
      out_ += (out_.empty() ? "[" : "\n[") + name + "]\n";
      for (const auto& [key, value] : *section.map()) {
        if (auto done = directive(key, value); !done) return tl::unexpected(done.error());
      }
    }
    return out_;
  }

 private:
  Result<void> directive(const std::string& key, const Node& value) {
    if (!is_bare(key) || key.find('=') != std::string::npos) {
      return refuse(value, cannot("a directive", "'" + key + "' is no name of one"));
    }
    out_ += comment_lines(value.comment());
    if (is_command(key)) return command(key, value);
    if (key == "Environment") return environment(value);
    const auto write = std::ranges::find(path_lists, key) != path_lists.end() ? paths : scalar;
    if (const auto* list = value.list()) {
      for (const auto& element : *list) {
        out_ += comment_lines(element.comment());
        if (auto done = line(key, write(element, key), element); !done) return done;
      }
      return {};
    }
    return line(key, write(value, key), value);
  }

  Result<void> command(const std::string& key, const Node& words) {
    if (words.list() == nullptr || words.list()->empty())
      return refuse(words, cannot(key, "it has no words"));
    std::string text;
    for (const auto& element : *words.list()) {
      if (element.text() == nullptr) return refuse(element, cannot(key, "a word of it is no text"));
      // The program is taken as it is, its arguments have their variables expanded.
      auto written = word(*element.text(), key, text.empty() ? "%" : "%$");
      if (!written) return line(key, std::move(written), element);
      text += (text.empty() ? "" : " ") + *written;
    }
    return line(key, std::move(text), words);
  }

  Result<void> environment(const Node& variables) {
    if (variables.map() == nullptr) return refuse(variables, cannot("Environment", "it is no map"));
    for (const auto& [name, value] : *variables.map()) {
      if (value.text() == nullptr) {
        if (auto done = refuse(value, cannot("the variable " + name, "it is no text")); !done)
          return done;
        continue;
      }
      auto written = word(name + '=' + *value.text(), "the variable " + name, "%");
      if (auto done = line("Environment", std::move(written), value); !done) return done;
    }
    return {};
  }

  /// What cannot be said is the mistake of the value in the spec that `from` comes from.
  Result<void> refuse(const Node& from, tl::unexpected<Failure> why) {
    return render::refuse(*mistakes_, from.origin(), std::move(why.value()));
  }

  Result<void> line(const std::string& key, Result<std::string> text, const Node& from) {
    if (text && key.size() + text->size() >= longest_line) text = cannot(key, "it is above 1 MB");
    if (!text) return render::refuse(*mistakes_, from.origin(), std::move(text.error()));
    out_ += key + '=' + *text + '\n';
    return {};
  }

  std::vector<Mistake>* mistakes_;
  std::string out_;
};

}  // namespace

Result<std::string> to_unit_file(const Node& tree, std::string_view header,
                                 std::vector<Mistake>& mistakes) {
  return Writer(mistakes).write(tree, header);
}

std::string unit_line(const Node& tree, std::string_view text, std::size_t line) {
  std::string section;
  std::map<std::string, std::size_t> seen;  // lines of each directive of the section
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    const auto here = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (here.starts_with('[')) {
      section = "/" + pointer_segment(here.substr(1, here.find(']') - 1));
      seen.clear();
      if (number >= line) return section;
    }
    const auto equals = here.find('=');
    if (here.starts_with('[') || here.starts_with('#') || equals == std::string_view::npos)
      continue;
    auto place = section + "/" + pointer_segment(here.substr(0, equals));
    const auto count = seen[place]++;
    if (number < line) continue;
    const auto* node = tree.at(place);
    if (node == nullptr || is_command(here.substr(0, equals))) return place;
    // A directive with several values has a line for each.
    const auto keys = node->keys();
    return count < keys.size() ? place + "/" + pointer_segment(keys[count]) : place;
  }
  return {};
}

Result<std::string> unit_word(std::string_view text, std::string_view what) {
  return word(text, what, "%");
}

}  // namespace caisson::render
