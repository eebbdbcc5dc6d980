#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace caisson {

/// Fills `out` with bytes from the kernel's generator; aborts the process if the kernel has none to
/// give. Small requests are served from a per-thread buffer, so a call costs no system call most of
/// the time.
void fill_random(std::span<unsigned char> out) noexcept;

[[nodiscard]] std::string random_bytes(std::size_t bytes);

/// `bytes` random bytes in lower-case hexadecimal.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace caisson
