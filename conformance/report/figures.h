#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace caisson::conformance {

/// "86.6 MB": three digits and a unit of ten.
[[nodiscard]] std::string people_bytes(std::uint64_t count);

/// "2,847": digits in groups of three.
[[nodiscard]] std::string people_count(std::uint64_t count);

/// "850 us", "12 ms", "5.2 s", "1 min 5 s".
[[nodiscard]] std::string people_time(std::int64_t micros);

/// What attempts without a leak mean, by family, as a sentence after "no tenant reached another":
/// most give the same answer every time, so that a number of them bounds nothing but faults that
/// come by chance (the rule of three, 95 % confidence), and those of one kind say nothing of
/// another.
[[nodiscard]] std::string bound_in_words(const std::map<std::string, std::uint64_t>& attempts);

}  // namespace caisson::conformance
