#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "generator/source/result.h"

namespace caisson::conformance {

/// The whole file; at most 64 MiB.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

/// Writes a file that is complete or absent after a crash: temporary name, fsync, rename, fsync of
/// the directory.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view bytes,
                                      unsigned mode);

/// A directory of exactly this mode, with its parents.
[[nodiscard]] Result<void> make_directory(const std::filesystem::path& path, unsigned mode);

/// `YYYY-MM-DDTHH:MM:SSZ` of a Unix time.
[[nodiscard]] std::string rfc3339(std::int64_t unix_seconds);

}  // namespace caisson::conformance
