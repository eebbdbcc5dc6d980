#include "runtime/modules/batch.h"

#include <utility>

#include <boost/json.hpp>

#include "runtime/context/strict_json.h"
#include "runtime/modules/answer.h"
#include "runtime/modules/rows.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

constexpr std::size_t most_operations = 1000;

struct Operation {
  enum class Kind : std::uint8_t { create, read, replace, remove };
  Kind kind = Kind::read;
  std::string collection;
  std::optional<storage::Uuid> id;
  std::string value;  ///< JSON text
};

constexpr std::array<std::pair<std::string_view, Operation::Kind>, 4> kinds{{
    {"create", Operation::Kind::create},
    {"read", Operation::Kind::read},
    {"replace", Operation::Kind::replace},
    {"delete", Operation::Kind::remove},
}};

/// Reads one operation; what is wrong with it goes into `defects`.
class OperationReader {
 public:
  OperationReader(const json::value& value, std::string pointer, std::vector<Defect>& defects)
      : pointer_(std::move(pointer)), defects_(defects) {
    if (value.is_object()) {
      object_ = &value.get_object();
    } else {
      refuse("", "must be an object");
    }
  }

  Operation read() {
    Operation operation;
    if (object_ == nullptr) return operation;
    const auto op = text("op");
    const auto* const kind = std::find_if(kinds.begin(), kinds.end(),
                                          [&](const auto& entry) { return entry.first == op; });
    if (kind == kinds.end()) {
      refuse("/op", "must be create, read, replace or delete");
      return operation;
    }
    operation.kind = kind->second;
    operation.collection = text("collection");
    if (!is_collection(operation.collection)) {
      refuse("/collection", "must match [a-z][a-z0-9_-]{0,62}");
    }
    const bool creates = operation.kind == Operation::Kind::create;
    const bool writes = creates || operation.kind == Operation::Kind::replace;
    expect("id", !creates);
    expect("value", writes);
    // An id that is none names no record: the answer is not-found, as for any other.
    if (!creates) operation.id = storage::Uuid::parse(text("id"));
    if (const auto* value = object_->if_contains("value"); writes && value != nullptr) {
      if (!value->is_object()) refuse("/value", "must be a JSON object");
    }
    for (const auto& entry : *object_) {
      const auto key = entry.key();
      if (key != "op" && key != "collection" && key != "id" && key != "value") {
        refuse("/" + std::string(key), "is no member of an operation");
      }
    }
    return operation;
  }

 private:
  void refuse(const std::string& member, std::string detail) {
    defects_.push_back({.pointer = pointer_ + member, .detail = std::move(detail)});
  }
  [[nodiscard]] std::string text(std::string_view member) const {
    const auto* value = object_->if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
  void expect(const std::string& member, bool wanted) {
    if (object_->contains(member) == wanted) return;
    refuse("/" + member, wanted ? "is missing" : "does not belong to this operation");
  }

  const json::object* object_ = nullptr;
  std::string pointer_;
  std::vector<Defect>& defects_;
};

tl::expected<std::vector<Operation>, RecordsAnswer> read_operations(std::string_view body) {
  const auto parsed = context::parse_strict(body);
  if (!parsed) {
    return tl::unexpected(problem("invalid-json", "the body is not JSON: " + parsed.error().what));
  }
  const auto* const list =
      parsed->is_object() ? parsed->get_object().if_contains("operations") : nullptr;
  if (list == nullptr || !list->is_array() || parsed->get_object().size() != 1) {
    return tl::unexpected(problem("invalid-record", "the body must be {\"operations\":[...]}"));
  }
  const auto& array = list->get_array();
  if (array.empty() || array.size() > most_operations) {
    return tl::unexpected(problem("invalid-record", "a batch has 1 to 1000 operations"));
  }
  std::vector<Operation> operations;
  operations.reserve(array.size());
  std::vector<Defect> defects;
  for (std::size_t i = 0; i < array.size(); ++i) {
    operations.push_back(
        OperationReader(array[i], "/operations/" + std::to_string(i), defects).read());
  }
  if (!defects.empty()) {
    return tl::unexpected(
        problem("invalid-record", "the batch has invalid operations", std::move(defects)));
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
  if (operation.kind == Operation::Kind::create) {
    return insert_record(store, operation.collection, operation.value, now_ms).json();
  }
  auto record = operation.id ? find_record(store, operation.collection, *operation.id)
                             : std::optional<Record>();
  if (!record) return std::nullopt;
  if (operation.kind == Operation::Kind::replace) {
    replace_record(store, *record, operation.value, now_ms);
  } else if (operation.kind == Operation::Kind::remove) {
    delete_record(store, *record, now_ms);
    return R"({"id":")" + record->id.text() + R"(","collection":")" + record->collection +
           R"(","deleted":true})";
  }
  return record->json();
}

}  // namespace

RecordsAnswer run_batch(const RecordsRequest& request, storage::TenantStore& store) {
  auto operations = read_operations(request.body);
  if (!operations) return std::move(operations.error());
  take_values(request.body, *operations, store);
  std::string results;
  for (std::size_t i = 0; i < operations->size(); ++i) {
    const auto result = run((*operations)[i], store, request.now_ms);
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
