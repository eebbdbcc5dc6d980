#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace caisson::cli {

[[nodiscard]] std::string contents(const std::filesystem::path& path);

/// The specs of a folder below `specs`, in order.
[[nodiscard]] std::vector<std::filesystem::path> specs_in(const std::filesystem::path& folder);

/// What the first line of a spec, `# options: ...`, adds to the command line.
[[nodiscard]] std::vector<std::string> options_of(const std::string& spec);

/// The lines of a command that name a mistake, without what stands around them.
[[nodiscard]] std::set<std::string> mistakes_in(const std::string& text);

}  // namespace caisson::cli
