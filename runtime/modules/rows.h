#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "runtime/modules/cursor.h"
#include "runtime/modules/query.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// A record as stored. `value` is the JSON text as it was sent.
struct Record {
  Uuid id;
  std::string collection;
  std::int64_t version = 1;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::string value;

  void append_json(std::string& out) const;
  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string etag() const;
};

/// The statements of the records module. All of them see one tenant's store, and nothing else.
[[nodiscard]] Record insert_record(storage::TenantStore& store, std::string_view collection,
                                   std::string_view value, std::int64_t now_ms);
[[nodiscard]] std::optional<Record> find_record(storage::TenantStore& store,
                                                std::string_view collection, const Uuid& id);
[[nodiscard]] bool can_be_replaced(const Record& record);
/// Gives the record, which can be replaced, a new value and the next version.
void replace_record(storage::TenantStore& store, Record& record, std::string_view value,
                    std::int64_t now_ms);
void delete_record(storage::TenantStore& store, const Record& record, std::int64_t now_ms);
/// Stores `record` just as it is, in place of the one with its id when there is one (`replaces`).
void put_record(storage::TenantStore& store, const Record& record, bool replaces);
/// Removes all records of all collections, and what was answered to requests with an idempotency
/// key. How many records there were.
[[nodiscard]] std::int64_t remove_records(storage::TenantStore& store);

/// The record of a row whose first columns are id, version, created, updated, value.
[[nodiscard]] Record record_of(const storage::Statement& row, std::string_view collection);

/// What a page looks through at most, whatever it finds: this many records, or this much of values
/// (in bytes) and one more. A tenant's thread is not held for longer. A batch reads no further
/// record once its results have as many bytes.
inline constexpr std::size_t most_looked_at = 10'000;
inline constexpr std::size_t page_bytes = 4U << 20U;

struct Page {
  std::vector<Record> records;
  std::optional<Place> next;  ///< behind what was looked at; none: there is nothing more
};

/// The statement that gives the records of a collection in their order, from a place on or from the
/// start. Each order has an index: nothing is sorted, and no value is read but of what is given.
[[nodiscard]] storage::ComposedSql records_in_order(const Order& order, bool from_place);

/// At most `query.page.limit` records after `after` that every filter matches. A page may end early
/// or be empty although there are more: it looks through a bounded part of the collection.
[[nodiscard]] Page list_records(storage::TenantStore& store, std::string_view collection,
                                const ListQuery& query, const std::optional<Place>& after);

struct CollectionCount {
  std::string name;
  std::int64_t count = 0;
};
/// By name, at most `limit` of those behind `after`.
[[nodiscard]] std::vector<CollectionCount> count_collections(storage::TenantStore& store,
                                                             std::string_view after,
                                                             std::int64_t limit);

}  // namespace caisson::modules
