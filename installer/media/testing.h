#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/scratch.h"
#include "installer/media/tar.h"

namespace caisson::installer::testing {

/// Writes a file, with its directories.
inline void put(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

inline std::string take(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A path and what stands there.
using Content = std::pair<std::string, std::string>;

/// A member of an archive: header, content, filling.
inline std::string member_of(const Content& content) {
  return tar_header({.path = content.first, .size = content.second.size()}) + content.second +
         std::string(tar_padding(content.second.size()), '\0');
}

/// A transport of these members, below the directory "shop".
inline std::string transport_of(const std::vector<Content>& members) {
  std::string archive;
  for (const auto& [path, bytes] : members) archive += member_of({"shop/" + path, bytes});
  return archive + std::string(2 * kTarBlock, '\0');
}

}  // namespace caisson::installer::testing
