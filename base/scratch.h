#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

namespace caisson {

/// A directory of a test, removed with everything in it.
class Scratch {
 public:
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "caisson-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

  void write(std::string_view name, std::string_view text) const {
    const auto path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  [[nodiscard]] std::string read(std::string_view name) const {
    std::ostringstream text;
    text << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return text.str();
  }

  /// Every file below, by relative path; symbolic links as "-> target", directories that are empty
  /// as "/".
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      const auto name = entry.path().lexically_relative(path_).string();
      if (entry.is_symlink()) {
        all[name] = "-> " + std::filesystem::read_symlink(entry.path()).string();
      } else if (entry.is_regular_file()) {
        all[name] = read(name);
      } else if (entry.is_directory() && std::filesystem::is_empty(entry.path())) {
        all[name] = "/";
      }
    }
    return all;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace caisson
