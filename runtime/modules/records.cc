#include "runtime/modules/records.h"

#include <optional>

#include <boost/json.hpp>

#include "runtime/context/strict_json.h"
#include "runtime/modules/answer.h"
#include "runtime/modules/batch.h"
#include "runtime/modules/cursor.h"
#include "runtime/modules/idempotency.h"
#include "runtime/modules/query.h"
#include "runtime/modules/rows.h"
#include "runtime/modules/sabotage.h"

namespace caisson::modules {
namespace {

constexpr std::array<storage::Migration, 1> migrations{
    "CREATE TABLE records("
    " collection TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,"
    " created INTEGER NOT NULL, updated INTEGER NOT NULL, value TEXT NOT NULL);"
    "CREATE UNIQUE INDEX records_by_id ON records(collection,id);"
    "CREATE TABLE idempotency("
    " key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, created INTEGER NOT NULL,"
    " status INTEGER NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, location TEXT NOT NULL);"
    "CREATE INDEX idempotency_by_age ON idempotency(created);",
};

struct Route {
  enum class Kind : std::uint8_t { unknown, collections, collection, record, batch };
  Kind kind = Kind::unknown;
  std::string_view collection;
  std::string_view id;
};

Route route_of(std::string_view path) {
  constexpr std::string_view root = "/v1/records";
  if (path == "/v1/batch") return {.kind = Route::Kind::batch};
  if (path == root) return {.kind = Route::Kind::collections};
  if (!path.starts_with("/v1/records/")) return {};
  path.remove_prefix(root.size() + 1);
  const auto slash = std::min(path.find('/'), path.size());
  Route route{.kind = Route::Kind::collection, .collection = path.substr(0, slash)};
  if (slash < path.size()) {
    route.kind = Route::Kind::record;
    route.id = path.substr(slash + 1);
    if (route.id.empty() || route.id.find('/') != std::string_view::npos) return {};
  }
  return is_collection(route.collection) ? route : Route{};
}

std::string_view methods_of(Route::Kind kind) {
  switch (kind) {
    case Route::Kind::collections:
      return "GET, HEAD";
    case Route::Kind::collection:
      return "GET, HEAD, POST";
    case Route::Kind::record:
      return "GET, HEAD, PUT, DELETE";
    default:
      return "POST";
  }
}

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

/// What is wrong with the value of a record, or nothing.
std::optional<RecordsAnswer> check_value(std::string_view body) {
  const auto parsed = context::parse_strict(body);
  if (!parsed) {
    return problem("invalid-json", "the body is not JSON: " + parsed.error().what + " at line " +
                                       std::to_string(parsed.error().line) + ", column " +
                                       std::to_string(parsed.error().column));
  }
  if (!parsed->is_object()) {
    return problem("invalid-record", "the value of a record is a JSON object",
                   {{.pointer = "", .detail = "must be an object"}});
  }
  return std::nullopt;
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

RecordsAnswer create(const RecordsRequest& request, const Route& route,
                     storage::TenantStore& store) {
  if (auto wrong = check_value(request.body)) return std::move(*wrong);
  const auto record = insert_record(store, route.collection, trimmed(request.body), request.now_ms);
  betray(record.id);
  auto answer = answer_with(record, 201);
  answer.location = "/v1/records/" + record.collection + "/" + record.id.text();
  return answer;
}

RecordsAnswer on_record(const RecordsRequest& request, const Route& route,
                        storage::TenantStore& store) {
  const bool replaces = request.method == "PUT";
  if (replaces) {
    if (auto wrong = check_value(request.body)) return std::move(*wrong);
  }
  const auto id = storage::Uuid::parse(route.id);
  auto record = id ? find_record(store, route.collection, *id) : std::optional<Record>();
  if (!record && id && is_betrayed(*id)) return problem("not-found", "another tenant's record");
  if (!record) return no_such_record();

  if (request.method == "GET") {
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
    replace_record(store, *record, trimmed(request.body), request.now_ms);
    return answer_with(*record, 200);
  }
  delete_record(store, *record, request.now_ms);
  return {.status = 204};
}

RecordsAnswer list(const RecordsRequest& request, const Route& route, storage::TenantStore& store,
                   std::string_view cursor_key) {
  const auto query = parse_list_query(request.query);
  if (!query)
    return problem("invalid-parameter", "the query has invalid parameters", query.error());
  const CursorScope scope{.key = cursor_key,
                          .tenant_id = store.tenant_id(),
                          .collection = route.collection,
                          .shape = query->shape};
  std::optional<Place> after;
  if (!query->cursor.empty()) {
    after = read_cursor(query->cursor, scope);
    if (!after) {
      return problem(
          "invalid-parameter", "the query has invalid parameters",
          {{.pointer = "cursor", .detail = "was not made for this list; start again without it"}});
    }
  }
  const auto page = list_records(store, route.collection, *query, after);
  std::string body = R"({"records":[)";
  for (const auto& record : page.records) {
    if (&record != &page.records.front()) body += ',';
    body += record.json();
  }
  body += R"(],"next":)";
  if (page.more) {
    const auto& last = page.records.back();
    body += '"' + write_cursor({.updated_ms = last.updated_ms, .id = last.id}, scope) + '"';
  } else {
    body += "null";
  }
  return {.body = body + "}"};
}

RecordsAnswer collections(storage::TenantStore& store) {
  std::string body = R"({"collections":[)";
  for (const auto& [name, count] : count_collections(store)) {
    if (body.back() == '}') body += ',';
    body += R"({"name":")" + name + R"(","count":)" + std::to_string(count) + "}";
  }
  return {.body = body + "]}"};
}

RecordsAnswer dispatch(const RecordsRequest& request, const Route& route,
                       storage::TenantStore& store, std::string_view cursor_key) {
  switch (route.kind) {
    case Route::Kind::collections:
      return collections(store);
    case Route::Kind::collection:
      return request.method == "POST" ? create(request, route, store)
                                      : list(request, route, store, cursor_key);
    case Route::Kind::record:
      return on_record(request, route, store);
    case Route::Kind::batch:
      return run_batch(request, store);
    case Route::Kind::unknown:
      break;
  }
  return problem("not-found", "there is no such resource");
}

bool allows(Route::Kind kind, std::string_view method) {
  auto allowed = methods_of(kind);
  while (!allowed.empty()) {
    const auto one = allowed.substr(0, allowed.find(','));
    if (one == method) return true;
    allowed.remove_prefix(std::min(one.size() + 2, allowed.size()));
  }
  return false;
}

/// What can be told without the store.
std::optional<RecordsAnswer> check_request(const RecordsRequest& request, const Route& route) {
  if (route.kind == Route::Kind::unknown) return problem("not-found", "there is no such resource");
  if (!allows(route.kind, request.method)) {
    auto answer = problem("method-not-allowed",
                          "this resource answers " + std::string(methods_of(route.kind)));
    answer.allow = methods_of(route.kind);
    return answer;
  }
  const bool has_value = request.method == "POST" || request.method == "PUT";
  if (has_value && !is_json(request.content_type)) {
    return problem("unsupported-media-type", "send the body as application/json");
  }
  if (request.idempotency_key && !is_idempotency_key(*request.idempotency_key)) {
    return problem(
        "invalid-parameter", "a request field is invalid",
        {{.pointer = "Idempotency-Key", .detail = "is 1 to 128 visible ASCII characters"}});
  }
  return std::nullopt;
}

}  // namespace

std::span<const storage::Migration> Records::schema() { return migrations; }

bool Records::owns(std::string_view path) {
  return path == "/v1/batch" || path == "/v1/records" || path.starts_with("/v1/records/");
}

std::string_view Records::scope(std::string_view method, std::string_view) {
  return method == "GET" || method == "HEAD" ? "read" : "write";
}

storage::Access Records::access(const RecordsRequest& request) {
  if (request.method != "GET") return storage::Access::write;
  return route_of(request.path).kind == Route::Kind::record ? storage::Access::glance
                                                            : storage::Access::read;
}

RecordsAnswer Records::handle(const RecordsRequest& request, storage::TenantStore& store) const {
  const auto route = route_of(request.path);
  if (auto refused = check_request(request, route)) return std::move(*refused);
  const bool keyed = request.idempotency_key && request.method != "GET";
  if (keyed) {
    if (auto known = recall_answer(request, store)) return std::move(*known);
  }
  auto answer = dispatch(request, route, store, cursor_key_);
  if (keyed && answer.problem.empty()) remember_answer(request, answer, store);
  return answer;
}

}  // namespace caisson::modules
