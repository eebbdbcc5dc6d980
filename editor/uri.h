#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::editor {

/// The path of a `file:` URI of this machine (RFC 8089), normalised; empty for any other.
[[nodiscard]] std::optional<std::filesystem::path> path_of(std::string_view uri);

/// The `file:` URI of an absolute path.
[[nodiscard]] std::string uri_of(const std::filesystem::path& path);

}  // namespace caisson::editor
