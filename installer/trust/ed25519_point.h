#pragma once

#include <array>
#include <string_view>

namespace caisson::installer {

/// The y of a point of Ed25519, the lowest byte first, without the sign of x.
using Ordinate = std::array<unsigned char, 32>;

/// Why no key may have such a point, whichever of the two it is, or empty: its y is not canonical,
/// there is no such point, it is of small order, or a part of it is. A point of the last kind is
/// one that readers disagree on: whether a signature fits depends on how they reduce its hash.
[[nodiscard]] std::string_view fault_of_point(const Ordinate& y);

}  // namespace caisson::installer
