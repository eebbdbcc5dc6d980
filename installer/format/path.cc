#include "installer/format/path.h"

#include <algorithm>
#include <string>

#include "base/printable.h"

namespace caisson::installer {

std::string_view fault_of_path(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.size() > 1024) return "it has more than 1,024 bytes";
  if (const auto fault = fault_of_name(path); !fault.empty()) return fault;
  if (path.front() == '-') return "it begins with '-', as options do and standard input";
  if (path.find('\\') != std::string_view::npos) return "it holds a backslash";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto component = path.substr(begin, end - begin);
    if (component.empty()) return "a component of it is empty";
    if (component == "." || component == "..") return "it holds '.' or '..'";
    if (component.size() > 255) return "a component of it has more than 255 bytes";
    begin = end + 1;
  }
  return {};
}

std::optional<Refusal> conflict_of(std::string_view name, std::vector<std::string_view> paths) {
  std::ranges::sort(paths);
  if (const auto twice = std::ranges::adjacent_find(paths); twice != paths.end()) {
    return Refusal{Code::text_order,
                   std::string(name) + ": '" + std::string(*twice) + "' stands twice"};
  }
  for (const auto path : paths) {
    for (auto end = path.find('/'); end != std::string_view::npos; end = path.find('/', end + 1)) {
      const auto directory = path.substr(0, end);
      if (std::ranges::binary_search(paths, directory)) {
        return Refusal{Code::path_conflict, std::string(name) + ": '" + std::string(directory) +
                                                "' is a file and the directory of '" +
                                                std::string(path) + "'"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace caisson::installer
