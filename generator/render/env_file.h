#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/render/text.h"

namespace caisson::render {

struct EnvEntry {
  std::string name;
  std::string value;
  std::string comment;         ///< lines above the entry
  bool commented_out = false;  ///< shown with its default, not set
  LineOrigins origins{};
};

/// Writes a file that Compose and a POSIX shell read alike: values are bare where nothing can be
/// mistaken, else quoted. `origin` is what the file is written for.
[[nodiscard]] Text to_env_file(const std::vector<EnvEntry>& entries, std::string_view header,
                               const Origin& origin);

}  // namespace caisson::render
