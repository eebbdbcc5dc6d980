#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace caisson::observe {

/// Fills `out` with bytes from the kernel's generator; aborts the process if the kernel has none to
/// give. Small requests are served from a per-thread buffer, so a call costs no system call most of
/// the time.
void fill_random(std::span<unsigned char> out) noexcept;

/// A UUIDv7 (RFC 9562 section 5.7) for this instant, lower case: 48 bits of time, 74 random bits.
[[nodiscard]] std::string new_uuid(std::int64_t unix_ms);

/// Whether `text` is a UUIDv7 in the one spelling that `new_uuid` uses.
[[nodiscard]] bool is_uuid(std::string_view text) noexcept;

}  // namespace caisson::observe
