#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace caisson::cli {

/// The help of a command: what it does, how to call it, arguments, options, and its notes with
/// examples and exit codes (the parser's footer). 100 columns wide at most.
[[nodiscard]] std::string help_of(const CLI::App& app);

/// What is typed to call it: "caisson bundle create".
[[nodiscard]] std::string called(const CLI::App& app);

/// Whether it only groups other commands.
[[nodiscard]] bool is_group(const CLI::App& app);

/// The words that an option accepts: its type name is "text|json|sarif". Empty when it takes
/// others.
[[nodiscard]] std::vector<std::string> choices_of(const CLI::Option& option);

}  // namespace caisson::cli
