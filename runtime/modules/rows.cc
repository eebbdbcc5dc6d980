#include "runtime/modules/rows.h"

#include <algorithm>

#include "runtime/observe/clock.h"

namespace caisson::modules {
namespace {

constexpr std::size_t page_bytes = 4U << 20U;

storage::Uuid uuid_of(std::string_view blob) {
  storage::Uuid id;
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

/// The condition of one filter; `bind` gives its parameters in order.
storage::Sql condition_of(const Filter& filter) {
  using Op = Filter::Op;
  using Type = FilterValue::Type;
  if (filter.value.type == Type::null || filter.value.type == Type::boolean) {
    return filter.op == Op::eq ? storage::Sql(" AND json_type(value,?) IS ?")
                               : storage::Sql(" AND json_type(value,?) IS NOT ?");
  }
  if (filter.value.type == Type::number) {
    switch (filter.op) {
      case Op::eq:
        return " AND json_type(value,?) IN('integer','real') AND json_extract(value,?)=?";
      case Op::ne:
        return " AND NOT(coalesce(json_type(value,?) IN('integer','real') AND "
               "json_extract(value,?)=?,0))";
      case Op::lt:
        return " AND json_type(value,?) IN('integer','real') AND json_extract(value,?)<?";
      case Op::le:
        return " AND json_type(value,?) IN('integer','real') AND json_extract(value,?)<=?";
      case Op::gt:
        return " AND json_type(value,?) IN('integer','real') AND json_extract(value,?)>?";
      default:
        return " AND json_type(value,?) IN('integer','real') AND json_extract(value,?)>=?";
    }
  }
  switch (filter.op) {
    case Op::eq:
      return " AND json_type(value,?)='text' AND json_extract(value,?)=?";
    case Op::ne:
      return " AND NOT(coalesce(json_type(value,?)='text' AND json_extract(value,?)=?,0))";
    case Op::lt:
      return " AND json_type(value,?)='text' AND json_extract(value,?)<?";
    case Op::le:
      return " AND json_type(value,?)='text' AND json_extract(value,?)<=?";
    case Op::gt:
      return " AND json_type(value,?)='text' AND json_extract(value,?)>?";
    case Op::ge:
      return " AND json_type(value,?)='text' AND json_extract(value,?)>=?";
    case Op::prefix:
      break;
  }
  return " AND json_type(value,?)='text' AND substr(json_extract(value,?),1,length(?))=?";
}

void bind(storage::Statement& statement, const Filter& filter) {
  using Type = FilterValue::Type;
  statement.text(filter.path);
  if (filter.value.type == Type::null) {
    statement.text("null");
  } else if (filter.value.type == Type::boolean) {
    statement.text(filter.value.boolean ? "true" : "false");
  } else {
    statement.text(filter.path);
    if (filter.value.type == Type::number) {
      statement.real(filter.value.number);
    } else {
      if (filter.op == Filter::Op::prefix) statement.text(filter.value.text);
      statement.text(filter.value.text);
    }
  }
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
  out.append(R"({"id":")").append(id.text());
  out.append(R"(","collection":")").append(collection);  // [a-z0-9_-]: nothing to escape
  out.append(R"(","version":)").append(std::to_string(version));
  out.append(R"(,"created":")").append(observe::rfc3339(created_ms));
  out.append(R"(","updated":")").append(observe::rfc3339(updated_ms));
  out.append(R"(","value":)").append(value).append("}");
  return out;
}

Record insert_record(storage::TenantStore& store, std::string_view collection,
                     std::string_view value, std::int64_t now_ms) {
  Record record{.id = storage::Uuid::make(now_ms),
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
                                  const storage::Uuid& id) {
  auto row = store.prepare(
      "SELECT id,version,created,updated,value FROM records WHERE collection=? AND id=?");
  row.text(collection).blob(id.view());
  if (!row.step()) return std::nullopt;
  return record_of(row, collection);
}

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

Page list_records(storage::TenantStore& store, std::string_view collection, const ListQuery& query,
                  const std::optional<Place>& after) {
  const bool by_updated = query.order.by == Order::By::updated;
  const bool descending = query.order.descending;
  storage::ComposedSql sql;
  sql += "SELECT id,version,created,updated,value FROM records WHERE collection=?";
  for (const auto& filter : query.filters) sql += condition_of(filter);
  if (after && by_updated) {
    sql += descending ? storage::Sql(" AND (updated,id)<(?,?)")
                      : storage::Sql(" AND (updated,id)>(?,?)");
  } else if (after) {
    sql += descending ? storage::Sql(" AND id<?") : storage::Sql(" AND id>?");
  }
  if (by_updated) {
    sql += descending ? storage::Sql(" ORDER BY updated DESC,id DESC")
                      : storage::Sql(" ORDER BY updated,id");
  } else {
    sql += descending ? storage::Sql(" ORDER BY id DESC") : storage::Sql(" ORDER BY id");
  }
  sql += " LIMIT ?";

  auto row = store.prepare(sql);
  row.text(collection);
  for (const auto& filter : query.filters) bind(row, filter);
  if (after && by_updated) row.integer(after->updated_ms);
  if (after) row.blob(after->id.view());
  row.integer(query.limit + 1);

  Page page;
  std::size_t bytes = 0;
  while (row.step()) {
    if (page.records.size() == static_cast<std::size_t>(query.limit) ||
        (bytes > page_bytes && !page.records.empty())) {
      page.more = true;
      break;
    }
    page.records.push_back(record_of(row, collection));
    bytes += page.records.back().value.size();
  }
  return page;
}

std::vector<CollectionCount> count_collections(storage::TenantStore& store) {
  auto row = store.prepare(
      "SELECT collection,count(*) FROM records GROUP BY collection ORDER BY collection LIMIT 1000");
  std::vector<CollectionCount> counts;
  while (row.step()) {
    counts.push_back({.name = std::string(row.text_at(0)), .count = row.integer_at(1)});
  }
  return counts;
}

}  // namespace caisson::modules
