#include "api/schemas.h"

#include <algorithm>
#include <array>

namespace caisson::api {
namespace {

using Kind = Schema::Kind;
using std::string_view;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr Schema any_text{.kind = Kind::text};
constexpr Schema count{.kind = Kind::integer};

constexpr Schema time{.kind = Kind::text,
                      .description = "RFC 3339, with milliseconds, in UTC",
                      .pattern = R"(^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$)",
                      .hint = "must be a time as 2026-02-14T09:30:00.000Z",
                      .format = "date-time",
                      .example = "2026-02-14T09:30:00.000Z"};

constexpr Schema version{.kind = Kind::integer, .minimum = 1, .maximum = most_version};

}  // namespace

bool is_collection(string_view text) {
  return !text.empty() && text.size() <= 63 && is_lower(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_record_id(string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !is_digit(c) && (c < 'a' || c > 'f')) return false;
  }
  return text[14] == '7' && string_view("89ab").find(text[19]) != string_view::npos;
}

bool is_idempotency_key(string_view text) {
  return !text.empty() && text.size() <= longest_idempotency_key &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

// ---- values ----

constexpr Schema collection{.name = "Collection",
                            .kind = Kind::text,
                            .description = "Name of a collection. It exists while it has records.",
                            .pattern = "^[a-z][a-z0-9_-]{0,62}$",
                            .accepts = is_collection,
                            .hint = "must match [a-z][a-z0-9_-]{0,62}",
                            .example = "orders"};

constexpr Schema record_id{
    .name = "RecordId",
    .kind = Kind::text,
    .description = "UUIDv7 (RFC 9562), chosen by the server; ordered by creation.",
    .pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    .accepts = is_record_id,
    .hint = "must be the id of a record, as the server gave it",
    .format = "uuid",
    .example = "0190a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"};

constexpr Schema value{
    .name = "Value",
    .kind = Kind::value,
    .description =
        "What a record holds: a JSON object (RFC 8259, valid UTF-8) without duplicate "
        "keys, at most 32 levels deep. It comes back as it was sent."};

namespace {

constexpr std::array<Member, 6> record_members{
    {{"id", &record_id},
     {"collection", &collection},
     {"version", &version, "1 when created, one more with every replacement"},
     {"created", &time, "When the record was created"},
     {"updated", &time, "When its value was last replaced"},
     {"value", &value}}};

}  // namespace

constexpr Schema stored_record{.name = "StoredRecord",
                               .kind = Kind::object,
                               .description = "A record as it is stored.",
                               .members = record_members};

constexpr Schema cursor{.name = "Cursor",
                        .kind = Kind::text,
                        .description =
                            "Where a page ended. Only the server makes cursors; one is "
                            "good for the same list, filter and order.",
                        .pattern = "^[A-Za-z0-9_-]{54}$",
                        .hint = "must be a cursor of an earlier page"};

namespace {

constexpr Schema next_cursor{.kind = Kind::text,
                             .nullable = true,
                             .pattern = cursor.pattern,
                             .hint = "must be a cursor or null"};
constexpr Schema records{.kind = Kind::list, .items = &stored_record};
constexpr std::array<Member, 2> page_members{
    {{"records", &records}, {"next", &next_cursor, "The cursor of the next page; null: the last"}}};

}  // namespace

constexpr Schema record_page{.name = "RecordPage",
                             .kind = Kind::object,
                             .description = "A page of a list, about 4 MiB at most.",
                             .members = page_members};

constexpr Schema collection_cursor{.name = "CollectionCursor",
                                   .kind = Kind::text,
                                   .description =
                                       "Where a page of collections ended. Only the "
                                       "server makes cursors.",
                                   .pattern = "^[A-Za-z0-9_-]{23,106}$",
                                   .hint = "must be a cursor of an earlier page"};

namespace {

constexpr std::array<Member, 2> collection_members{
    {{"name", &collection}, {"count", &count, "Records that it has"}}};
constexpr Schema collection_count{.name = "CollectionCount",
                                  .kind = Kind::object,
                                  .description = "A collection and how much is in it.",
                                  .members = collection_members};
constexpr Schema collections{.kind = Kind::list, .items = &collection_count, .max_items = 1000};
constexpr Schema next_collection_cursor{.kind = Kind::text,
                                        .nullable = true,
                                        .pattern = collection_cursor.pattern,
                                        .hint = "must be a cursor or null"};
constexpr std::array<Member, 2> collection_list_members{
    {{"collections", &collections},
     {"next", &next_collection_cursor, "The cursor of the next page; null: the last"}}};

constexpr std::array<string_view, 2> credentials{"token", "api-key"};
constexpr Schema credential{.kind = Kind::text, .words = credentials};
constexpr Schema scopes{.kind = Kind::list, .items = &any_text};
constexpr std::array<Member, 5> identity_members{
    {{"tenant", &any_text, "The tenant's slug"},
     {"subject", &any_text, "Whom the credential was issued to"},
     {"credential", &credential},
     {"scopes", &scopes, "What the credential allows: read, write"},
     {"request_id", &any_text}}};

}  // namespace

constexpr Schema collection_list{
    .name = "CollectionList",
    .kind = Kind::object,
    .description = "A page of the collections that have records, by name.",
    .members = collection_list_members};

constexpr Schema identity{.name = "Identity",
                          .kind = Kind::object,
                          .description = "Who calls, for which tenant.",
                          .members = identity_members};

// ---- imports ----

namespace {

constexpr Schema imported_record{.kind = Kind::object, .members = record_members, .closed = true};
constexpr Schema imported_records{
    .kind = Kind::list, .items = &imported_record, .max_items = most_records_a_page};
constexpr Schema any_place{.kind = Kind::text, .nullable = true};
constexpr std::array<string_view, 4> existing_words{"refuse", "keep", "replace", "remove"};
constexpr Schema existing{.kind = Kind::text, .words = existing_words};
constexpr Schema some_tenant{.kind = Kind::text,
                             .accepts = [](string_view text) { return !text.empty(); },
                             .hint = "must be a tenant's slug"};
constexpr std::array<Member, 5> import_members{{{"tenant", &some_tenant},
                                                {"records", &imported_records},
                                                {"next", &any_place, "", false},
                                                {"existing", &existing, "", false},
                                                {"from", &some_tenant, "", false}}};

}  // namespace

constexpr Schema import_page{.kind = Kind::object, .members = import_members, .closed = true};

// ---- batches ----

namespace {

// An id that is none names no record: the answer is not-found, as for any other.
constexpr Schema any_id{.kind = Kind::text, .description = "Id of the record"};

template <std::size_t N>
constexpr Schema operation_schema(string_view name, string_view description,
                                  const std::array<Member, N>& members) {
  return {.name = name,
          .kind = Kind::object,
          .description = description,
          .members = members,
          .closed = true};
}

constexpr std::array<string_view, 1> create_word{"create"};
constexpr std::array<string_view, 1> read_word{"read"};
constexpr std::array<string_view, 1> replace_word{"replace"};
constexpr std::array<string_view, 1> delete_word{"delete"};
constexpr Schema create_op{.kind = Kind::text, .words = create_word};
constexpr Schema read_op{.kind = Kind::text, .words = read_word};
constexpr Schema replace_op{.kind = Kind::text, .words = replace_word};
constexpr Schema delete_op{.kind = Kind::text, .words = delete_word};
constexpr std::array<Member, 3> create_members{
    {{"op", &create_op}, {"collection", &collection}, {"value", &value}}};
constexpr std::array<Member, 3> read_members{
    {{"op", &read_op}, {"collection", &collection}, {"id", &any_id}}};
constexpr std::array<Member, 4> replace_members{
    {{"op", &replace_op}, {"collection", &collection}, {"id", &any_id}, {"value", &value}}};
constexpr std::array<Member, 3> delete_members{
    {{"op", &delete_op}, {"collection", &collection}, {"id", &any_id}}};

constexpr Schema batch_create =
    operation_schema("BatchCreate", "Creates a record.", create_members);
constexpr Schema batch_read = operation_schema("BatchRead", "Reads a record.", read_members);
constexpr Schema batch_replace =
    operation_schema("BatchReplace", "Gives a record another value.", replace_members);
constexpr Schema batch_delete =
    operation_schema("BatchDelete", "Deletes a record.", delete_members);
constexpr std::array<const Schema*, 4> batch_operations{&batch_create, &batch_read, &batch_replace,
                                                        &batch_delete};
constexpr Schema batch_operation{.name = "BatchOperation",
                                 .kind = Kind::variants,
                                 .description = "One step of a batch.",
                                 .variants = batch_operations,
                                 .tag = "op"};
constexpr Schema operations{.kind = Kind::list,
                            .items = &batch_operation,
                            .min_items = 1,
                            .max_items = most_operations_a_batch};
constexpr std::array<Member, 1> batch_members{{{"operations", &operations}}};

constexpr Schema deleted{.kind = Kind::truth};
constexpr std::array<Member, 3> deleted_members{
    {{"id", &record_id}, {"collection", &collection}, {"deleted", &deleted}}};
constexpr Schema deleted_record{.name = "DeletedRecord",
                                .kind = Kind::object,
                                .description = "What is left of a deleted record.",
                                .members = deleted_members};
constexpr std::array<const Schema*, 2> result_variants{&stored_record, &deleted_record};
constexpr Schema batch_result{.name = "BatchResult",
                              .kind = Kind::variants,
                              .description = "The record of a step, or that it was deleted.",
                              .variants = result_variants};
constexpr Schema results{.kind = Kind::list, .items = &batch_result};
constexpr std::array<Member, 1> results_members{{{"results", &results}}};

}  // namespace

constexpr Schema batch{.name = "Batch",
                       .kind = Kind::object,
                       .description = "1 to 1000 operations, done all or none of them.",
                       .members = batch_members,
                       .closed = true};

constexpr Schema batch_results{.name = "BatchResults",
                               .kind = Kind::object,
                               .description = "One result for every operation, in their order.",
                               .members = results_members};

// ---- watches ----

constexpr Schema sequence{.name = "ChangeSequence",
                          .kind = Kind::integer,
                          .description = "Place of a change among those of the tenant."};

namespace {

constexpr std::array<Member, 2> ticket_members{
    {{"ticket", &any_text, "Offered as a protocol of the WebSocket, behind caisson.ticket."},
     {"expires", &time, "30 seconds from now; it is good for one handshake"}}};

constexpr std::array<string_view, 3> change_words{"created", "replaced", "deleted"};
constexpr Schema change_op{.kind = Kind::text, .words = change_words};
constexpr Schema gap{.kind = Kind::flag};
constexpr std::array<Member, 6> change_members{
    {{"sequence", &sequence},
     {"op", &change_op},
     {"collection", &collection},
     {"id", &record_id},
     {"version", &version, "After the change; of a deleted record its last one"},
     {"time", &time, "When it was changed"}}};
constexpr Schema change{.name = "Change",
                        .kind = Kind::object,
                        .description = "A record was changed. Its value is there to be read.",
                        .members = change_members};
constexpr std::array<Member, 2> place_members{
    {{"sequence", &sequence},
     {"gap", &gap, "Changes before this place may be missing: list again"}}};
constexpr Schema watch_place{.name = "WatchPlace",
                             .kind = Kind::object,
                             .description = "Where the feed is; the first message of a watch.",
                             .members = place_members};
constexpr std::array<const Schema*, 2> message_variants{&change, &watch_place};

}  // namespace

constexpr Schema ticket{.name = "Ticket",
                        .kind = Kind::object,
                        .description = "Stands in for the credential when a browser opens a watch.",
                        .members = ticket_members};

constexpr Schema watch_message{.name = "WatchMessage",
                               .kind = Kind::variants,
                               .description = "What a watch tells: a change, or where the feed is.",
                               .variants = message_variants};

// ---- problems ----

namespace {

constexpr std::array<Member, 2> fault_members{
    {{"pointer", &any_text, "JSON pointer into the body, or the parameter's name"},
     {"detail", &any_text, "What is wrong there"}}};
constexpr Schema fault{.name = "Fault",
                       .kind = Kind::object,
                       .description = "One thing that is wrong with a request.",
                       .members = fault_members};
constexpr Schema faults{.kind = Kind::list, .items = &fault};
constexpr Schema status{.kind = Kind::integer, .minimum = 400, .maximum = 599};
constexpr std::array<Member, 6> problem_members{
    {{"type", &any_text, "urn:caisson:problem:<code>"},
     {"title", &any_text, "The same for every occurrence"},
     {"status", &status},
     {"instance", &any_text, "urn:caisson:request:<request id>"},
     {"detail", &any_text, "What is wrong and what to do", false},
     {"errors", &faults, "Everything that is wrong, at once", false}}};

}  // namespace

constexpr Schema problem{.name = "Problem",
                         .kind = Kind::object,
                         .description = "Why a request was refused (RFC 9457).",
                         .members = problem_members};

// ---- parameters ----

namespace {

constexpr std::array<string_view, 6> orders{"id",       "-id",     "created",
                                            "-created", "updated", "-updated"};
constexpr std::array<FilterOperator, 7> operators{{{"eq", false, false},
                                                   {"ne", false, false},
                                                   {"lt", true, false},
                                                   {"le", true, false},
                                                   {"gt", true, false},
                                                   {"ge", true, false},
                                                   {"prefix", true, true}}};

}  // namespace

constexpr Schema page_limit{.kind = Kind::integer, .minimum = 1, .maximum = most_records_a_page};

// The fields; then an operator that takes any value, one that wants an order, or prefix.
constexpr Schema filter{
    .name = "Filter",
    .kind = Kind::text,
    .description =
        "`field:op:value`. The field is at most 8 names joined with dots; op is one of eq, ne, lt, "
        "le, gt, ge and prefix; the value is a JSON literal, or else the text itself. A field of "
        "another type never matches. null, true and false have no order; prefix compares with "
        "text: quote a number.",
    .pattern = R"(^(?=[^:]{1,128}:)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,7}:(eq:[\s\S]*|ne:[\s\S]*|)"
               R"((lt|le|gt|ge):(?![ \t\r\n]*(true|false|null)[ \t\r\n]*$)[\s\S]*|)"
               R"(prefix:(?![ \t\r\n]*(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?))"
               R"([ \t\r\n]*$)[\s\S]*)$)",
    .hint = "must be field:op:value, for example state:eq:open",
    .example = "state:eq:open"};

constexpr Schema order{.name = "Order",
                       .kind = Kind::text,
                       .description = "A leading - is for descending. created is the order of ids.",
                       .words = orders};

constexpr Schema entity_tags{.kind = Kind::text,
                             .description = "Entity tags of the record (RFC 9110, 13.1), or *",
                             .example = "\"1\""};

constexpr Schema idempotency_key{.name = "IdempotencyKey",
                                 .kind = Kind::text,
                                 .description = "1 to 128 visible ASCII characters.",
                                 .pattern = "^[!-~]{1,128}$",
                                 .accepts = is_idempotency_key,
                                 .hint = "must be 1 to 128 visible ASCII characters"};

constexpr Schema tenant_slug{.name = "Slug",
                             .kind = Kind::text,
                             .description = "Short name of a tenant.",
                             .pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
                             .hint = "must be the slug of a tenant",
                             .example = "acme"};

std::span<const FilterOperator> filter_operators() { return operators; }

std::span<const Schema* const> components() {
  static constexpr std::array<const Schema*, 30> all{&collection,
                                                     &record_id,
                                                     &value,
                                                     &stored_record,
                                                     &cursor,
                                                     &record_page,
                                                     &collection_cursor,
                                                     &collection_count,
                                                     &collection_list,
                                                     &identity,
                                                     &batch_create,
                                                     &batch_read,
                                                     &batch_replace,
                                                     &batch_delete,
                                                     &batch_operation,
                                                     &batch,
                                                     &deleted_record,
                                                     &batch_result,
                                                     &batch_results,
                                                     &sequence,
                                                     &ticket,
                                                     &change,
                                                     &watch_place,
                                                     &watch_message,
                                                     &fault,
                                                     &problem,
                                                     &filter,
                                                     &order,
                                                     &idempotency_key,
                                                     &tenant_slug};
  return all;
}

}  // namespace caisson::api
