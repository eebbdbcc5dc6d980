#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "generator/source/codes.h"
#include "generator/spec/checker.h"
#include "generator/spec/reader.h"
#include "generator/spec/suggestion.h"

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
    if (target == folders.end() || folder.size() == file.size()) {
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
}

}  // namespace caisson::spec
