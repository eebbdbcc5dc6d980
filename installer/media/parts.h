#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "installer/media/source.h"

namespace caisson::installer {

/// What stands before the bytes of a part, and how large it is.
struct PartHeader {
  Digest manifest{};         ///< of the bundle that the part belongs to
  std::uint64_t number = 1;  ///< of this part, from 1
  std::uint64_t parts = 1;   ///< how many there are, at most `kMostParts`
  std::uint64_t offset = 0;  ///< of its first byte in the transport
  std::uint64_t length = 0;  ///< bytes of the transport in this part; not 0
  std::uint64_t total = 0;   ///< bytes of the transport
};

inline constexpr std::size_t kPartHeader = 512;
inline constexpr std::uint64_t kMostParts = 500;

/// The most bytes of a transport, which every offset stays below.
inline constexpr std::uint64_t kMostOfTransport = std::uint64_t{1} << 62;

/// The first words of every part.
inline constexpr std::string_view kPartMark = "caisson-part ";

/// The header as `kPartHeader` bytes of text.
[[nodiscard]] std::string write_part_header(const PartHeader& header);

/// Reads what `write_part_header` writes, and checks what can be told from it alone. `name` is the
/// file's.
[[nodiscard]] Checked<PartHeader> read_part_header(const std::string& name, std::string_view bytes);

/// The name of a part, of 8 and 3 characters at most that every file system keeps: "AGENTIK.001".
[[nodiscard]] std::string part_name(std::string_view product, std::uint64_t number);

/// A transport in parts.
struct Parts {
  std::unique_ptr<Source> transport;  ///< the parts one behind the other
  Digest manifest{};                  ///< the bundle that all of them say they belong to
};

/// The files as parts of one transport, in whatever order they come. A part that is missing, there
/// twice, cut, or of another bundle is refused, by its name.
[[nodiscard]] Checked<Parts> join_parts(std::vector<std::unique_ptr<Source>> files,
                                        std::string shown);

}  // namespace caisson::installer
