#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace caisson::context {

/// The content of a file that holds a secret, without one line feed at its end. Refused are files
/// that are no regular files, are empty, are larger than 64 KiB, or can be read or written by
/// everybody.
[[nodiscard]] Result<std::string> read_secret_file(const std::filesystem::path& path);

/// The content of a file that may be public, under the same bounds.
[[nodiscard]] Result<std::string> read_small_file(const std::filesystem::path& path,
                                                  std::size_t most_bytes = 1 << 20);

}  // namespace caisson::context
