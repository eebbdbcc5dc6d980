#include "editor/uri.h"

#include "base/percent.h"

namespace caisson::editor {
namespace {

constexpr std::string_view scheme = "file://";
/// What a path keeps as it is besides unreserved characters (RFC 3986, 3.3: pchar and '/'). ':' is
/// written by some clients and escaped by others; both are read.
constexpr std::string_view kept = "/!$&'()*+,;=:@";

}  // namespace

std::optional<std::filesystem::path> path_of(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  uri = uri.substr(0, uri.find_first_of("?#"));
  if (uri.starts_with("localhost/")) uri.remove_prefix(std::string_view("localhost").size());
  if (!uri.starts_with('/')) return std::nullopt;
  const auto path = percent_decoded(uri);
  if (!path || path->find('\0') != std::string::npos) return std::nullopt;
  return std::filesystem::path(*path).lexically_normal();
}

std::string uri_of(const std::filesystem::path& path) {
  return std::string(scheme) + percent_encoded(path.string(), kept);
}

}  // namespace caisson::editor
