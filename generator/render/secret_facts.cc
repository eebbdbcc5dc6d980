#include "generator/render/secret_facts.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/shell.h"

namespace caisson::render {

namespace {

using plan::Secret;

constexpr std::int64_t day_ms = 86'400'000;

const char* kind_of(const Secret& secret) {
  if (!secret.question.empty()) return "answered";
  switch (secret.source) {
    case Secret::Source::generate:
      return "generated";
    case Secret::Source::file:
      return "copied";
    case Secret::Source::env:
      return "from-env";
    default:
      return "given";
  }
}

}  // namespace

std::string secret_variable(std::string_view secret) {
  std::string name = "SECRET_";
  for (const char c : secret) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Node secret_facts(const Secret& secret) {
  Node entry{Node::Map{}, secret.origin};
  entry.add("secret", secret.name);
  entry.add("bytes", secret.bytes);
  entry.add("reference", secret.reference);
  entry.add("reference-word", shell_word(secret.reference));
  entry.add("internal", secret.internal);
  if (!secret.question.empty()) {
    entry.add("question", secret.question);
    entry.add("word", secret.word);
  }
  if (secret.rotate_ms > 0) entry.add("rotate-days", secret.rotate_ms / day_ms);
  return entry;
}

void add_rotation_facts(Node& data, const plan::Plan& plan, const Called& called) {
  Node rotations{Node::List{}};
  Node replacements{Node::List{}};
  for (const auto& secret : plan.secrets) {
    std::string readers;
    bool of_database = false;
    bool in_environment = false;
    for (const auto& instance : plan.instances) {
      const auto& read = instance.secrets;
      const auto& env = instance.env;
      const bool a_variable =
          std::ranges::find(env, secret.name, &plan::EnvVar::secret) != env.end();
      if (!a_variable &&
          std::ranges::find(read, secret.name, &plan::SecretMount::secret) == read.end()) {
        continue;
      }
      const auto name = called(instance);
      if (name.empty()) continue;
      readers += (readers.empty() ? "" : " ") + name;
      of_database |= instance.role == plan::Role::database;
      in_environment |= a_variable;
    }
    if (readers.empty()) continue;
    auto entry = secret_facts(secret);
    entry.add("readers", readers);
    const std::string_view kind = kind_of(secret);
    entry.add("by-hand", kind == "given" || kind == "answered");
    // A template looks for what is missing further out.
    entry.add("variable", false);
    if (in_environment) entry.set("variable", secret_variable(secret.name));
    entry.add("role", false);
    if (of_database) {
      const bool runtimes = secret.name == plan.database.password;
      entry.set("role", runtimes ? plan.database.user : std::string("postgres"));
    }
    (secret.source == Secret::Source::generate ? rotations : replacements).push(std::move(entry));
  }
  if (!rotations.empty()) data.add("rotations", std::move(rotations));
  if (!replacements.empty()) data.add("replacements", std::move(replacements));
}

void add_secret_facts(Node& data, const plan::Plan& plan, const std::set<std::string_view>& used) {
  for (const auto& secret : plan.secrets) {
    if (!used.contains(secret.name)) continue;
    auto entry = secret_facts(secret);
    const std::string kind = kind_of(secret);
    auto* list = data.find(kind);
    if (list == nullptr) {
      data.add("has-" + kind, true);
      list = &data.add(kind, Node{Node::List{}});
    }
    list->push(std::move(entry));
  }
}

}  // namespace caisson::render
