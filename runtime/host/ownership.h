#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace caisson::host {

/// Gives `directory` and everything below it to the user and the group `id`. Nothing is looked at
/// when the directory is theirs already: it is changed last, so a run that was cut off is done
/// again. Links are changed themselves, never followed.
[[nodiscard]] Result<void> own(const std::filesystem::path& directory, std::uint32_t id);

}  // namespace caisson::host
