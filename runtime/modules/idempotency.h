#pragma once

#include <optional>

#include "runtime/modules/records.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// How long a stored answer is replayed, in milliseconds.
inline constexpr std::int64_t idempotency_lifetime_ms = 24LL * 60 * 60 * 1000;

/// The answer that the request's Idempotency-Key has had already; a problem when the key was used
/// for another request; nothing when the key is new or its answer has expired.
[[nodiscard]] std::optional<RecordsAnswer> recall_answer(const RecordsRequest& request,
                                                         storage::TenantStore& store);

/// Keeps the answer for the request's key, in the same commit as what the request wrote. Expired
/// answers are dropped on the way, a few at a time.
void remember_answer(const RecordsRequest& request, const RecordsAnswer& answer,
                     storage::TenantStore& store);

}  // namespace caisson::modules
