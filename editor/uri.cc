#include "editor/uri.h"

namespace caisson::editor {
namespace {

constexpr std::string_view scheme = "file://";
constexpr std::string_view hexadecimal = "0123456789ABCDEF";

std::optional<unsigned> digit(char c) {
  if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  const auto found = hexadecimal.find(c);
  return found == std::string_view::npos ? std::nullopt
                                         : std::optional(static_cast<unsigned>(found));
}

/// What a path keeps as it is (RFC 3986, 3.3: pchar and '/'). ':' is written by some clients and
/// escaped by others; both are read.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::filesystem::path> path_of(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  uri = uri.substr(0, uri.find_first_of("?#"));
  if (uri.starts_with("localhost/")) uri.remove_prefix(std::string_view("localhost").size());
  if (!uri.starts_with('/')) return std::nullopt;
  std::string path;
  for (std::size_t at = 0; at < uri.size(); ++at) {
    if (uri[at] != '%') {
      path += uri[at];
      continue;
    }
    const auto high = at + 2 < uri.size() ? digit(uri[at + 1]) : std::nullopt;
    const auto low = at + 2 < uri.size() ? digit(uri[at + 2]) : std::nullopt;
    if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
    path += static_cast<char>(*high * 16 + *low);
    at += 2;
  }
  return std::filesystem::path(path).lexically_normal();
}

std::string uri_of(const std::filesystem::path& path) {
  std::string uri(scheme);
  for (const char c : path.string()) {
    if (is_plain(c)) {
      uri += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      uri += '%';
      uri += hexadecimal[byte >> 4U];
      uri += hexadecimal[byte & 15U];
    }
  }
  return uri;
}

}  // namespace caisson::editor
