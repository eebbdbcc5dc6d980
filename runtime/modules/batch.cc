#include "runtime/modules/batch.h"

#include <utility>

#include <boost/json.hpp>

#include "runtime/context/json_reader.h"
#include "runtime/modules/answer.h"
#include "runtime/modules/check.h"
#include "runtime/modules/rows.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

/// Where a step of a batch lies in its body.
std::string pointer_to(std::size_t step) { return "/operations/" + std::to_string(step); }

/// The step's result, or why it cannot be done.
tl::expected<std::string, RecordsAnswer> run(const BatchStep& step, std::int64_t now_ms,
                                             storage::TenantStore& store) {
  const auto operation = step.operation->id;
  if (operation == api::OperationId::create_record) {
    return insert_record(store, step.collection, step.value, now_ms).json();
  }
  auto record = step.id ? find_record(store, step.collection, *step.id) : std::optional<Record>();
  if (!record) return tl::unexpected(no_such_record());
  if (operation == api::OperationId::replace_record) {
    if (!can_be_replaced(*record)) return tl::unexpected(no_more_versions());
    replace_record(store, *record, step.value, now_ms);
  } else if (operation == api::OperationId::delete_record) {
    delete_record(store, *record, now_ms);
    return R"({"id":")" + record->id.text() + R"(","collection":")" + record->collection +
           R"(","deleted":true})";
  }
  return record->json();
}

}  // namespace

tl::expected<std::vector<BatchStep>, RecordsAnswer> read_batch(const RecordsRequest& request) {
  const auto body = read_body(api::batch, request.body);
  if (!body) return tl::unexpected(body.error());
  const auto& items = body->at("operations").as_array();
  const auto values = context::cut_members(request.body, "operations", "value");
  std::vector<BatchStep> steps;
  steps.reserve(items.size());
  observe::Faults forbidden;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& object = items[i].get_object();
    const std::string_view op = object.at("op").get_string();
    BatchStep step{.operation = api::batch_step(op),
                   .collection = std::string(object.at("collection").get_string()),
                   .id = {},
                   .value = values.at(i)};
    // An id that is none names no record: the answer is not-found, as for any other.
    if (const auto* id = object.if_contains("id")) {
      step.id = storage::Uuid::parse(std::string_view(id->get_string()));
    }
    const auto scope = api::missing_scope(*step.operation, request.scopes);
    if (!scope.empty()) {
      forbidden.note(pointer_to(i), std::string(op) + " needs the scope " + std::string(scope));
    }
    steps.push_back(std::move(step));
  }
  if (!forbidden.empty()) {
    return tl::unexpected(problem("insufficient-scope",
                                  "the credential lacks a scope that the batch needs; nothing was "
                                  "changed",
                                  std::move(forbidden)));
  }
  return steps;
}

RecordsAnswer run_batch(const std::vector<BatchStep>& steps, std::int64_t now_ms,
                        storage::TenantStore& store) {
  std::string results;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto result = run(steps[i], now_ms, store);
    if (!result) {
      store.abandon();
      auto answer = std::move(result.error());
      answer.faults.note(pointer_to(i), answer.detail + "; nothing was changed");
      return answer;
    }
    results += (i > 0 ? "," : "") + *result;
  }
  return {.body = R"({"results":[)" + results + "]}"};
}

}  // namespace caisson::modules
