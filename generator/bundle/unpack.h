#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "generator/bundle/source.h"
#include "installer/format/refusal.h"

namespace caisson::bundle {

/// What the vendor is told where a site would be told a refusal.
[[nodiscard]] Failure failure_of(const installer::Refusal& refusal);

/// Gives `take` all of a layer as the tar archive that it holds, piece by piece: it may be
/// compressed with gzip or zstd, which its first bytes tell. `stored` gets the bytes as they are.
/// Fails on more than 64 GiB, and on anything that is damaged.
[[nodiscard]] Result<void> unpack(
    const Source& layer, const std::function<Result<void>(std::string_view)>& stored,
    const std::function<installer::Checked<void>(std::string_view)>& take);

}  // namespace caisson::bundle
