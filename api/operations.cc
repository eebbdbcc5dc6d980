#include "api/operations.h"

#include <algorithm>
#include <utility>

#include "api/schemas.h"

namespace caisson::api {
namespace {

using In = Parameter::In;
using std::string_view;

constexpr Parameter in_collection{In::path, "collection", &collection, "The collection"};
constexpr Parameter with_id{In::path, "id", &record_id, "The record"};
constexpr Parameter idempotency{In::field, "Idempotency-Key", &idempotency_key,
                                "The first answer is kept for 24 hours and given again to the same "
                                "request with the same key, with Idempotency-Replayed: true"};
constexpr Parameter if_match{In::field, "If-Match", &entity_tags,
                             "Only when the record still has this version; else 412"};

constexpr std::array<Parameter, 2> collections_parameters{
    {{In::query, "limit", &page_limit, "Collections a page, 1000 without it"},
     {In::query, "cursor", &collection_cursor, "Where to go on: `next` of the page before"}}};
constexpr std::array<Parameter, 5> list_parameters{
    {in_collection,
     {In::query, "limit", &page_limit, "Records a page, 100 without it"},
     {In::query, "cursor", &cursor, "Where to go on: `next` of the page before"},
     {In::query, "filter", &filter, "Only records that all filters match; at most 8", most_filters},
     {In::query, "order", &order, "Order of the records, id without it"}}};
constexpr std::array<Parameter, 2> create_parameters{in_collection, idempotency};
constexpr std::array<Parameter, 3> read_parameters{
    {in_collection,
     with_id,
     {In::field, "If-None-Match", &entity_tags,
      "304 without the record when it still has this version"}}};
constexpr std::array<Parameter, 4> change_parameters{in_collection, with_id, if_match, idempotency};
constexpr std::array<Parameter, 1> batch_parameters{idempotency};
constexpr std::array<Parameter, 2> watch_parameters{
    {{In::query, "collection", &collection, "Only changes of these; at most 32",
      most_watched_collections},
     {In::query, "after", &sequence, "Go on behind this change, the last one that was seen"}}};

constexpr AnswerField etag{"ETag", "The record's version as an entity tag"};
constexpr AnswerField replayed{"Idempotency-Replayed", "true: an answer of before, given again",
                               false};
constexpr std::array<AnswerField, 1> read_fields{etag};
constexpr std::array<AnswerField, 2> replace_fields{etag, replayed};
constexpr std::array<AnswerField, 1> write_fields{replayed};
constexpr std::array<AnswerField, 3> create_fields{
    etag, AnswerField{"Location", "Path of the record"}, replayed};

constexpr std::array<AnswerField, 4> socket_fields{
    {{"Upgrade", "websocket"},
     {"Connection", "Upgrade"},
     {"Sec-WebSocket-Accept", "RFC 6455, 4.2.2"},
     {"Sec-WebSocket-Protocol", "caisson.watch.v1, if it was offered", false}}};

constexpr string_view whoami = "/v1/whoami";
constexpr string_view records = "/v1/records";
constexpr string_view in_records = "/v1/records/{collection}";
constexpr string_view one_record = "/v1/records/{collection}/{id}";

constexpr std::array<Operation, 10> table{{
    {.id = OperationId::who_am_i,
     .name = "whoAmI",
     .method = "GET",
     .path = whoami,
     .scope = "",
     .summary = "Tells who calls and for which tenant",
     .answer = &identity},
    {.id = OperationId::list_collections,
     .name = "listCollections",
     .method = "GET",
     .path = records,
     .scope = "read",
     .summary = "Lists the collections that have records, a page at a time",
     .parameters = collections_parameters,
     .answer = &collection_list},
    {.id = OperationId::list_records,
     .name = "listRecords",
     .method = "GET",
     .path = in_records,
     .scope = "read",
     .summary = "Lists the records of a collection, a page at a time",
     .parameters = list_parameters,
     .answer = &record_page},
    {.id = OperationId::create_record,
     .name = "createRecord",
     .method = "POST",
     .path = in_records,
     .scope = "write",
     .summary = "Creates a record",
     .parameters = create_parameters,
     .body = &value,
     .status = 201,
     .answer = &stored_record,
     .fields = create_fields},
    {.id = OperationId::read_record,
     .name = "readRecord",
     .method = "GET",
     .path = one_record,
     .scope = "read",
     .summary = "Reads a record",
     .parameters = read_parameters,
     .answer = &stored_record,
     .fields = read_fields},
    {.id = OperationId::replace_record,
     .name = "replaceRecord",
     .method = "PUT",
     .path = one_record,
     .scope = "write",
     .summary = "Gives a record another value",
     .parameters = change_parameters,
     .body = &value,
     .answer = &stored_record,
     .fields = replace_fields},
    {.id = OperationId::delete_record,
     .name = "deleteRecord",
     .method = "DELETE",
     .path = one_record,
     .scope = "write",
     .summary = "Deletes a record",
     .parameters = change_parameters,
     .status = 204,
     .fields = write_fields},
    {.id = OperationId::run_batch,
     .name = "runBatch",
     .method = "POST",
     .path = "/v1/batch",
     .scope = "",
     .summary = "Does many operations, all or none",
     .description =
         "The first operation that cannot be done undoes those before it. Each needs the "
         "scope that it needs alone: read to read a record, else write. A batch that would "
         "read on when its results have 4 MiB is refused with 413.",
     .parameters = batch_parameters,
     .body = &batch,
     .answer = &batch_results,
     .fields = write_fields},
    {.id = OperationId::watch_changes,
     .name = "watchChanges",
     .method = "GET",
     .path = watch_path,
     .scope = "read",
     .summary = "Opens a WebSocket (RFC 6455) that tells of every change of records",
     .description = "Every message is a JSON text. A page cannot send Authorization with the "
                    "handshake: it offers the protocols caisson.watch.v1 and caisson.ticket. "
                    "followed by a ticket.",
     .parameters = watch_parameters,
     .status = 101,
     .fields = socket_fields,
     .message = &watch_message},
    {.id = OperationId::issue_ticket,
     .name = "issueTicket",
     .method = "POST",
     .path = "/v1/watch/tickets",
     .scope = "read",
     .summary = "Issues a ticket that opens one watch",
     .status = 201,
     .answer = &ticket},
}};

/// Whether `path` is of the form `pattern`; what stands in the place of the names is in `call`.
/// Every request asks this of most patterns: what does not begin alike is out with one comparison.
bool fits(string_view pattern, string_view path, Call& call) {
  for (auto open = pattern.find('{'); open != string_view::npos; open = pattern.find('{')) {
    if (!path.starts_with(pattern.substr(0, open))) return false;
    path.remove_prefix(open);
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    pattern.remove_prefix(open);
    if (pattern.starts_with("{collection}")) {
      if (!is_collection(part)) return false;
      call.collection = part;
    } else {
      if (part.empty()) return false;
      call.id = part;
    }
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  return path == pattern;
}

/// May happen to every request.
constexpr std::array common{Code::malformed_request,
                            Code::invalid_parameter,
                            Code::ambiguous_tenant,
                            Code::unknown_host,
                            Code::unauthenticated,
                            Code::invalid_credential,
                            Code::tenant_mismatch,
                            Code::tenant_suspended,
                            Code::tenant_deleted,
                            Code::unknown_tenant,
                            Code::request_timeout,
                            Code::length_required,
                            Code::body_too_large,
                            Code::target_too_long,
                            Code::expectation_failed,
                            Code::rate_limited,
                            Code::too_many_concurrent,
                            Code::header_too_large,
                            Code::internal,
                            Code::not_implemented,
                            Code::tenant_unavailable,
                            Code::overloaded,
                            Code::draining,
                            Code::deadline_exceeded,
                            Code::http_version};

}  // namespace

const Parameter* Operation::parameter(string_view parameter_name) const {
  const auto found = std::ranges::find(parameters, parameter_name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

std::span<const Operation> operations() { return table; }

std::optional<Call> resolve(string_view method, string_view path) {
  const bool head = method == "HEAD";
  if (head) method = "GET";
  std::optional<Call> found;
  string_view tried;
  for (const auto& operation : table) {
    if (found && found->path != operation.path) break;
    if (!found) {
      // The operations of a path stand together.
      if (tried.data() == operation.path.data()) continue;
      tried = operation.path;
      Call call{.path = operation.path};
      if (!fits(operation.path, path, call)) continue;
      found = call;
    }
    const bool opens = operation.message != nullptr;
    if (operation.method == method && !(head && opens)) found->operation = &operation;
  }
  return found;
}

std::string allowed_methods(string_view path) {
  std::string allowed;
  for (const auto& operation : table) {
    if (operation.path != path) continue;
    if (!allowed.empty()) allowed += ", ";
    const bool head = operation.method == "GET" && operation.message == nullptr;
    allowed += head ? "GET, HEAD" : operation.method;
  }
  return allowed;
}

string_view missing_scope(const Operation& operation, std::span<const std::string> scopes) {
  const bool has =
      operation.scope.empty() || std::ranges::find(scopes, operation.scope) != scopes.end();
  return has ? string_view() : operation.scope;
}

const Operation* batch_step(string_view op) {
  constexpr std::array<std::pair<string_view, OperationId>, 4> steps{
      {{"create", OperationId::create_record},
       {"read", OperationId::read_record},
       {"replace", OperationId::replace_record},
       {"delete", OperationId::delete_record}}};
  const auto* const step =
      std::ranges::find(steps, op, &std::pair<string_view, OperationId>::first);
  return step == steps.end() ? nullptr : &*std::ranges::find(table, step->second, &Operation::id);
}

std::vector<Code> problems_of(const Operation& operation) {
  std::vector<Code> codes(common.begin(), common.end());
  const auto add = [&codes](bool possible, std::initializer_list<Code> more) {
    if (possible) codes.insert(codes.end(), more);
  };
  const bool batched = operation.body == &batch;
  add(!operation.scope.empty() || batched, {Code::insufficient_scope});
  add(operation.parameter("id") != nullptr || batched, {Code::not_found});
  add(operation.id == OperationId::replace_record || batched, {Code::conflict});
  add(operation.parameter("If-Match") != nullptr, {Code::precondition_failed});
  add(operation.parameter("Idempotency-Key") != nullptr, {Code::idempotency_mismatch});
  add(operation.body != nullptr,
      {Code::invalid_json, Code::unsupported_media_type, Code::invalid_record});
  add(operation.scope == "write" || batched, {Code::storage_full});
  add(operation.message != nullptr,
      {Code::foreign_origin, Code::upgrade_required, Code::too_many_sockets});
  std::ranges::sort(codes);
  return codes;
}

}  // namespace caisson::api
