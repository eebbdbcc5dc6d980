#include "runtime/modules/cursor.h"

#include <algorithm>

#include "base/base64url.h"
#include "base/digest.h"

namespace caisson::modules {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::size_t id_bytes = 16;
constexpr std::size_t seal_bytes = 16;

/// Lengths go in front of the parts, so that no two scopes have the same bytes.
std::string seal(std::string_view place, const CursorScope& scope) {
  std::string message;
  for (const auto part : {place, scope.tenant_id, scope.collection, scope.shape}) {
    message += std::to_string(part.size());
    message += ':';
    message += part;
  }
  return bytes_of(hmac_sha256(scope.key, message)).substr(0, seal_bytes);
}

}  // namespace

std::string seal_cursor(std::string_view place, const CursorScope& scope) {
  return encode_base64url(std::string(place) + seal(place, scope));
}

std::optional<std::string> open_cursor(std::string_view cursor, const CursorScope& scope) {
  auto decoded = decode_base64url(cursor);
  if (!decoded || decoded->size() < seal_bytes) return std::nullopt;
  const std::string sealed = decoded->substr(decoded->size() - seal_bytes);
  decoded->resize(decoded->size() - seal_bytes);
  if (!equal_constant_time(sealed, seal(*decoded, scope))) return std::nullopt;
  return decoded;
}

std::string write_cursor(const Place& place, const CursorScope& scope) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>((static_cast<std::uint64_t>(place.time_ms) >> shift) & 0xFFU);
  }
  bytes += place.id.view();
  return seal_cursor(bytes, scope);
}

std::optional<Place> read_cursor(std::string_view cursor, const CursorScope& scope) {
  const auto bytes = open_cursor(cursor, scope);
  if (!bytes || bytes->size() != time_bytes + id_bytes) return std::nullopt;
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < time_bytes; ++i) {
    time = (time << 8U) | static_cast<unsigned char>((*bytes)[i]);
  }
  Place place{.time_ms = static_cast<std::int64_t>(time)};
  std::copy_n(bytes->begin() + time_bytes, id_bytes, place.id.bytes.begin());
  return place;
}

}  // namespace caisson::modules
