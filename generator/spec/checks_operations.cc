#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/suggestion.h"
#include "generator/source/codes.h"
#include "generator/spec/checker.h"
#include "generator/spec/reader.h"

namespace caisson::spec {
namespace {

void check_patches(const Checker& checker) {
  const Targets& targets = checker.deployment().targets;
  // Each target writes into the folder of its name; bundles are signed and never patched.
  const std::array<std::pair<std::string_view, bool>, 5> folders{
      {{"docker", targets.docker.enabled},
       {"compose", targets.compose.enabled},
       {"helm", targets.helm.enabled},
       {"systemd", targets.systemd.enabled},
       {"local", targets.local.enabled}}};
  std::array<std::string_view, 5> names;
  std::ranges::transform(folders, names.begin(), &std::pair<std::string_view, bool>::first);
  for (std::size_t i = 0; i < checker.deployment().patches.size(); ++i) {
    const std::string& file = checker.deployment().patches[i].file;
    if (file.empty()) continue;
    const std::string_view folder = std::string_view(file).substr(0, file.find('/'));
    const auto target =
        std::ranges::find(folders, folder, &std::pair<std::string_view, bool>::first);
    const source::Span where = checker.value("/patches/" + std::to_string(i) + "/file");
    if (folder == "sdk") {
      checker.refuse("E0303", where, quote(file) + " is not patched",
                     "what clients generate from has to be what the runtime serves");
    } else if (target == folders.end() || folder.size() == file.size()) {
      checker.refuse("E0303", where, "no target writes " + quote(file),
                     "a generated file is below " + any_of(names) + ", as compose/compose.yaml");
    } else if (!target->second) {
      checker.refuse("E0303", where, "no target writes " + quote(file),
                     "the target '" + std::string(folder) + "' is turned off");
    }
  }
}

void check_expiry(const Checker& checker, std::string_view code, std::string_view what,
                  const std::string& until, const std::string& pointer) {
  // Dates of this form sort like text.
  if (until.empty() || checker.options().today.empty() || until >= checker.options().today) return;
  checker.refuse(code, checker.value(pointer + "/until"),
                 "the " + std::string(what) + " has expired",
                 "mend what it excuses, or decide again and give a later date");
}

constexpr std::array<std::string_view, 6> target_names{"docker",  "compose", "helm",
                                                       "systemd", "local",   "sdk"};

constexpr std::string_view secret_opening = "${secret:";

/// A name in braces behind a dollar sign, as shells and Compose files have variables; empty when
/// there is none in the text.
std::string_view variable_in(std::string_view text) {
  for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const auto end = text.find_first_not_of(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", at + 2);
    const bool closed = end != std::string_view::npos && (text[end] == '}' || text[end] == ':');
    if (!closed || end == at + 2) continue;
    const auto whole = text.substr(at, text.find('}', end) - at + 1);
    // What is wrong with an answer is said where answers are filled in; a secret has its own words.
    if (!whole.starts_with(secret_opening) && !whole.starts_with("${answer:")) return whole;
  }
  return {};
}

void warn_of_variable(const Checker& checker, const Node& value, const std::string& field,
                      std::string remedy) {
  const auto variable = variable_in(value.text);
  if (variable.empty()) return;
  checker.warn("W0205", value.span, field, "nothing replaces " + std::string(variable),
               std::move(remedy));
}

/// A reference to a secret where no target replaces one.
void warn_of_secret(const Checker& checker, const Node& value, const std::string& field,
                    std::string remedy) {
  const auto at = value.text.find(secret_opening);
  if (at == std::string::npos) return;
  const auto end = std::min(value.text.find('}', at), value.text.size() - 1);
  checker.warn("W0205", value.span, field,
               "nothing replaces " + value.text.substr(at, end - at + 1) + " here",
               std::move(remedy));
}

/// Whether the map holds variables, which have readers of their own: of a service and of the
/// runtime a secret may be the whole value, and of a build that is refused.
bool holds_variables(std::string_view field) {
  constexpr std::string_view environments = "environments.";
  constexpr std::string_view services = "services.";
  if (field.starts_with(environments)) {
    const auto name_end = field.find('.', environments.size());
    field.remove_prefix(std::min(name_end, field.size() - 1) + 1);
  }
  if (!field.starts_with(services)) return field == "runtime.env";
  field.remove_prefix(std::min(field.find('.', services.size()), field.size()));
  return field == ".env" || field == ".build.args";
}

/// Whether the word says that a program for an interpreter follows: "-c" and "-lc" of shells, "-e"
/// of others.
bool takes_a_program(std::string_view word) {
  return word == "--eval" || word == "--command" ||
         (word.size() > 1 && word.size() < 6 && word[0] == '-' && word[1] != '-' &&
          (word.back() == 'c' || word.back() == 'e'));
}

/// Whether the variable is called as that with the port of a process on target local, in any case.
bool is_port(std::string_view variable) {
  constexpr std::string_view name = "PORT";
  variable.remove_prefix(std::min<std::size_t>(2, variable.size()));  // "${"
  return variable.size() > name.size() &&
         std::ranges::equal(variable.substr(0, name.size()), name,
                            [](char a, char b) {
                              return a == b || (a >= 'a' && a <= 'z' && a - 'a' + 'A' == b);
                            }) &&
         (variable[name.size()] == '}' || variable[name.size()] == ':');
}

/// The command for a shell, with the shell's own variable of the port. "..." where a word would
/// have to be quoted twice.
std::string for_a_shell(const Node& command) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=,+@";
  std::string line = "exec";
  for (const Node& word : command.items) {
    std::string text = word.text;
    const std::string variable(variable_in(text));
    const auto at = variable.empty() ? std::string::npos : text.find(variable);
    std::string others = text;
    if (at != std::string::npos && is_port(variable)) {
      others.erase(at, variable.size());
      text.replace(at, variable.size(), "$PORT");
    }
    const bool simple = !text.empty() && others.find_first_not_of(plain) == std::string::npos;
    line += ' ';
    line += simple ? text : "...";
  }
  return line;
}

/// A command is started without a shell. What an interpreter is given has variables of its own.
void check_command(const Checker& checker, const Node& command, const std::string& field) {
  const bool of_local = field.ends_with(".local.command");
  // Those of a shell, too: it knows variables of its own alone.
  for (std::size_t i = 0; i < command.items.size(); ++i)
    warn_of_secret(checker, command.items[i], field + '.' + std::to_string(i),
                   "give a variable of 'env' the secret as its whole value, and let the program or "
                   "a shell read it: [sh, -c, \"... $VARIABLE\"]");
  if (of_local && command.items.size() == 1) return;  // a line for a shell
  for (std::size_t i = 0; i < command.items.size(); ++i) {
    const Node& word = command.items[i];
    const bool local = of_local && is_port(variable_in(word.text));
    warn_of_variable(checker, word, field + '.' + std::to_string(i),
                     local
                         ? "PORT says it, and a shell reads that: [/bin/sh, -c, \"" +
                               for_a_shell(command) + "\"]"
                         : "write the value itself, or let a shell replace it: [sh, -c, \"...\"]");
    if (takes_a_program(word.text)) return;
  }
}

/// Values that look as if something would put another in their place.
void check_variables(const Checker& checker, const Node& node, const std::string& field) {
  const auto inner = [&](const Node& value, const std::string& key) {
    // What a patch is for may have variables of its own.
    if (field.empty() && key == "patches") return;
    const auto name = field.empty() ? key : field + '.' + key;
    if (key == "command" && value.kind == Node::Kind::sequence) {
      check_command(checker, value, name);
    } else {
      check_variables(checker, value, name);
    }
  };
  for (const Entry& entry : node.fields) inner(entry.value, entry.key);
  for (std::size_t i = 0; i < node.items.size(); ++i) inner(node.items[i], std::to_string(i));
  if (node.kind != Node::Kind::scalar) return;
  warn_of_variable(checker, node, field,
                   "write the value itself, or one for each of 'environments'");
  if (!holds_variables(field.substr(0, field.rfind('.'))))
    warn_of_secret(checker, node, field,
                   "write the value itself; a secret is named alone where one is asked for, and is "
                   "the whole value of a variable in 'env' of a service or of the runtime");
}

/// Mail that goes to whoever receives mail for the address.
void check_mail(const Checker& checker) {
  const auto& alerts = checker.deployment().observability.alerts;
  if (alerts.smtp) return;
  for (std::size_t i = 0; i < alerts.to.size(); ++i) {
    if (alerts.to[i].kind != AlertReceiver::Kind::email || alerts.to[i].address.empty()) continue;
    const auto& address = alerts.to[i].address;
    checker.warn("W0206", checker.value("/observability/alerts/to/" + std::to_string(i) + "/email"),
                 "observability.alerts.to",
                 "without a mail server alerts go to port 25 of " +
                     quote(address.substr(address.rfind('@') + 1)),
                 "add 'smtp: { host: mail.example.com:587 }' to 'alerts'");
  }
}

bool is_own_code(std::string_view rule) {
  return rule.size() == 5 && (rule[0] == 'E' || rule[0] == 'W') &&
         std::ranges::all_of(rule.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

void check_waivers(const Checker& checker) {
  for (std::size_t i = 0; i < checker.deployment().waivers.size(); ++i) {
    const Waiver& waiver = checker.deployment().waivers[i];
    const std::string pointer = "/waivers/" + std::to_string(i);
    check_expiry(checker, "E0304", "waiver", waiver.until, pointer);
    if (!is_own_code(waiver.rule)) continue;
    if (waiver.rule[0] == 'E') {
      checker.refuse("E0306", checker.value(pointer + "/rule"),
                     "the error " + waiver.rule + " cannot be waived",
                     "only warnings and findings of checkers can; mend what it is about");
    } else if (source::find_code(waiver.rule) == nullptr) {
      checker.refuse("E0306", checker.value(pointer + "/rule"),
                     "there is no warning " + waiver.rule, "'caisson explain' lists the codes");
    } else if (waiver.rule == "W0301") {
      checker.refuse("E0306", checker.value(pointer + "/rule"),
                     "W0301 is not waived by its code, which would hide all that nothing does",
                     "write 'rule: loss/FIELD' with the field of the warning");
    } else if (waiver.rule.starts_with("W03") || waiver.rule == "W0207") {
      checker.refuse("E0306", checker.value(pointer + "/rule"), waiver.rule + " cannot be waived",
                     "mend what it is about");
    } else if (std::ranges::find(target_names, waiver.where) != target_names.end()) {
      checker.refuse("E0306", checker.value(pointer + "/where"),
                     "a warning is of a field, not of target " + quote(waiver.where),
                     "name the field, as services.web.image, or leave 'where' out");
    }
  }
  const auto& excluded = checker.deployment().conformance.exclude;
  for (std::size_t i = 0; i < excluded.size(); ++i) {
    check_expiry(checker, "E0305", "exclusion of a probe", excluded[i].until,
                 "/conformance/exclude/" + std::to_string(i));
  }
}

}  // namespace

void check_operations(const Checker& checker) {
  check_patches(checker);
  check_waivers(checker);
  check_variables(checker, checker.document(), "");
  check_mail(checker);
}

}  // namespace caisson::spec
