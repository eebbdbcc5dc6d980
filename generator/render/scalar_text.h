#pragma once

#include <string>
#include <string_view>

namespace caisson::render {

/// The Unicode scalar value at `offset`, which moves past it. A byte that begins no valid sequence
/// counts as itself.
[[nodiscard]] char32_t next_scalar(std::string_view text, std::size_t& offset);

/// The shortest decimal notation that reads back as `value`: always with a point, never with an
/// exponent, so that YAML 1.1, YAML 1.2 and JSON agree that it is a real number.
[[nodiscard]] std::string decimal(double value);

}  // namespace caisson::render
