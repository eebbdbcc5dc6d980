#include "runtime/context/decimal.h"

#include <algorithm>
#include <charconv>

namespace caisson::context {
namespace {

constexpr std::int64_t most_exponent = 1'000'000'000'000'000'000;

/// Of the characters behind `e`.
std::int64_t exponent_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error == std::errc::result_out_of_range)
    return text.starts_with('-') ? -most_exponent : most_exponent;
  return std::clamp(exponent, -most_exponent, most_exponent);
}

}  // namespace

Decimal::Decimal(std::string_view number) {
  negative_ = number.starts_with('-');
  if (negative_) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  digits_ = mantissa.substr(0, point);
  if (point < mantissa.size()) digits_ += mantissa.substr(point + 1);

  const std::size_t zeros = digits_.find_first_not_of('0');
  if (zeros == std::string::npos) {
    *this = Decimal();
    return;
  }
  digits_.erase(0, zeros);
  digits_.erase(digits_.find_last_not_of('0') + 1);
  magnitude_ = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(zeros);
  if (e != std::string_view::npos) magnitude_ += exponent_of(number.substr(e + 1));
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  if (a.negative_ != b.negative_) {
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  auto order = a.magnitude_ <=> b.magnitude_;
  if (order == 0) order = a.digits_ <=> b.digits_;
  return a.negative_ ? 0 <=> order : order;
}

}  // namespace caisson::context
