#include "runtime/modules/transfer.h"

#include <utility>

#include <boost/json.hpp>

#include "api/schemas.h"
#include "base/time.h"
#include "runtime/context/json_reader.h"
#include "runtime/modules/answer.h"
#include "runtime/modules/check.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

/// The time that a member of a record says; a fault when it says none.
std::int64_t read_time(const json::object& record, std::size_t position, std::string_view member,
                       observe::Faults& faults) {
  const auto time = parse_rfc3339(record.at(member).get_string());
  if (time) return *time;
  faults.note("/records/" + std::to_string(position) + '/' + std::string(member),
              "must be a time, like 2026-01-31T12:00:00.000Z");
  return 0;
}

}  // namespace

std::optional<ExportPlace> ExportPlace::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !api::is_collection(text.substr(0, slash))) return {};
  const auto id = Uuid::parse(text.substr(slash + 1));
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
    const Record record = record_of(row, row.text_at(5));
    const std::string text = count == limit ? std::string() : record.json();
    // One that would make the page larger begins the next: alone it may be as large as it is.
    if (count == limit || (count > 0 && page.records.size() + text.size() > page_bytes)) {
      page.next = std::move(last);
      break;
    }
    if (count++ > 0) page.records += ',';
    page.records += text;
    last = ExportPlace{.collection = record.collection, .id = record.id};
  }
  page.records += ']';
  return page;
}

tl::expected<Import, RecordsAnswer> read_import(std::string_view body) {
  const auto parsed = read_body(api::import_page, body);
  if (!parsed) return tl::unexpected(parsed.error());
  const json::object& page = parsed->get_object();
  const auto text = [](const json::object& object, std::string_view member) {
    const json::value* value = object.if_contains(member);
    return value == nullptr ? std::string() : std::string(value->get_string());
  };
  Import import{.tenant = text(page, "tenant"), .from = text(page, "from"), .records = {}};
  if (const auto existing = text(page, "existing"); existing == "keep") {
    import.existing = Existing::keep;
  } else if (existing == "replace") {
    import.existing = Existing::replace;
  } else if (existing == "remove") {
    import.existing = Existing::remove;
  }
  const auto& items = page.at("records").get_array();
  // Their own bytes: a number that went through a double would come back as another one.
  const auto values = context::cut_members(body, "records", "value");
  observe::Faults faults;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const json::object& item = items[i].get_object();
    import.records.push_back({.id = Uuid::parse(text(item, "id")).value_or(Uuid()),
                              .collection = text(item, "collection"),
                              .version = item.at("version").to_number<std::int64_t>(),
                              .created_ms = read_time(item, i, "created", faults),
                              .updated_ms = read_time(item, i, "updated", faults),
                              .value = std::string(values.at(i))});
  }
  if (!faults.empty()) {
    return tl::unexpected(
        problem("invalid-record", "the body is not what this request takes", std::move(faults)));
  }
  return import;
}

Imported import_records(storage::TenantStore& store, const Import& import) {
  Imported imported;
  if (import.existing == Existing::remove) imported.removed = remove_records(store);
  for (std::size_t position = 0; position < import.records.size(); ++position) {
    const Record& record = import.records[position];
    const bool known = find_record(store, record.collection, record.id).has_value();
    // After a removal it is one that the page has twice.
    const bool refuses = import.existing == Existing::refuse || import.existing == Existing::remove;
    if (known && refuses) {
      store.abandon();
      return {.conflict = position};
    }
    if (known && import.existing == Existing::keep) {
      ++imported.kept;
      continue;
    }
    put_record(store, record, known);
    ++(known ? imported.replaced : imported.created);
  }
  return imported;
}

}  // namespace caisson::modules
