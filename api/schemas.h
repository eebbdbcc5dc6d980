#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/schema.h"

namespace caisson::api {

/// Bounds that the server keeps and the document says.
inline constexpr std::int64_t most_records_a_page = 1000;
inline constexpr std::int64_t usual_records_a_page = 100;
inline constexpr std::int64_t usual_collections_a_page = 1000;
/// Of a record. One that has got so far cannot be replaced any more.
inline constexpr std::int64_t most_version = 9'007'199'254'740'991;
inline constexpr std::size_t most_operations_a_batch = 1000;
inline constexpr std::size_t most_filters = 8;
inline constexpr std::size_t deepest_filter_path = 8;
inline constexpr std::size_t longest_filter_path = 128;
inline constexpr std::size_t longest_idempotency_key = 128;
inline constexpr std::size_t most_watched_collections = 32;

extern const Schema collection, record_id, value, stored_record, record_page, collection_list,
    identity, batch, batch_results, ticket, watch_message, problem;
/// What the operator's import takes: a page of an export.
extern const Schema import_page;
extern const Schema page_limit, cursor, collection_cursor, filter, order, entity_tags,
    idempotency_key, tenant_slug, sequence;

/// Operators of a filter and what they compare with.
struct FilterOperator {
  std::string_view name;
  bool ordered;    ///< not with null, true and false
  bool text_only;  ///< with text alone
};
[[nodiscard]] std::span<const FilterOperator> filter_operators();

/// Every schema with a name, those first that others use.
[[nodiscard]] std::span<const Schema* const> components();

/// `[a-z][a-z0-9_-]{0,62}`
[[nodiscard]] bool is_collection(std::string_view text);
/// The canonical form of a UUIDv7, in lower case.
[[nodiscard]] bool is_record_id(std::string_view text);
/// 1 to 128 visible ASCII characters.
[[nodiscard]] bool is_idempotency_key(std::string_view text);

}  // namespace caisson::api
