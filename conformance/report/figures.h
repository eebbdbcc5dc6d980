#pragma once

#include <cstdint>
#include <string>

namespace caisson::conformance {

/// "86.6 MB": three digits and a unit of ten.
[[nodiscard]] std::string people_bytes(std::uint64_t count);

/// "2,847": digits in groups of three.
[[nodiscard]] std::string people_count(std::uint64_t count);

/// "850 us", "12 ms", "5.2 s", "1 min 5 s".
[[nodiscard]] std::string people_time(std::int64_t micros);

/// What `n` observations without a leak mean, as a sentence after "no tenant reached another": most
/// attempts give the same answer every time, so that a number of them bounds nothing but faults
/// that come by chance (the rule of three, 95 % confidence).
[[nodiscard]] std::string bound_in_words(std::uint64_t n);

}  // namespace caisson::conformance
