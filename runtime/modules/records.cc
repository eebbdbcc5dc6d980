#include "runtime/modules/records.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/schemas.h"
#include "runtime/modules/answer.h"
#include "runtime/modules/batch.h"
#include "runtime/modules/check.h"
#include "runtime/modules/cursor.h"
#include "runtime/modules/idempotency.h"
#include "runtime/modules/query.h"
#include "runtime/modules/rows.h"
#include "runtime/modules/sabotage.h"

namespace caisson::modules {
namespace {

constexpr std::array<storage::Migration, 3> migrations{
    "CREATE TABLE records("
    " collection TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,"
    " created INTEGER NOT NULL, updated INTEGER NOT NULL, value TEXT NOT NULL);"
    "CREATE UNIQUE INDEX records_by_id ON records(collection,id);"
    "CREATE TABLE idempotency("
    " key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, created INTEGER NOT NULL,"
    " status INTEGER NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, location TEXT NOT NULL);"
    "CREATE INDEX idempotency_by_age ON idempotency(created);",
    // The first version wrote an empty value, or none of the other members, where the keys of a
    // batch or an import were escaped. What it acknowledged stays, in a form that can be read: an
    // empty object, a version that counts, a collection that has a name.
    "UPDATE records SET value='{}' WHERE value='';"
    "UPDATE records SET version=min(max(version,1),9007199254740991)"
    " WHERE version NOT BETWEEN 1 AND 9007199254740991;"
    "UPDATE OR IGNORE records SET collection='recovered' WHERE collection='';"
    "UPDATE idempotency SET body=replace(body,'\"value\":}','\"value\":{}}')"
    " WHERE instr(body,'\"value\":}')>0;"
    "CREATE INDEX records_by_update ON records(collection,updated,id);",
    // An imported record was created when it says so, whatever its id.
    "CREATE INDEX records_by_creation ON records(collection,created,id);",
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_json(std::string_view content_type) {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  constexpr std::string_view json = "application/json";
  return std::equal(type.begin(), type.end(), json.begin(), json.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// Whether a list of entity tags, or `*`, names this one (RFC 9110, 13.1). If-None-Match compares
/// weakly, If-Match strongly: there a weak tag names nothing.
bool names(std::string_view list, std::string_view etag, bool weakly) {
  if (trimmed(list) == "*") return true;
  while (true) {
    const auto comma = list.find(',');
    auto tag = trimmed(list.substr(0, comma));
    if (weakly && tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

RecordsAnswer answer_with(const Record& record, int status) {
  return {.status = status, .body = record.json(), .etag = record.etag()};
}

RecordsAnswer create(const RecordsRequest& request, storage::TenantStore& store) {
  auto body = read_body(api::value, request.body);
  if (!body) return std::move(body.error());
  const auto record =
      insert_record(store, request.call.collection, trimmed(request.body), request.now_ms);
  betray(record.id);
  auto answer = answer_with(record, 201);
  answer.location = "/v1/records/" + record.collection + "/" + record.id.text();
  return answer;
}

RecordsAnswer on_record(const RecordsRequest& request, storage::TenantStore& store) {
  const auto operation = request.call.operation->id;
  const bool replaces = operation == api::OperationId::replace_record;
  if (replaces) {
    auto body = read_body(api::value, request.body);
    if (!body) return std::move(body.error());
  }
  const auto id = Uuid::parse(request.call.id);
  auto record = id ? find_record(store, request.call.collection, *id) : std::optional<Record>();
  if (!record && id && is_betrayed(*id)) return problem("not-found", "another tenant's record");
  if (!record) return no_such_record();

  if (operation == api::OperationId::read_record) {
    if (request.if_none_match && names(*request.if_none_match, record->etag(), true)) {
      return {.status = 304, .etag = record->etag()};
    }
    return answer_with(*record, 200);
  }
  if (request.if_match && !names(*request.if_match, record->etag(), false)) {
    return problem("precondition-failed",
                   "the record has another version by now; read it and decide again");
  }
  if (replaces) {
    if (!can_be_replaced(*record)) return no_more_versions();
    replace_record(store, *record, trimmed(request.body), request.now_ms);
    return answer_with(*record, 200);
  }
  delete_record(store, *record, request.now_ms);
  return {.status = 204};
}

RecordsAnswer foreign_cursor() {
  return problem(
      "invalid-parameter", "the query has invalid parameters",
      {{.pointer = "cursor", .detail = "was not made for this list; start again without it"}});
}

/// The end of a page: where to go on, or null.
std::string next_member(const std::optional<std::string>& cursor) {
  return R"(],"next":)" + (cursor ? '"' + *cursor + '"' : "null") + "}";
}

RecordsAnswer list(const RecordsRequest& request, storage::TenantStore& store,
                   std::string_view cursor_key) {
  const auto query = parse_list_query(request.query);
  if (!query)
    return problem("invalid-parameter", "the query has invalid parameters", query.error());
  const CursorScope scope{.key = cursor_key,
                          .tenant_id = store.tenant_id(),
                          .collection = request.call.collection,
                          .shape = query->shape};
  std::optional<Place> after;
  if (!query->page.cursor.empty()) {
    after = read_cursor(query->page.cursor, scope);
    if (!after) return foreign_cursor();
  }
  const auto page = list_records(store, request.call.collection, *query, after);
  std::string body = R"({"records":[)";
  for (const auto& record : page.records) {
    if (&record != &page.records.front()) body += ',';
    record.append_json(body);
  }
  std::optional<std::string> next;
  if (page.next) next = write_cursor(*page.next, scope);
  body += next_member(next);
  return {.body = std::move(body)};
}

RecordsAnswer collections(const RecordsRequest& request, storage::TenantStore& store,
                          std::string_view cursor_key) {
  const auto query = parse_page_query(request.query);
  if (!query)
    return problem("invalid-parameter", "the query has invalid parameters", query.error());
  const CursorScope scope{
      .key = cursor_key, .tenant_id = store.tenant_id(), .collection = {}, .shape = {}};
  std::string after;
  if (!query->cursor.empty()) {
    auto place = open_cursor(query->cursor, scope);
    if (!place) return foreign_cursor();
    after = std::move(*place);
  }
  auto counts = count_collections(store, after, query->limit + 1);
  std::optional<std::string> next;
  if (std::cmp_greater(counts.size(), query->limit)) {
    counts.pop_back();
    next = seal_cursor(counts.back().name, scope);
  }
  std::string body = R"({"collections":[)";
  for (const auto& [name, count] : counts) {
    if (body.back() == '}') body += ',';
    body += R"({"name":")" + name + R"(","count":)" + std::to_string(count) + "}";
  }
  return {.body = body + next_member(next)};
}

using Steps = std::vector<BatchStep>;

RecordsAnswer dispatch(const RecordsRequest& request, const Steps& steps,
                       storage::TenantStore& store, std::string_view cursor_key) {
  switch (request.call.operation->id) {
    case api::OperationId::list_collections:
      return collections(request, store, cursor_key);
    case api::OperationId::list_records:
      return list(request, store, cursor_key);
    case api::OperationId::create_record:
      return create(request, store);
    case api::OperationId::read_record:
    case api::OperationId::replace_record:
    case api::OperationId::delete_record:
      return on_record(request, store);
    case api::OperationId::run_batch:
      return run_batch(steps, request.now_ms, store);
    case api::OperationId::who_am_i:
    case api::OperationId::watch_changes:
    case api::OperationId::issue_ticket:
      break;  // are answered without a store
  }
  return no_such_record();
}

/// A record, and the answer that is kept for its idempotency key, is a value of the engine, which
/// takes 64 MiB; what stands around the values of a batch of 1,000 needs less than the rest.
constexpr std::size_t most_of_body = std::size_t{60} * 1024 * 1024;

/// What can be told without the store.
std::optional<RecordsAnswer> check_request(const RecordsRequest& request) {
  if (request.body.size() > most_of_body) {
    return problem("body-too-large", "a request about records has at most 60 MiB");
  }
  if (request.call.operation->body != nullptr && !is_json(request.content_type)) {
    return problem("unsupported-media-type", "send the body as application/json");
  }
  if (request.idempotency_key && !api::is_idempotency_key(*request.idempotency_key)) {
    return problem(
        "invalid-parameter", "a request field is invalid",
        {{.pointer = "Idempotency-Key", .detail = "is 1 to 128 visible ASCII characters"}});
  }
  return std::nullopt;
}

}  // namespace

std::span<const storage::Migration> Records::schema() { return migrations; }

storage::Access Records::access(const RecordsRequest& request) {
  if (request.method != "GET") return storage::Access::write;
  return request.call.operation->id == api::OperationId::read_record ? storage::Access::glance
                                                                     : storage::Access::read;
}

RecordsAnswer Records::handle(const RecordsRequest& request, storage::TenantStore& store) const {
  if (auto refused = check_request(request)) return std::move(*refused);
  // A stored answer too is only for those who may do what it tells of.
  tl::expected<Steps, RecordsAnswer> steps;
  if (request.call.operation->id == api::OperationId::run_batch) {
    steps = read_batch(request);
    if (!steps) return std::move(steps.error());
  }
  const bool keyed = request.idempotency_key && request.method != "GET";
  if (keyed) {
    if (auto known = recall_answer(request, store)) return std::move(*known);
  }
  auto answer = dispatch(request, *steps, store, cursor_key_);
  if (keyed && answer.problem.empty()) remember_answer(request, answer, store);
  return answer;
}

}  // namespace caisson::modules
