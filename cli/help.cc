#include "cli/help.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <CLI/App.hpp>

namespace caisson::cli {
namespace {

constexpr std::size_t kWidth = 100;

struct Row {
  std::string left;
  std::string right;
};

/// Two columns; the right one is wrapped at words and starts at the same place in every section.
std::string table(const std::vector<Row>& rows, std::size_t left) {
  std::string out;
  for (const auto& row : rows) {
    std::string line = "  " + row.left;
    line.resize(std::max(line.size(), left + 2), ' ');
    line += "  ";
    const auto indent = left + 4;
    std::size_t begin = 0;
    while (begin < row.right.size()) {
      const auto end = std::min(row.right.find(' ', begin), row.right.size());
      const auto word = row.right.substr(begin, end - begin);
      if (line.size() > indent && line.size() + word.size() + 1 > kWidth) {
        out += line + "\n";
        line.assign(indent, ' ');
      } else if (line.size() > indent) {
        line += ' ';
      }
      line += word;
      begin = end + 1;
    }
    out += line + "\n";
  }
  return out;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string option_label(const CLI::Option& option) {
  const auto name = option.get_name(false, true);
  // CLI11 writes "-q,--quiet" and "--strict,--no-strict{false}".
  std::string label;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '{') i = name.find('}', i) + 1;
    if (i < name.size()) label += name[i];
    if (i < name.size() && name[i] == ',') label += ' ';
  }
  return takes_value(option) ? label + " " + option.get_type_name() : label;
}

std::string default_note(const CLI::Option& option) {
  const auto value = option.get_default_str();
  return value.empty() || !takes_value(option) ? "" : " (default: " + value + ")";
}

std::string usage_of(const CLI::App& app) {
  std::string usage = "usage: " + called(app);
  if (app.get_parent() == nullptr || is_group(app)) return usage + " COMMAND [ARGUMENT...]\n";
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const auto name = option->get_name(true);
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  return usage + " [OPTION...]\n";
}

using Section = std::pair<std::string, std::vector<Row>>;

std::vector<Section> sections_of(const CLI::App& app) {
  std::vector<Section> sections;
  const auto add = [&](const std::string& title, Row row) {
    auto found = std::find_if(sections.begin(), sections.end(),
                              [&](const Section& section) { return section.first == title; });
    if (found == sections.end()) found = sections.insert(sections.end(), {title, {}});
    found->second.push_back(std::move(row));
  };
  for (const auto* sub : app.get_subcommands(std::function<bool(const CLI::App*)>())) {
    add(sub->get_group(), {sub->get_name(), sub->get_description()});
  }
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) {
      add("arguments", {option->get_name(true), option->get_description()});
    }
  }
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) {
      add("options", {option_label(*option), option->get_description() + default_note(*option)});
    }
  }
  return sections;
}

}  // namespace

std::string called(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? "caisson" : called(*parent) + " " + app.get_name();
}

bool is_group(const CLI::App& app) {
  return app.get_parent() != nullptr &&
         !app.get_subcommands(std::function<bool(const CLI::App*)>()).empty();
}

std::string help_of(const CLI::App& app) {
  auto out = called(app) + (app.get_parent() == nullptr ? " " : ": ");
  out += app.get_description() + "\n\n" + usage_of(app);
  const auto sections = sections_of(app);
  std::size_t left = 0;
  for (const auto& [title, rows] : sections) {
    for (const auto& row : rows) left = std::max(left, row.left.size());
  }
  for (const auto& [title, rows] : sections) out += "\n" + title + ":\n" + table(rows, left);
  if (const auto notes = app.get_footer(); !notes.empty()) out += "\n" + notes;
  return out;
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> choices;
  const auto type = option.get_type_name();
  if (type.empty() || type[0] < 'a' || type[0] > 'z') return choices;
  for (std::size_t begin = 0; begin <= type.size();) {
    const auto end = std::min(type.find('|', begin), type.size());
    choices.push_back(type.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

}  // namespace caisson::cli
