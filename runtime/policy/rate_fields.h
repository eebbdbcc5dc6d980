#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/policy/token_bucket.h"

namespace caisson::policy {

/// Appends `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): the burst as
/// quota over the time in which it fills, what remains of it and the seconds until it is full.
///
///   RateLimit-Policy: "tenant";q=40;w=2
///   RateLimit: "tenant";r=39;t=1
void append_rate_fields(std::vector<std::pair<std::string, std::string>>& fields, const Rate& rate,
                        const Level& level);

/// Nanoseconds as whole seconds, rounded up.
[[nodiscard]] std::int64_t seconds_up(std::int64_t ns) noexcept;

}  // namespace caisson::policy
