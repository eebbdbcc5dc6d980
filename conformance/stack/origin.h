#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace caisson::conformance {

/// What a stack was made from: `origin.json` of its state directory, whatever its target.
struct Origin {
  std::string target{};  ///< "local" or "compose"
  std::string spec{};    ///< path of the file, absolute and without links; "-": standard input
  std::string name{};
  std::string version{};
  std::string environment{};  ///< of --env; empty without
  std::string digest{};       ///< `digest_of` what was generated
  std::string down{};         ///< the command that stops it, from wherever it is typed
};

/// Of generated files by their path: another one when any of them changes, but for documents, which
/// people read and nothing runs.
[[nodiscard]] std::string digest_of(const std::map<std::string, std::string>& files);

[[nodiscard]] Result<void> write_origin(const std::filesystem::path& state, const Origin& origin);
/// Fails when the directory does not say it, as of a stack whose start was cut off.
[[nodiscard]] Result<Origin> read_origin(const std::filesystem::path& state);

/// "acme 1.0.0, environment demo"
[[nodiscard]] std::string in_words(const Origin& origin);

}  // namespace caisson::conformance
