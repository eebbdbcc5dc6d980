#include "generator/render/unit_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/suggestion.h"
#include "generator/render/file_schema.h"
#include "generator/render/unit_value.h"
#include "generator/render/value_format.h"

namespace caisson::render {
namespace {

using Fault = std::optional<SchemaFault>;

/// A directive's kinds of values, parted by `|`: "BOOLEAN|full|strict".
using Directives = std::map<std::string_view, std::string_view>;

const std::map<std::string_view, Directives>& sections() {
  static const auto known = [] {
    std::map<std::string_view, Directives> all;
    Directives* section = nullptr;
    auto rest = file_schema_text("systemd-directives.txt");
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size() - 1);
      const auto line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      if (line.starts_with('[')) section = &all[line.substr(1, line.size() - 2)];
      const auto equals = line.find('=');
      if (section != nullptr && equals != std::string_view::npos)
        section->emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return all;
  }();
  return known;
}

/// A kind of schemas/systemd-kinds.yaml.
struct Kind {
  std::string form;  ///< a regular expression; empty: anything
  std::string words;
  std::int64_t least = 1;
  std::int64_t most = 0;
  bool ignore_case = false;
  bool many = false;          ///< lines of a directive add up
  UnitCheck check = nullptr;  ///< what has to hold besides the form
};

/// The form with every <part> put in.
std::string whole_form(const Node& parts, std::string form) {
  for (auto at = form.find('<'); at != std::string::npos; at = form.find('<', at)) {
    const auto end = form.find('>', at);
    const auto* part = parts.find(form.substr(at + 1, end - at - 1));
    form.replace(at, end - at + 1, part == nullptr ? std::string{} : "(" + *part->text() + ")");
  }
  return form;
}

const std::map<std::string, Kind, std::less<>>& kinds() {
  static const auto known = [] {
    std::map<std::string, Kind, std::less<>> all;
    const auto& file = file_schema("systemd-kinds.yaml");
    const auto text = [](const Node& kind, std::string_view key) {
      const auto* node = kind.find(key);
      return node != nullptr && node->text() != nullptr ? *node->text() : std::string{};
    };
    const auto number = [](const Node& kind, std::string_view key, std::int64_t otherwise) {
      const auto* node = kind.find(key);
      return node == nullptr ? otherwise : std::get<std::int64_t>(node->value());
    };
    for (const auto& [name, kind] : *file.find("kinds")->map()) {
      all.emplace(name, Kind{.form = whole_form(*file.find("parts"), text(kind, "form")),
                             .words = text(kind, "words"),
                             .least = number(kind, "least", 1),
                             .most = number(kind, "most", 0),
                             .ignore_case = kind.find("ignore-case") != nullptr,
                             .many = text(kind, "lines") == "many",
                             .check = unit_check(text(kind, "check"))});
    }
    return all;
  }();
  return known;
}

std::vector<std::string_view> alternatives(std::string_view of) {
  std::vector<std::string_view> all;
  for (bool more = true; more;) {
    const auto bar = of.find('|');
    all.push_back(of.substr(0, bar));
    more = bar != std::string_view::npos;
    of.remove_prefix(more ? bar + 1 : of.size());
  }
  return all;
}

bool is_kind(std::string_view alternative) {
  return alternative.front() >= 'A' && alternative.front() <= 'Z';
}

bool fits(const Kind& kind, std::string_view text) {
  if (kind.form.empty() && kind.least > kind.most) return true;
  std::int64_t number = 0;
  const auto digits = text.substr(text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc{} && end == digits.data() + digits.size() && number >= kind.least &&
      number <= kind.most)
    return true;
  return !kind.form.empty() && matches_all(text, kind.form, kind.ignore_case) &&
         (kind.check == nullptr || kind.check(text));
}

bool fits(std::string_view alternative, std::string_view text) {
  if (!is_kind(alternative)) return text == alternative;
  const auto kind = kinds().find(alternative);
  return kind == kinds().end() || fits(kind->second, text);
}

std::string remedy(const std::vector<std::string_view>& all) {
  std::string out = "write ";
  for (std::size_t i = 0; i < all.size(); ++i) {
    out += i == 0 ? "" : i + 1 == all.size() ? " or " : ", ";
    const auto kind = kinds().find(all[i]);
    if (!is_kind(all[i])) {
      out += "'" + std::string(all[i]) + "'";
    } else {
      out += kind == kinds().end() || kind->second.words.empty() ? "text" : kind->second.words;
    }
  }
  return out;
}

Fault value_fault(const std::vector<std::string_view>& all, const Node& value,
                  const std::string& at) {
  std::string text;
  if (std::holds_alternative<bool>(value.value())) {
    const auto takes = [](std::string_view kind) {
      return kind == "BOOLEAN" || kind == "CONDITION";
    };
    if (std::ranges::any_of(all, takes)) return {};
    return SchemaFault{at, "is true or false, which systemd would not take there", remedy(all)};
  }
  if (const auto* number = std::get_if<std::int64_t>(&value.value())) {
    text = std::to_string(*number);
  } else if (value.text() != nullptr) {
    text = *value.text();
  } else {
    return {};  // the writer says what it cannot write
  }
  // Nothing takes back what was said before.
  if (text.empty() || std::ranges::any_of(all, [&](auto each) { return fits(each, text); }))
    return {};
  return SchemaFault{at, "is nothing that systemd takes there", remedy(all)};
}

/// Whether of several lines the last one holds, and the others are for nothing.
bool takes_one_line(const std::vector<std::string_view>& all) {
  return std::ranges::all_of(all, [](std::string_view each) {
    const auto kind = kinds().find(each);
    return !is_kind(each) || (kind != kinds().end() && !kind->second.many);
  });
}

Fault directive_fault(std::string_view kind, const Node& value, const std::string& at) {
  const auto all = alternatives(kind);
  if (value.list() == nullptr) return value_fault(all, value, at);
  if (takes_one_line(all)) return SchemaFault{at, "is a list where one value belongs", remedy(all)};
  for (const auto& each : *value.list())
    if (auto fault = value_fault(all, each, at)) return fault;
  return {};
}

Fault unknown(std::string_view what, const std::string& name, const std::string& at,
              const std::vector<std::string_view>& known) {
  const auto meant = closest(name, known);
  return SchemaFault{at, "is no " + std::string(what) + " of systemd 252",
                     meant.empty() ? "leave it out: systemd would ignore it"
                                   : "did you mean '" + std::string(meant) + "'?"};
}

template <class Map>
std::vector<std::string_view> names_of(const Map& map) {
  std::vector<std::string_view> names;
  names.reserve(map.size());
  for (const auto& entry : map) names.push_back(entry.first);
  return names;
}

}  // namespace

