#include "generator/render/people.h"

#include <algorithm>
#include <vector>

#include <kainjow/mustache.hpp>

#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

namespace mustache = kainjow::mustache;

std::string scalar_text(const Node& node) {
  struct Visitor {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return decimal(value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const Node::List&) const { return {}; }
    std::string operator()(const Node::Map&) const { return {}; }
  };
  return std::visit(Visitor{}, node.value());
}

/// What the library renders is one string, so marks travel in it: where a line of the template
/// begins, and which value of the data went in. The language keeps these bytes out of texts, and
/// `convert` keeps them out of everything else.
constexpr char line_mark = '\x01';
constexpr char value_mark = '\x02';
constexpr char end_mark = '\x03';

std::string mark(char kind, std::size_t number) { return kind + std::to_string(number) + end_mark; }

bool is_mark(char c) { return c == line_mark || c == value_mark || c == end_mark; }

/// The data as the library takes it; each scalar with a mark that leads to its origin.
class Converter {
 public:
  mustache::data convert(const Node& node, const Origin& above) {
    const auto& origin = node.origin().at.empty() ? above : node.origin();
    if (const auto* entries = node.map()) {
      mustache::data object{mustache::data::type::object};
      for (const auto& [key, value] : *entries) object.set(key, convert(value, origin));
      return object;
    }
    if (const auto* elements = node.list()) {
      mustache::data list{mustache::data::type::list};
      for (const auto& element : *elements) list.push_back(convert(element, origin));
      return list;
    }
    if (const auto* flag = std::get_if<bool>(&node.value())) return mustache::data{*flag};
    auto text = scalar_text(node);
    std::ranges::replace_if(text, is_mark, ' ');
    if (origin.at.empty()) return mustache::data{text};
    origins_.push_back(origin);
    return mustache::data{mark(value_mark, origins_.size() - 1) + text};
  }

  [[nodiscard]] const std::vector<Origin>& origins() const { return origins_; }

 private:
  std::vector<Origin> origins_;
};

/// Text of a spec inside Markdown: on one line, and no markup of its own.
std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && !is_mark(c)) {
      out += ' ';
    } else if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

bool has_section_tag(std::string_view line) {
  return line.find("{{#") != line.npos || line.find("{{^") != line.npos ||
         line.find("{{/") != line.npos;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\n") == line.npos; }

struct TemplateLine {
  Origin origin;
  std::string_view text;
};

/// The lines of the blueprint `name`, in place of every line `{{>other}}` those of that blueprint.
Result<std::vector<TemplateLine>> template_lines(const Blueprints& blueprints,
                                                 std::string_view name, bool included = false) {
  const auto text = blueprints.text(name);
  if (!text) return tl::unexpected(text.error());
  if (std::ranges::any_of(*text, is_mark)) {
    return fail("blueprint " + std::string(name) + ": there is a control character in it");
  }
  constexpr std::string_view opening = "{{>";
  constexpr std::string_view closing = "}}\n";
  std::vector<TemplateLine> lines;
  std::size_t number = 0;
  for (const auto line : lines_of(*text)) {
    const auto place = std::string(name) + ":" + std::to_string(++number);
    if (!line.starts_with(opening) || !line.ends_with(closing)) {
      lines.push_back({{Origin::Kind::blueprint, place}, line});
      continue;
    }
    if (included) return fail("blueprint " + place + ": what is included includes nothing");
    const auto other = line.substr(opening.size(), line.size() - opening.size() - closing.size());
    auto more = template_lines(blueprints, other, true);
    if (!more) return fail("blueprint " + place + ": " + more.error().what);
    lines.insert(lines.end(), more->begin(), more->end());
  }
  return lines;
}

/// The template with a mark before each line.
std::string marked(const std::vector<TemplateLine>& lines) {
  std::string out;
  std::size_t number = 0;
  for (const auto& line : lines) out += mark(line_mark, number++).append(line.text);
  return out;
}

/// Takes the marks out of what the library rendered: a text whose lines know their origins. A
/// section that is not there leaves neither its line nor a gap; one blank line is enough between
/// paragraphs.
class Reader {
 public:
  Reader(const std::vector<TemplateLine>& lines, const std::vector<Origin>& values)
      : template_(lines), values_(values) {}

  Text read(std::string_view rendered) {
    for (const auto line : lines_of(rendered)) read_line(line);
    while (result_.bytes.ends_with("\n\n")) {
      result_.bytes.pop_back();
      result_.lines.pop_back();
    }
    return std::move(result_);
  }

 private:
  void read_line(std::string_view marked_line) {
    std::string line;
    LineOrigins values;
    bool had_section = false;
    for (std::size_t i = 0; i < marked_line.size(); ++i) {
      const char c = marked_line[i];
      if (!is_mark(c)) {
        line += c;
        continue;
      }
      const auto end = marked_line.find(end_mark, i);
      const auto number = std::stoul(std::string(marked_line.substr(i + 1, end - i - 1)));
      i = end;
      if (c == line_mark) {
        had_section |= has_section_tag(template_[number].text);
        if (is_blank(line)) at_ = number;
      } else if (std::ranges::find(values, values_[number]) == values.end()) {
        values.push_back(values_[number]);
      }
    }
    const bool gap = result_.bytes.empty() || result_.bytes.ends_with("\n\n");
    if (is_blank(line) && (had_section || gap)) return;
    if (!line.ends_with('\n')) line += '\n';
    values.insert(values.begin(), template_[at_].origin);
    result_.add(line, values);
  }

  const std::vector<TemplateLine>& template_;
  const std::vector<Origin>& values_;
  std::size_t at_ = 0;  ///< line of the template that is being read, from 0
  Text result_;
};

}  // namespace

Result<Text> fill(const Blueprints& blueprints, std::string_view name, const Node& data) {
  const auto lines = template_lines(blueprints, name);
  if (!lines) return tl::unexpected(lines.error());
  const auto broken = [&](const std::string& what) {
    return fail("blueprint " + std::string(name) + ": " + what);
  };
  mustache::mustache filled{marked(*lines)};
  if (!filled.is_valid()) return broken(filled.error_message());
  filled.set_custom_escape(escape);
  Converter converter;
  const auto converted = converter.convert(data, {});
  const auto out = filled.render(converted);
  if (!filled.error_message().empty()) return broken(filled.error_message());
  return Reader(*lines, converter.origins()).read(out);
}

}  // namespace caisson::render
