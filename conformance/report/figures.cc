#include "conformance/report/figures.h"

#include <array>
#include <cstdio>

#include "conformance/verdict/result.h"

namespace caisson::conformance {
namespace {

std::string with_digits(double amount, int digits) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, amount);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string people_bytes(std::uint64_t count) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  if (count < 1000) return std::to_string(count) + " B";
  auto amount = static_cast<double>(count);
  std::size_t unit = 0;
  // What would be written as 1000 of a unit is 1 of the next.
  for (; amount >= 999.5 && unit + 1 < units.size(); ++unit) amount /= 1000;
  const int digits = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
  return with_digits(amount, digits) + " " + units.at(unit);
}

std::string people_count(std::uint64_t count) {
  auto text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string people_time(std::int64_t micros) {
  if (micros < 1000) return std::to_string(micros) + " us";
  if (micros < 1'000'000) return std::to_string(micros / 1000) + " ms";
  if (micros < 9'950'000) return with_digits(static_cast<double>(micros) / 1e6, 1) + " s";
  const auto seconds = (micros + 500'000) / 1'000'000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

std::string bound_in_words(const std::map<std::string, std::uint64_t>& attempts) {
  std::string bounds;
  for (const auto& [family, n] : attempts) {
    const auto one_in = static_cast<std::uint64_t>(1.0 / rule_of_three(n));
    if (one_in > 1) bounds += (bounds.empty() ? "" : ", ") + family + " " + people_count(one_in);
  }
  std::string out =
      "What was tried gives the same answer every time, and what was not tried is not covered.";
  if (bounds.empty()) return out;
  return out +
         " A fault that comes by chance, such as a race, would have shown (95 % confidence) if it "
         "let through more than one attempt of its family in so many (3/N): " +
         bounds + ".";
}

}  // namespace caisson::conformance
