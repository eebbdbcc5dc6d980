#include "cli/corpus_testing.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace caisson::cli {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> specs_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

std::vector<std::string> options_of(const std::string& spec) {
  constexpr std::string_view marker = "# options:";
  std::vector<std::string> words;
  if (!spec.starts_with(marker)) return words;
  std::istringstream options(spec.substr(marker.size(), spec.find('\n') - marker.size()));
  for (std::string word; options >> word;) words.push_back(word);
  return words;
}

std::set<std::string> mistakes_in(const std::string& text) {
  std::set<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(": error[") != std::string::npos || line.find(": warning[") != std::string::npos)
      found.insert(line);
  }
  return found;
}

}  // namespace caisson::cli
