#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/modules/cursor.h"
#include "runtime/modules/query.h"
#include "runtime/storage/store.h"
#include "runtime/storage/uuid.h"

namespace caisson::modules {

/// A record as stored. `value` is the JSON text as it was sent.
struct Record {
  storage::Uuid id;
  std::string collection;
  std::int64_t version = 1;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::string value;

  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string etag() const;
};

/// The statements of the records module. All of them see one tenant's store, and nothing else.
[[nodiscard]] Record insert_record(storage::TenantStore& store, std::string_view collection,
                                   std::string_view value, std::int64_t now_ms);
[[nodiscard]] std::optional<Record> find_record(storage::TenantStore& store,
                                                std::string_view collection,
                                                const storage::Uuid& id);
/// Gives the record a new value and the next version.
void replace_record(storage::TenantStore& store, Record& record, std::string_view value,
                    std::int64_t now_ms);
void delete_record(storage::TenantStore& store, const Record& record, std::int64_t now_ms);
/// Stores `record` just as it is, in place of the one with its id when there is one (`replaces`).
void put_record(storage::TenantStore& store, const Record& record, bool replaces);

/// The record of a row whose first columns are id, version, created, updated, value.
[[nodiscard]] Record record_of(const storage::Statement& row, std::string_view collection);

struct Page {
  std::vector<Record> records;
  bool more = false;  ///< there are records after the last one
};

/// At most `query.limit` records after `after`, and at most about 4 MiB of values.
[[nodiscard]] Page list_records(storage::TenantStore& store, std::string_view collection,
                                const ListQuery& query, const std::optional<Place>& after);

struct CollectionCount {
  std::string name;
  std::int64_t count = 0;
};
/// By name, at most 1,000.
[[nodiscard]] std::vector<CollectionCount> count_collections(storage::TenantStore& store);

}  // namespace caisson::modules
