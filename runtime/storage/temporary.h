#pragma once

#include <filesystem>

namespace caisson::storage {

/// Where what is sorted in files is, from now on: `directory`, which must be there. The files have
/// no names, and nobody else can open them.
void set_temporary_directory(const std::filesystem::path& directory);

}  // namespace caisson::storage