std::optional<SchemaFault> unit_fault(const Node& tree) {
  if (tree.map() == nullptr) return {};
  for (const auto& [name, section] : *tree.map()) {
    if (name.starts_with("X-")) continue;  // not systemd's
    const auto known = sections().find(name);
    if (known == sections().end())
      return unknown("section", name, "/" + pointer_segment(name), names_of(sections()));
    if (section.map() == nullptr) continue;  // the writer says so
    for (const auto& [key, value] : *section.map()) {
      const auto at = "/" + pointer_segment(name) + "/" + pointer_segment(key);
      if (key.starts_with("X-")) continue;
      const auto directive = known->second.find(key);
      if (directive == known->second.end())
        return unknown("directive", key, at, names_of(known->second));
      if (is_command(key)) continue;  // words of a command
      if (auto fault = directive_fault(directive->second, value, at)) return fault;
    }
  }
  return {};
}

bool takes_percentages(std::string_view directive) {
  return std::ranges::any_of(sections(), [&](const auto& section) {
    const auto found = section.second.find(directive);
    if (found == section.second.end()) return false;
    const auto all = alternatives(found->second);
    return std::ranges::any_of(all, [](auto each) { return is_kind(each) && fits(each, "50%"); }) &&
           takes_one_line(all);
  });
}

std::vector<UnitDirective> unit_directives() {
  std::vector<UnitDirective> all;
  for (const auto& [section, directives] : sections())
    for (const auto& [name, kind] : directives) {
      const auto each = alternatives(kind);
      const bool typed = std::ranges::all_of(each, [](std::string_view one) {
        const auto known = kinds().find(one);
        return !is_kind(one) ||
               (known != kinds().end() && (!known->second.form.empty() || known->second.most > 0));
      });
      all.push_back({.section = section, .name = name, .typed = typed});
    }
  return all;
}

}  // namespace caisson::render
