#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace caisson::publish {

/// What is checked out around a spec.
struct Commit {
  std::string id;            ///< of HEAD, in full
  std::int64_t seconds = 0;  ///< when it was committed, since 1970
  bool changed = false;      ///< files that git knows differ from it
};

/// The commit that `spec` was read at; none outside a repository and before its first commit.
[[nodiscard]] Result<std::optional<Commit>> commit_around(const std::filesystem::path& spec);

}  // namespace caisson::publish
