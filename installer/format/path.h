#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// The most files that one text may name.
inline constexpr std::size_t kMostPaths = 400'000;

/// Why a path cannot be created below a directory on every host, or empty: it has to be relative,
/// of components of 1 to 255 bytes that are neither "." nor "..", at most 1,024 bytes in all, UTF-8
/// without control characters, backslashes, what changes the direction of a text and what nobody
/// can see. Nor may it begin with '-', which tools take for an option and `sha256sum -c` for
/// standard input.
[[nodiscard]] std::string_view fault_of_path(std::string_view path);

/// Why the paths cannot all be files of one tree: one stands twice, or is the directory of another.
/// `name` is the text that they stand in.
[[nodiscard]] std::optional<Refusal> conflict_of(std::string_view name,
                                                 std::vector<std::string_view> paths);

}  // namespace caisson::installer
