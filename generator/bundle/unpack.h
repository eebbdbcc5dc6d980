#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "generator/bundle/source.h"

namespace caisson::bundle {

/// Gives `take` all of a layer as the tar archive that it holds, piece by piece: it may be
/// compressed with gzip or zstd, which its first bytes tell. `stored` gets the bytes as they are.
/// Fails on more than 64 GiB, and on anything that is damaged.
[[nodiscard]] Result<void> unpack(const Source& layer,
                                  const std::function<Result<void>(std::string_view)>& stored,
                                  const std::function<Result<void>(std::string_view)>& take);

}  // namespace caisson::bundle
