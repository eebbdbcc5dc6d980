#pragma once

#include "runtime/modules/records.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// `POST /v1/batch`: at most 1,000 operations, all or nothing. What is wrong with the request is
/// reported at once; the first operation that cannot be done undoes all before it.
[[nodiscard]] RecordsAnswer run_batch(const RecordsRequest& request, storage::TenantStore& store);

}  // namespace caisson::modules
