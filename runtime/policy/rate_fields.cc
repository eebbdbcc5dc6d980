#include "runtime/policy/rate_fields.h"

#include <algorithm>

namespace caisson::policy {

std::int64_t seconds_up(std::int64_t ns) noexcept { return (ns + 999'999'999) / 1'000'000'000; }

void append_rate_fields(std::vector<std::pair<std::string, std::string>>& fields, const Rate& rate,
                        const Level& level) {
  const std::int64_t window = std::max<std::int64_t>(1, seconds_up(rate.interval_ns * rate.burst));
  fields.emplace_back("RateLimit-Policy", "\"tenant\";q=" + std::to_string(rate.burst) +
                                              ";w=" + std::to_string(window));
  fields.emplace_back("RateLimit", "\"tenant\";r=" + std::to_string(level.remaining) +
                                       ";t=" + std::to_string(seconds_up(level.full_ns)));
}

}  // namespace caisson::policy
