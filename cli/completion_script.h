#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace caisson::cli {

/// Words to offer for the arguments of a command, beyond what its parser tells.
using ArgumentWords = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The completion script of the program for "bash", "zsh" or "fish". Commands, options, their
/// values and whether an argument is a file or a directory are taken from the parser itself.
[[nodiscard]] std::string completion_script(const CLI::App& root, std::string_view shell,
                                            const ArgumentWords& words);

}  // namespace caisson::cli
