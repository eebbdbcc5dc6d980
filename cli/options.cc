#include "cli/options.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <CLI/App.hpp>

#include "cli/help.h"

namespace caisson::cli {

namespace {

CLI::Option* restrict(CLI::Option* option, const std::string& choices) {
  option->type_name(choices);
  return option->check([option](const std::string& given) -> std::string {
    const auto known = choices_of(*option);
    if (std::find(known.begin(), known.end(), given) != known.end()) return {};
    std::string all;
    for (const auto& choice : known) all += (all.empty() ? "" : ", ") + choice;
    return "'" + given + "' is not one of " + all;
  });
}

}  // namespace

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::string& choices, const std::string& description) {
  return restrict(app.add_option(name, value, description)->capture_default_str(), choices);
}

CLI::Option* add_choices(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                         const std::string& choices, const std::string& description) {
  // One value each, so that a following SPEC is not taken for a target.
  return restrict(
      app.add_option(name, values, description)->delimiter(',')->allow_extra_args(false), choices);
}

CLI::Option* add_spec(CLI::App& app, std::string& spec) {
  return app.add_option("SPEC", spec, "the deployment spec, a YAML file; - reads standard input")
      ->type_name("FILE")
      ->required();
}

CLI::Option* add_environment(CLI::App& app, std::string& environment) {
  return app
      .add_option("--env", environment, "merge this entry of `environments` over the spec first")
      ->type_name("NAME");
}

CLI::Option* add_answers(CLI::App& app, std::string& answers) {
  return app
      .add_option(
          "--answers", answers,
          "what a site answers to the spec, a line NAME=ANSWER each (default: its defaults)")
      ->type_name("FILE");
}

CLI::Option* add_json(CLI::App& app, bool& json) {
  return app.add_flag("--json", json, "short for --format json");
}

CLI::Option* add_strict(CLI::App& app, bool& strict) {
  return app.add_flag("--strict,!--no-strict", strict,
                      "turn approximations and unpinned images into errors (default when CI=true)");
}

std::string strict_note(bool strict) {
  if (!strict || !strict_by_default()) return {};
  return "this run is strict, since CI=true means --strict: approximations and unpinned images are "
         "errors; --no-strict makes them warnings, a waiver accepts them (`caisson explain "
         "E0306`)\n";
}

bool strict_by_default() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

}  // namespace caisson::cli
