#include "runtime/modules/transfer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "api/schemas.h"
#include "runtime/context/strict_json.h"
#include "runtime/modules/query.h"
#include "runtime/modules/rows.h"
#include "runtime/observe/clock.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

constexpr std::size_t page_bytes = 4U << 20U;
constexpr std::size_t most_records = 1000;
constexpr std::array<std::string_view, 3> existing_words{"refuse", "keep", "replace"};

/// Notes what is wrong with one record of an import.
class RecordCheck {
 public:
  RecordCheck(const json::value& value, std::size_t position, std::vector<Defect>& defects)
      : pointer_("/records/" + std::to_string(position)), defects_(defects) {
    if (!value.is_object()) {
      refuse("", "must be an object");
      return;
    }
    const json::object& record = value.get_object();
    if (!api::is_collection(text(record, "collection")))
      refuse("/collection", "must match [a-z][a-z0-9_-]{0,62}");
    if (!storage::Uuid::parse(text(record, "id"))) refuse("/id", "must be a UUID in lower case");
    const json::value* version = record.if_contains("version");
    if (version == nullptr || !version->is_int64() || version->get_int64() < 1)
      refuse("/version", "must be a whole number from 1");
    for (const char* time : {"created", "updated"}) {
      if (!observe::parse_rfc3339(text(record, time)))
        refuse(std::string("/") + time, "must be a time, like 2026-01-31T12:00:00.000Z");
    }
    const json::value* content = record.if_contains("value");
    if (content == nullptr || !content->is_object()) refuse("/value", "must be a JSON object");
    if (record.size() > 6) refuse("", "has members that are not of a record");
  }

 private:
  static std::string text(const json::object& record, std::string_view member) {
    const json::value* value = record.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
  void refuse(const std::string& member, std::string detail) {
    defects_.push_back({.pointer = pointer_ + member, .detail = std::move(detail)});
  }

  std::string pointer_;
  std::vector<Defect>& defects_;
};

}  // namespace

std::optional<ExportPlace> ExportPlace::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !api::is_collection(text.substr(0, slash))) return {};
  const auto id = storage::Uuid::parse(text.substr(slash + 1));
  if (!id) return {};
  return ExportPlace{.collection = std::string(text.substr(0, slash)), .id = *id};
}

std::string ExportPlace::text() const { return collection + '/' + id.text(); }

ExportPage export_records(storage::TenantStore& store, const std::optional<ExportPlace>& after,
                          std::int64_t limit) {
  auto row = store.prepare(
      "SELECT id,version,created,updated,value,collection FROM records "
      "WHERE (collection,id)>(?,?) ORDER BY collection,id LIMIT ?");
  // Views that outlive the statement, which reads what it was given at every step.
  const std::string_view collection = after ? std::string_view(after->collection) : "";
  const std::string_view id = after ? after->id.view() : "";
  row.text(collection).blob(id).integer(limit + 1);
  ExportPage page{.records = "[", .next = {}};
  std::optional<ExportPlace> last;
  std::int64_t count = 0;
  while (row.step()) {
    if (count == limit || page.records.size() > page_bytes) {
      page.next = std::move(last);
      break;
    }
    const Record record = record_of(row, row.text_at(5));
    if (count++ > 0) page.records += ',';
    page.records += record.json();
    last = ExportPlace{.collection = record.collection, .id = record.id};
  }
  page.records += ']';
  return page;
}

Import read_import(std::string_view body) {
  Import import;
  const auto refuse = [&import](std::string pointer, std::string detail) {
    import.defects.push_back({.pointer = std::move(pointer), .detail = std::move(detail)});
  };
  const auto parsed = context::parse_strict(body);
  if (!parsed || !parsed->is_object()) {
    refuse("", parsed ? "must be an object" : "is not JSON: " + parsed.error().what);
    return import;
  }
  for (const auto& member : parsed->get_object()) {
    const std::string key(member.key());
    const json::value& value = member.value();
    const std::string text = value.is_string() ? std::string(value.get_string()) : "";
    if (key == "records") {
      if (!value.is_array() || value.get_array().size() > most_records) {
        refuse("/records", "must be a list of at most 1000 records");
        continue;
      }
      import.records = value.get_array().size();
      for (std::size_t i = 0; i < import.records; ++i)
        RecordCheck(value.get_array()[i], i, import.defects);
    } else if (key == "existing") {
      const auto* const word = std::ranges::find(existing_words, text);
      if (word == existing_words.end()) refuse("/existing", "must be refuse, keep or replace");
      import.existing = static_cast<Existing>(word - existing_words.begin());
    } else if (key == "tenant" || key == "from") {
      if (text.empty()) refuse("/" + key, "must be a tenant's slug");
      (key == "from" ? import.from : import.tenant) = text;
    } else if (key != "next") {
      refuse("/" + key, "is no member of an import");
    }
  }
  for (const char* member : {"tenant", "records"}) {
    if (!parsed->get_object().contains(member)) refuse(std::string("/") + member, "is missing");
  }
  return import;
}

Imported import_records(storage::TenantStore& store, std::string_view body, Existing existing) {
  Imported imported;
  // The values are cut out of the body by the engine: a number that went through a double would
  // come back as another one.
  auto row = store.prepare(
      "SELECT json_extract(value,'$.collection'),json_extract(value,'$.id'),"
      "json_extract(value,'$.version'),json_extract(value,'$.created'),"
      "json_extract(value,'$.updated'),json_extract(value,'$.value') "
      "FROM json_each(?,'$.records') ORDER BY key");
  row.text(body);
  for (std::size_t position = 0; row.step(); ++position) {
    const auto id = storage::Uuid::parse(row.text_at(1));
    const auto created = observe::parse_rfc3339(row.text_at(3));
    const auto updated = observe::parse_rfc3339(row.text_at(4));
    if (!id || !created || !updated) continue;  // read_import has refused such a body
    const Record record{.id = *id,
                        .collection = std::string(row.text_at(0)),
                        .version = row.integer_at(2),
                        .created_ms = *created,
                        .updated_ms = *updated,
                        .value = std::string(row.text_at(5))};
    const auto known = find_record(store, record.collection, record.id);
    if (known && existing == Existing::refuse) {
      store.abandon();
      return {.conflict = position};
    }
    if (known && existing == Existing::keep) {
      ++imported.kept;
      continue;
    }
    put_record(store, record, known.has_value());
    ++(known ? imported.replaced : imported.created);
  }
  return imported;
}

}  // namespace caisson::modules
