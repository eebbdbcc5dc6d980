#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace caisson::bundle {

/// Does `work(i)` for every i below `count`, in that order, on so many threads; 0: as many as there
/// are processors. Stops at a failure, and returns that of the lowest i.
[[nodiscard]] Result<void> in_parallel(std::size_t count, unsigned threads,
                                       const std::function<Result<void>(std::size_t)>& work);

}  // namespace caisson::bundle
