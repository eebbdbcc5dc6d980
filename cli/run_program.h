#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace caisson::cli {

/// How a program of a test ended.
struct Ran {
  int code = -1;  ///< exit code; -1 when a signal ended it
  std::string out;
  std::string error;
};

struct Surroundings {
  std::filesystem::path directory = std::filesystem::temp_directory_path();
  std::map<std::string, std::string> environment;  ///< besides PATH and a HOME that does not exist
  std::string input;
};

/// Runs a program to its end with nothing inherited but what is given.
[[nodiscard]] Ran run_program(const std::vector<std::string>& words,
                              const Surroundings& surroundings = {});

/// Runs the built `caisson`.
[[nodiscard]] Ran caisson(std::vector<std::string> arguments,
                          const Surroundings& surroundings = {});

}  // namespace caisson::cli
