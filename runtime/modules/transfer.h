#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "base/uuid.h"
#include "runtime/modules/records.h"
#include "runtime/modules/rows.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// Where a page of an export ends: `<collection>/<id>` of its last record.
struct ExportPlace {
  std::string collection;
  Uuid id;

  [[nodiscard]] static std::optional<ExportPlace> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

struct ExportPage {
  std::string records;  ///< a JSON array; each with its collection, id, version, times and value
  std::optional<ExportPlace> next;  ///< none: this was the last page
};

/// At most `limit` records of all collections after `after`, by collection and id, and at most 4
/// MiB of them, or one that is larger. Values are the bytes that were stored.
[[nodiscard]] ExportPage export_records(storage::TenantStore& store,
                                        const std::optional<ExportPlace>& after,
                                        std::int64_t limit);

/// What an import does about a record that is there already; `remove` is about all that are there,
/// whatever their ids, and about the answers to requests with an idempotency key.
enum class Existing : std::uint8_t { refuse, keep, replace, remove };

/// An import's body (api::import_page), read and checked. `tenant`, `records` and `next` are a page
/// of an export, as it came.
struct Import {
  std::string tenant;  ///< whose records they are
  std::string from;    ///< the tenant that the caller says they are of, when not the importing one
  Existing existing = Existing::refuse;
  std::vector<Record> records;
};
/// The error is the refusal, which tells of every record that is wrong.
[[nodiscard]] tl::expected<Import, RecordsAnswer> read_import(std::string_view body);

struct Imported {
  std::int64_t created = 0;
  std::int64_t replaced = 0;
  std::int64_t kept = 0;
  std::int64_t removed = 0;
  std::optional<std::size_t>
      conflict;  ///< position of a record that is there; nothing was imported
};
/// Puts the records: all or nothing.
[[nodiscard]] Imported import_records(storage::TenantStore& store, const Import& import);

}  // namespace caisson::modules
