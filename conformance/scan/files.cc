#include "conformance/scan/files.h"

#include <fstream>
#include <system_error>

namespace caisson::conformance {

FileScan scan_files(const Scanner& scanner, const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  FileScan result;
  const auto scan_one = [&](const fs::path& file) {
    ScanStream stream(scanner);
    stream.feed(file.filename().native() + "\n");
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      // Those of a store that is open come and go.
      std::error_code gone;
      if (fs::exists(fs::symlink_status(file, gone))) result.unread.push_back(file);
      return;
    }
    std::vector<char> block(1 << 16);
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
      stream.feed({block.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (!stream.complete() || in.bad()) result.unread.push_back(file);
    ++result.files;
    result.bytes += stream.bytes();
    for (const Sighting& seen : stream.sightings()) result.hits.push_back({file, seen});
  };
  std::error_code error;
  const fs::file_status status = fs::symlink_status(root, error);
  if (fs::is_regular_file(status)) {
    scan_one(root);
    return result;
  }
  if (!fs::is_directory(status)) return result;
  fs::recursive_directory_iterator walk(root, fs::directory_options::none, error);
  if (error) {
    result.unread.push_back(root);
    return result;
  }
  for (const fs::recursive_directory_iterator end; walk != end;) {
    const fs::path path = walk->path();
    std::error_code entry_error;
    if (fs::is_regular_file(walk->symlink_status(entry_error))) scan_one(path);
    walk.increment(error);
    if (error) {
      result.unread.push_back(path);
      break;
    }
  }
  return result;
}

}  // namespace caisson::conformance
