#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caisson::render {

/// The calendar events of systemd.time(7), in UTC, at which a cron line of five fields fires: one,
/// or two when it restricts both the day of the month and the day of the week, which cron reads as
/// "either". The line is one that the spec language accepts.
[[nodiscard]] std::vector<std::string> calendar_events(std::string_view cron);

/// The same line for Kubernetes, whose week ends with day 6: every field is `*`, or numbers and
/// ranges, sorted.
[[nodiscard]] std::string kubernetes_schedule(std::string_view cron);

}  // namespace caisson::render
