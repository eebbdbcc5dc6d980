#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Kinds of OpenPGP packets (RFC 9580, 5).
enum class Tag : unsigned char { signature = 2, public_key = 6, user_id = 13 };

/// One packet of a file.
struct Packet {
  unsigned tag = 0;
  std::string_view body;
};

/// Takes the first packet off `bytes`, with a header of the old or the new form and a length of one
/// or two bytes, as short as it can be. Refused are lengths that are partial, missing or longer
/// than what is there. `name` is the file's.
[[nodiscard]] Checked<Packet> take_packet(std::string_view name, std::string_view& bytes);

/// The packet with a header of the old form, as gpg writes it. At most 65,535 bytes.
[[nodiscard]] std::string packet(Tag tag, std::string_view body);

/// The number in `count` bytes, the highest first.
[[nodiscard]] std::string big_endian(std::uint64_t number, std::size_t count);

/// The number that up to eight bytes are, the highest first.
[[nodiscard]] std::uint64_t number_at(std::string_view bytes);

}  // namespace caisson::installer
