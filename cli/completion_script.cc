#include "cli/completion_script.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <CLI/App.hpp>

#include "cli/help.h"

namespace caisson::cli {
namespace {

/// What completes an argument or the value of an option.
struct Values {
  std::vector<std::string> words;
  bool files = false;
  bool directories = false;
};

struct Flag {
  std::vector<std::string> names;  // with their dashes
  std::string description;
  bool takes_value = false;
  Values values;
};

struct Verb {
  std::string name;
  std::string description;
  std::vector<Flag> flags;
  Values arguments;
};

Values values_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  return {.words = choices_of(option), .files = type == "FILE", .directories = type == "DIR"};
}

Verb verb_of(const CLI::App& app, const ArgumentWords& words);

/// Offers the commands of a group with the options of all of them.
void add_commands(Verb& verb, const CLI::App& app, const ArgumentWords& words) {
  for (const auto* sub : app.get_subcommands(std::function<bool(const CLI::App*)>())) {
    auto inner = verb_of(*sub, words);
    verb.arguments.words.push_back(inner.name);
    verb.arguments.files = verb.arguments.files || inner.arguments.files;
    verb.arguments.directories = verb.arguments.directories || inner.arguments.directories;
    for (auto& flag : inner.flags) {
      const bool known = std::ranges::any_of(
          verb.flags, [&](const Flag& other) { return other.names.back() == flag.names.back(); });
      if (!known) verb.flags.push_back(std::move(flag));
    }
  }
}

Verb verb_of(const CLI::App& app, const ArgumentWords& words) {
  Verb verb{
      .name = app.get_name(), .description = app.get_description(), .flags = {}, .arguments = {}};
  for (const auto* option : app.get_options()) {
    const auto values = values_of(*option);
    if (option->get_positional()) {
      auto& all = verb.arguments;
      all.words.insert(all.words.end(), values.words.begin(), values.words.end());
      all.files = all.files || values.files;
      all.directories = all.directories || values.directories;
      continue;
    }
    Flag flag{.names = {}, .description = option->get_description(), .values = values};
    flag.takes_value = option->get_items_expected_max() > 0;
    for (const auto& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) flag.names.push_back("--" + name);
    verb.flags.push_back(std::move(flag));
  }
  if (is_group(app)) add_commands(verb, app, words);
  if (const auto more = words.find(verb.name); more != words.end()) {
    verb.arguments.words.insert(verb.arguments.words.end(), more->second.begin(),
                                more->second.end());
  }
  return verb;
}

/// A word in single quotes, for every shell alike.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words, const char* separator = " ") {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : separator) + word;
  return out;
}

std::vector<std::string> names_of(const Verb& verb) {
  std::vector<std::string> names;
  for (const auto& flag : verb.flags)
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::string bash_offers(const Values& values) {
  std::string out;
  if (!values.words.empty()) out += " -W " + shell_quoted(joined(values.words));
  if (values.files) out += " -f";
  if (values.directories) out += " -d";
  return out;
}

std::string bash_script(const std::vector<Verb>& verbs, const Verb& root) {
  std::string values;
  std::string arguments;
  std::vector<std::string> first = names_of(root);
  for (const auto& verb : verbs) {
    first.push_back(verb.name);
    for (const auto& flag : verb.flags) {
      if (!flag.takes_value) continue;
      std::vector<std::string> patterns;
      patterns.reserve(flag.names.size());
      for (const auto& name : flag.names) patterns.push_back(verb.name + ":" + name);
      values +=
          "    " + joined(patterns, "|") + ") offer" + bash_offers(flag.values) + "; return ;;\n";
    }
    arguments +=
        "    " + verb.name + ":-*) offer -W " + shell_quoted(joined(names_of(verb))) + " ;;\n";
    arguments += "    " + verb.name + ":*) offer" + bash_offers(verb.arguments) + " ;;\n";
  }
  return "# bash completion for caisson, printed by `caisson completion bash`\n"
         "_caisson() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command='' word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    [[ $word == -* ]] || { command=$word; break; }\n"
         "  done\n"
         "  COMPREPLY=()\n"
         "  offer() { (($#)) && mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$current\"); }\n"
         "  case $command:$previous in\n" +
         values +
         "  esac\n"
         "  case $command:$current in\n"
         "    :*) offer -W " +
         shell_quoted(joined(first)) + " ;;\n" + arguments +
         "  esac\n"
         "  unset -f offer\n"
         "}\n"
         "complete -o filenames -F _caisson caisson\n";
}

/// Text inside `[...]` and between colons of zsh's _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Values& values) {
  std::vector<std::string> alternatives;
  std::vector<std::string> words;
  words.reserve(values.words.size());
  for (const auto& word : values.words) words.push_back(zsh_text(word));
  if (!words.empty() && !values.files && !values.directories) return "(" + joined(words) + ")";
  if (!words.empty()) {
    return "{_alternative \"words:word:(" + joined(words) + ")\" \"files:file:_files\"}";
  }
  return values.files ? "_files" : values.directories ? "_files -/" : " ";
}

std::string zsh_script(const std::vector<Verb>& verbs) {
  std::string commands;
  std::string cases;
  for (const auto& verb : verbs) {
    commands += "    " + shell_quoted(zsh_text(verb.name) + ":" + verb.description) + "\n";
    cases += "    " + verb.name + ")\n      _arguments";
    for (const auto& flag : verb.flags) {
      for (const auto& name : flag.names) {
        auto spec = "*" + name + "[" + zsh_text(flag.description) + "]";
        if (flag.takes_value) spec += ":value:" + zsh_action(flag.values);
        cases += " \\\n        " + shell_quoted(spec);
      }
    }
    cases +=
        " \\\n        " + shell_quoted("*:argument:" + zsh_action(verb.arguments)) + "\n      ;;\n";
  }
  return "#compdef caisson\n"
         "# zsh completion for caisson, printed by `caisson completion zsh`\n"
         "_caisson() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         commands +
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _caisson ]]; then\n"
         "  _caisson \"$@\"\n"
         "else\n"
         "  compdef _caisson caisson\n"
         "fi\n";
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(const Values& values) {
  std::string out;
  if (!values.words.empty()) out += " -a " + fish_quoted(joined(values.words));
  if (values.files || values.directories) out += " -F";
  return out;
}

std::string fish_script(const std::vector<Verb>& verbs) {
  std::string out =
      "# fish completion for caisson, printed by `caisson completion fish`\n"
      "complete -c caisson -f\n";
  for (const auto& verb : verbs) {
    out += "complete -c caisson -n __fish_use_subcommand -a " + verb.name + " -d " +
           fish_quoted(verb.description) + "\n";
    const auto seen = "complete -c caisson -n '__fish_seen_subcommand_from " + verb.name + "'";
    if (const auto values = fish_values(verb.arguments); !values.empty())
      out += seen + values + "\n";
    for (const auto& flag : verb.flags) {
      out += seen;
      for (const auto& name : flag.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (flag.takes_value) out += " -r" + fish_values(flag.values);
      out += " -d " + fish_quoted(flag.description) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& root, std::string_view shell,
                              const ArgumentWords& words) {
  std::vector<Verb> verbs;
  for (const auto* app : root.get_subcommands(std::function<bool(const CLI::App*)>())) {
    verbs.push_back(verb_of(*app, words));
  }
  if (shell == "bash") return bash_script(verbs, verb_of(root, words));
  return shell == "zsh" ? zsh_script(verbs) : fish_script(verbs);
}

}  // namespace caisson::cli
