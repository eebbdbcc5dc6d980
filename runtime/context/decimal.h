#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace caisson::context {

/// A number of a JSON text as the decimal number that is written there: exact, where a double holds
/// no more than 17 digits and no whole number above 2^53. 1, 1.0 and 10e-1 are equal.
class Decimal {
 public:
  /// `number` is a JSON number. Exponents beyond 10^18 count as that.
  explicit Decimal(std::string_view number);

  /// How many digits stand before the decimal point; negative: how many zeros behind it. Of zero
  /// the least there is.
  [[nodiscard]] std::int64_t magnitude() const { return magnitude_; }

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  Decimal() = default;  // zero

  bool negative_ = false;
  std::string digits_;  ///< without zeros at either end
  /// The number is 0.<digits> times ten to this; zero, having no digits, is below all of its sign.
  std::int64_t magnitude_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace caisson::context
