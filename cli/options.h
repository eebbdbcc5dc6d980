#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace caisson::cli {

/// An option that accepts the words of `choices`, "text|json|sarif", of which `value` is the
/// default.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::string& choices, const std::string& description);

/// The same for an option that may be given several times, or with a list "docker,compose".
CLI::Option* add_choices(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                         const std::string& choices, const std::string& description);

/// The positional SPEC, required.
CLI::Option* add_spec(CLI::App& app, std::string& spec);

/// --env NAME.
CLI::Option* add_environment(CLI::App& app, std::string& environment);

/// --answers FILE.
CLI::Option* add_answers(CLI::App& app, std::string& answers);

/// --json, short for --format json.
CLI::Option* add_json(CLI::App& app, bool& json);

/// Says that CI made a run strict that has found errors, when it did: whoever sees them at home
/// only as warnings wants to know.
[[nodiscard]] std::string strict_note(bool strict);

/// --strict and --no-strict; `strict` is the default.
CLI::Option* add_strict(CLI::App& app, bool& strict);

/// True when the environment says CI=true.
[[nodiscard]] bool strict_by_default();

}  // namespace caisson::cli
