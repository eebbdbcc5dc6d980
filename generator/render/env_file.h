#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caisson::render {

struct EnvEntry {
  std::string name;
  std::string value;
  std::string comment;         ///< lines above the entry
  bool commented_out = false;  ///< shown with its default, not set
};

/// Writes a file that Compose and a POSIX shell read alike: values are bare where nothing can be
/// mistaken, else quoted.
[[nodiscard]] std::string to_env_file(const std::vector<EnvEntry>& entries,
                                      std::string_view header);

}  // namespace caisson::render
