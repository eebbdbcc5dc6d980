#include "runtime/modules/rows.h"

#include <algorithm>
#include <utility>

#include "base/time.h"

namespace caisson::modules {
namespace {

Uuid uuid_of(std::string_view blob) {
  Uuid id;
  std::copy_n(blob.begin(), std::min(blob.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

void note(storage::TenantStore& store, const Record& record, storage::Change::Op op,
          std::int64_t now_ms) {
  store.note({.op = op,
              .collection = record.collection,
              .id = record.id,
              .version = record.version,
              .time_ms = now_ms});
}

}  // namespace

Record record_of(const storage::Statement& row, std::string_view collection) {
  return {.id = uuid_of(row.blob_at(0)),
          .collection = std::string(collection),
          .version = row.integer_at(1),
          .created_ms = row.integer_at(2),
          .updated_ms = row.integer_at(3),
          .value = std::string(row.text_at(4))};
}

std::string Record::etag() const { return '"' + std::to_string(version) + '"'; }

std::string Record::json() const {
  std::string out;
  out.reserve(value.size() + 200);
  append_json(out);
  return out;
}

void Record::append_json(std::string& out) const {
  out.append(R"({"id":")").append(id.text());
  out.append(R"(","collection":")").append(collection);  // [a-z0-9_-]: nothing to escape
  out.append(R"(","version":)").append(std::to_string(version));
  out.append(R"(,"created":")").append(rfc3339(created_ms));
  out.append(R"(","updated":")").append(rfc3339(updated_ms));
  out.append(R"(","value":)").append(value).append("}");
}

Record insert_record(storage::TenantStore& store, std::string_view collection,
                     std::string_view value, std::int64_t now_ms) {
  Record record{.id = Uuid::make(now_ms),
                .collection = std::string(collection),
                .created_ms = now_ms,
                .updated_ms = now_ms,
                .value = std::string(value)};
  store
      .prepare(
          "INSERT INTO records(collection,id,version,created,updated,value) "
          "VALUES(?,?,1,?,?,?)")
      .text(collection)
      .blob(record.id.view())
      .integer(now_ms)
      .integer(now_ms)
      .text(value)
      .run();
  note(store, record, storage::Change::Op::created, now_ms);
  return record;
}

std::optional<Record> find_record(storage::TenantStore& store, std::string_view collection,
                                  const Uuid& id) {
  auto row = store.prepare(
      "SELECT id,version,created,updated,value FROM records WHERE collection=? AND id=?");
  row.text(collection).blob(id.view());
  if (!row.step()) return std::nullopt;
  return record_of(row, collection);
}

bool can_be_replaced(const Record& record) { return record.version < api::most_version; }

void replace_record(storage::TenantStore& store, Record& record, std::string_view value,
                    std::int64_t now_ms) {
  record.value = value;
  record.updated_ms = now_ms;
  ++record.version;
  store.prepare("UPDATE records SET value=?,updated=?,version=? WHERE collection=? AND id=?")
      .text(value)
      .integer(now_ms)
      .integer(record.version)
      .text(record.collection)
      .blob(record.id.view())
      .run();
  note(store, record, storage::Change::Op::replaced, now_ms);
}

void delete_record(storage::TenantStore& store, const Record& record, std::int64_t now_ms) {
  store.prepare("DELETE FROM records WHERE collection=? AND id=?")
      .text(record.collection)
      .blob(record.id.view())
      .run();
  note(store, record, storage::Change::Op::deleted, now_ms);
}

std::int64_t remove_records(storage::TenantStore& store) {
  store.prepare("DELETE FROM idempotency").run();
  store.prepare("DELETE FROM records").run();
  const std::int64_t removed = store.changes();
  if (removed > 0) store.note_unknown_changes();
  return removed;
}

void put_record(storage::TenantStore& store, const Record& record, bool replaces) {
  store
      .prepare(
          "INSERT OR REPLACE INTO records(collection,id,version,created,updated,value) "
          "VALUES(?,?,?,?,?,?)")
      .text(record.collection)
      .blob(record.id.view())
      .integer(record.version)
      .integer(record.created_ms)
      .integer(record.updated_ms)
      .text(record.value)
      .run();
  using Op = storage::Change::Op;
  note(store, record, replaces ? Op::replaced : Op::created, record.updated_ms);
}

namespace {

/// The parts of the statement of an order by time; the column is where a row has it.
struct TimeOrder {
  int column;
  storage::Sql rows;
  storage::Sql behind;  ///< a place, up and down
  storage::Sql before;
  storage::Sql ascending;
  storage::Sql descending;
};

constexpr TimeOrder by_creation{2,
                                "INDEXED BY records_by_creation WHERE collection=?",
                                " AND (created,id)>(?,?)",
                                " AND (created,id)<(?,?)",
                                " ORDER BY created,id",
                                " ORDER BY created DESC,id DESC"};
constexpr TimeOrder by_update{3,
                              "INDEXED BY records_by_update WHERE collection=?",
                              " AND (updated,id)>(?,?)",
                              " AND (updated,id)<(?,?)",
                              " ORDER BY updated,id",
                              " ORDER BY updated DESC,id DESC"};

/// Null for the order by id.
const TimeOrder* time_order(const Order& order) {
  if (order.by == Order::By::id) return nullptr;
  return order.by == Order::By::created ? &by_creation : &by_update;
}

}  // namespace

storage::ComposedSql records_in_order(const Order& order, bool from_place) {
  storage::ComposedSql sql;
  sql += "SELECT id,version,created,updated,value FROM records ";
  if (const TimeOrder* time = time_order(order)) {
    sql += time->rows;
    if (from_place) sql += order.descending ? time->before : time->behind;
    sql += order.descending ? time->descending : time->ascending;
    return sql;
  }
  sql += "INDEXED BY records_by_id WHERE collection=?";
  if (from_place) sql += order.descending ? storage::Sql(" AND id<?") : storage::Sql(" AND id>?");
  sql += order.descending ? storage::Sql(" ORDER BY id DESC") : storage::Sql(" ORDER BY id");
  return sql;
}

Page list_records(storage::TenantStore& store, std::string_view collection, const ListQuery& query,
                  const std::optional<Place>& after) {
  auto row = store.prepare(records_in_order(query.order, after.has_value()));
  row.text(collection);
  const TimeOrder* const time = time_order(query.order);
  if (after && time != nullptr) row.integer(after->time_ms);
  if (after) row.blob(after->id.view());

  Page page;
  std::optional<Place> last;
  std::size_t looked_at = 0;
  std::size_t bytes = 0;
  while (row.step()) {
    if (std::cmp_equal(page.records.size(), query.page.limit) || looked_at == most_looked_at ||
        bytes > page_bytes) {
      page.next = last;
      break;
    }
    const std::string_view value = row.text_at(4);
    const bool wanted = std::ranges::all_of(
        query.filters, [&](const Filter& filter) { return matches(filter, value); });
    last = Place{.time_ms = time == nullptr ? 0 : row.integer_at(time->column),
                 .id = uuid_of(row.blob_at(0))};
    ++looked_at;
    bytes += value.size();
    if (wanted) page.records.push_back(record_of(row, collection));
  }
  return page;
}

std::vector<CollectionCount> count_collections(storage::TenantStore& store, std::string_view after,
                                               std::int64_t limit) {
  auto row = store.prepare(
      "SELECT collection,count(*) FROM records WHERE collection>? "
      "GROUP BY collection ORDER BY collection LIMIT ?");
  row.text(after).integer(limit);
  std::vector<CollectionCount> counts;
  while (row.step()) {
    counts.push_back({.name = std::string(row.text_at(0)), .count = row.integer_at(1)});
  }
  return counts;
}

}  // namespace caisson::modules
