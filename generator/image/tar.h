#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::image {

/// A file or a directory of an archive.
struct TarEntry {
  std::string path;  ///< relative, without a '/' at either end
  std::string_view bytes{};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  bool directory = false;
};

/// A tar archive of the entries in their order: POSIX ustar, with a pax header before an entry
/// whose path or size does not fit (IEEE Std 1003.1, pax). Everything has the time `seconds` after
/// the epoch and belongs to numbers, not names, so that equal entries give equal bytes.
[[nodiscard]] std::string to_tar(const std::vector<TarEntry>& entries, std::int64_t seconds);

}  // namespace caisson::image
