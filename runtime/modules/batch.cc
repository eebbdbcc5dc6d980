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

/// Appends the step's result, or says why it cannot be done.
std::optional<RecordsAnswer> run(const BatchStep& step, std::int64_t now_ms,
                                 storage::TenantStore& store, std::string& results) {
  const auto operation = step.operation->id;
  if (operation == api::OperationId::create_record) {
    insert_record(store, step.collection, step.value, now_ms).append_json(results);
    return std::nullopt;
  }
  // The other steps answer with little more than they sent.
  if (operation == api::OperationId::read_record && results.size() > page_bytes) {
    return problem("body-too-large",
                   "the results before this have 4 MiB; read the rest with another batch");
  }
  auto record = step.id ? find_record(store, step.collection, *step.id) : std::optional<Record>();
  if (!record) return no_such_record();
  if (operation == api::OperationId::delete_record) {
    delete_record(store, *record, now_ms);
    results.append(R"({"id":")").append(record->id.text());
    results.append(R"(","collection":")").append(record->collection);
    results.append(R"(","deleted":true})");
    return std::nullopt;
  }
  if (operation == api::OperationId::replace_record) {
    if (!can_be_replaced(*record)) return no_more_versions();
    replace_record(store, *record, step.value, now_ms);
  }
  record->append_json(results);
  return std::nullopt;
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
      step.id = Uuid::parse(std::string_view(id->get_string()));
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
  std::string body = R"({"results":[)";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) body += ',';
    if (auto refused = run(steps[i], now_ms, store, body)) {
      store.abandon();
      refused->faults.note(pointer_to(i), refused->detail + "; nothing was changed");
      return *std::move(refused);
    }
  }
  body += "]}";
  return {.body = std::move(body)};
}

}  // namespace caisson::modules
