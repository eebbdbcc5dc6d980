#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace caisson::modules {

/// Where a page of a list ended.
struct Place {
  std::int64_t time_ms = 0;  ///< of what the list is ordered by; of no meaning when that is the id
  Uuid id;
};

/// What a cursor is good for; with any other it is refused.
struct CursorScope {
  std::string_view key;  ///< 256 random bits of this deployment
  std::string_view tenant_id;
  std::string_view collection;  ///< empty: of a list of collections
  std::string_view shape{};     ///< filters and order
};

/// base64url of `place` and 128 bits of HMAC-SHA-256 over place and scope.
[[nodiscard]] std::string seal_cursor(std::string_view place, const CursorScope& scope);

/// Nothing unless `seal_cursor` made it for the same scope.
[[nodiscard]] std::optional<std::string> open_cursor(std::string_view cursor,
                                                     const CursorScope& scope);

/// The same for places of a list of records.
[[nodiscard]] std::string write_cursor(const Place& place, const CursorScope& scope);
[[nodiscard]] std::optional<Place> read_cursor(std::string_view cursor, const CursorScope& scope);

}  // namespace caisson::modules
