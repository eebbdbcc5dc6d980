#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "api/operations.h"
#include "base/uuid.h"
#include "runtime/modules/records.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// One step of a batch.
struct BatchStep {
  const api::Operation* operation = nullptr;  ///< that does the same alone
  std::string collection;
  std::optional<Uuid> id;  ///< none: no record has the id that was sent
  std::string_view value;  ///< JSON text, as it stands in the body
};

/// Reads the body of `POST /v1/batch`: 1 to 1,000 steps, each allowed by the request's scopes. The
/// error is the refusal, which tells of every step that is wrong.
[[nodiscard]] tl::expected<std::vector<BatchStep>, RecordsAnswer> read_batch(
    const RecordsRequest& request);

/// Does all steps or none: the first one that cannot be done undoes those before it. One that reads
/// cannot once the results have `page_bytes`, so the answer is at most that long, and longer by one
/// record and by what the steps sent.
[[nodiscard]] RecordsAnswer run_batch(const std::vector<BatchStep>& steps, std::int64_t now_ms,
                                      storage::TenantStore& store);

}  // namespace caisson::modules
