#include "runtime/context/decimal.h"

#include <boost/multiprecision/cpp_int.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace caisson::context {
namespace {

TEST(Decimal, ComparesWhatIsWritten) {
  const auto equal = [](const char* a, const char* b) { return Decimal(a) == Decimal(b); };
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("10e-1", "0.1E+1"));
  EXPECT_TRUE(equal("-0", "0.00e99"));
  EXPECT_TRUE(equal("1200", "1.2e3"));
  EXPECT_FALSE(equal("1", "-1"));
  EXPECT_LT(Decimal("9007199254740992"), Decimal("9007199254740993"));
  EXPECT_LT(Decimal("18446744073709551615"), Decimal("18446744073709551615.5"));
  EXPECT_LT(Decimal("0.1"), Decimal("0.1000000000000000055511151231257827"));
  EXPECT_LT(Decimal("-2"), Decimal("-1.99"));
  EXPECT_LT(Decimal("-1e-400"), Decimal("0"));
  EXPECT_LT(Decimal("0"), Decimal("1e-400"));
  EXPECT_LT(Decimal("9.99e307"), Decimal("1e308"));
  EXPECT_LT(Decimal("1e-99999999999999999999"), Decimal("1e99999999999999999999"));
}

using boost::multiprecision::cpp_int;

/// Exponents here are above this, so that the numbers times ten to it are whole.
constexpr int least_scale = -40;

/// A number as it is written, and what it is worth, times 10^40.
struct Written {
  std::string text;
  cpp_int worth;
};

std::string any_digits(int least, int most) {
  return *rc::gen::container<std::string>(*rc::gen::inRange(least, most),
                                          rc::gen::elementOf(std::string("0123456789")));
}

Written any_number() {
  const auto digits = any_digits(1, 25);
  const auto fraction = any_digits(0, 8);
  const int exponent = *rc::gen::inRange(-30, 30);
  const auto zeros = digits.find_first_not_of('0');
  const std::string whole = zeros == std::string::npos ? "0" : digits.substr(zeros);
  Written written{.text = whole, .worth = 0};
  for (const char c : whole + fraction) written.worth = written.worth * 10 + (c - '0');
  if (!fraction.empty()) written.text += "." + fraction;
  if (exponent != 0) {
    written.text += (*rc::gen::arbitrary<bool>() ? "e" : "E") + std::to_string(exponent);
  }
  const int scale = exponent - static_cast<int>(fraction.size()) - least_scale;
  for (int i = 0; i < scale; ++i) written.worth *= 10;
  if (*rc::gen::arbitrary<bool>()) {
    written.text.insert(0, 1, '-');
    written.worth = -written.worth;
  }
  return written;
}

RC_GTEST_PROP(Decimal, AgreesWithWholeNumbers, ()) {
  const auto a = any_number();
  // Often the same number, written in another way.
  auto b = any_number();
  if (*rc::gen::arbitrary<bool>())
    b = {.text = a.text + (a.text.find_first_of(".eE") == std::string::npos ? ".0" : ""),
         .worth = a.worth};
  const Decimal left(a.text);
  const Decimal right(b.text);
  RC_ASSERT((left < right) == (a.worth < b.worth));
  RC_ASSERT((left == right) == (a.worth == b.worth));
  RC_ASSERT((left > right) == (a.worth > b.worth));
}

}  // namespace
}  // namespace caisson::context
