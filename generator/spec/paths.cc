#include "generator/spec/paths.h"

#include <algorithm>

namespace caisson::spec {

bool is_within(std::string_view inner, std::string_view outer) {
  return inner.starts_with(outer) &&
         (inner.size() == outer.size() || outer.ends_with('/') || inner[outer.size()] == '/');
}

std::string normal(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    if (!segment.empty() && segment != ".") (out += '/') += segment;
    at = end + 1;
  }
  return out.empty() && !path.empty() ? "/" : out;
}

}  // namespace caisson::spec
