#include "runtime/modules/batch.h"

#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "runtime/modules/answer.h"
#include "runtime/modules/check.h"
#include "runtime/modules/rows.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

struct Operation {
  std::string_view op;
  std::string_view collection;
  std::optional<storage::Uuid> id;
  std::string value;  ///< JSON text
};

/// Of a body that is as its schema says.
std::vector<Operation> read_operations(const json::value& body) {
  const auto& items = body.at("operations").as_array();
  std::vector<Operation> operations;
  operations.reserve(items.size());
  for (const auto& item : items) {
    const auto& object = item.get_object();
    Operation operation{.op = object.at("op").get_string(),
                        .collection = object.at("collection").get_string()};
    // An id that is none names no record: the answer is not-found, as for any other.
    if (const auto* id = object.if_contains("id")) {
      operation.id = storage::Uuid::parse(std::string_view(id->get_string()));
    }
    operations.push_back(std::move(operation));
  }
  return operations;
}

/// Cuts the values out of the body as they were sent: a number that went through a double would
/// come back as another one.
void take_values(std::string_view body, std::vector<Operation>& operations,
                 storage::TenantStore& store) {
  auto row = store.prepare(
      "SELECT json_extract(value,'$.value') FROM json_each(?,'$.operations') ORDER BY key");
  row.text(body);
  for (auto& operation : operations) {
    if (!row.step()) return;
    operation.value = row.text_at(0);
  }
}

/// The operation's result; nothing when its record cannot be had.
std::optional<std::string> run(const Operation& operation, storage::TenantStore& store,
                               std::int64_t now_ms) {
  if (operation.op == "create") {
    return insert_record(store, operation.collection, operation.value, now_ms).json();
  }
  auto record = operation.id ? find_record(store, operation.collection, *operation.id)
                             : std::optional<Record>();
  if (!record) return std::nullopt;
  if (operation.op == "replace") {
    replace_record(store, *record, operation.value, now_ms);
  } else if (operation.op == "delete") {
    delete_record(store, *record, now_ms);
    return R"({"id":")" + record->id.text() + R"(","collection":")" + record->collection +
           R"(","deleted":true})";
  }
  return record->json();
}

}  // namespace

RecordsAnswer run_batch(const RecordsRequest& request, storage::TenantStore& store) {
  const auto body = read_body(request);
  if (!body) return body.error();
  auto operations = read_operations(*body);
  take_values(request.body, operations, store);
  std::string results;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto result = run(operations[i], store, request.now_ms);
    if (!result) {
      store.abandon();
      auto answer = no_such_record();
      answer.defects.push_back({.pointer = "/operations/" + std::to_string(i),
                                .detail = "there is no such record; nothing was changed"});
      return answer;
    }
    results += (i > 0 ? "," : "") + *result;
  }
  return {.body = R"({"results":[)" + results + "]}"};
}

}  // namespace caisson::modules
