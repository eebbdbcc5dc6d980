#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Headers and contents of a tar archive fill whole blocks (POSIX.1-1988, ustar).
inline constexpr std::size_t kTarBlock = 512;

/// The most bytes of a member: eleven octal digits.
inline constexpr std::uint64_t kMostOfMember = (std::uint64_t{1} << 33) - 1;

/// A regular file of an archive.
struct Member {
  std::string path;
  std::uint64_t size = 0;
};

/// The one header that a member has in a transport: mode 0755 for the installer and 0644 for all
/// others, no owner, time 0. Empty when the path or the size does not fit.
[[nodiscard]] std::string tar_header(const Member& member);

/// Reads a header: one block that is byte by byte what `tar_header` writes. `shown` is the
/// archive's name, for messages.
[[nodiscard]] Checked<Member> read_tar_header(const std::string& shown, std::string_view block);

/// The bytes that follow `size` bytes up to the end of a block.
[[nodiscard]] constexpr std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

}  // namespace caisson::installer
