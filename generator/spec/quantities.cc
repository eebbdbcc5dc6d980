// Quantities: sizes, processors, durations, rates and the ranges of them.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "generator/spec/scalars.h"

namespace caisson::spec {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t factor;
};

// A plain decimal without sign or exponent; sizes and durations take no fractions.
std::optional<std::int64_t> whole(std::string_view digits) {
  std::int64_t value = 0;
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// The number of base units, when `text` is a whole number followed by one of the units.
template <std::size_t n>
std::optional<std::int64_t> measure(std::string_view text, const std::array<Unit, n>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> count = whole(text.substr(0, digits));
  if (!count) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.suffix) continue;
    if (*count > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return *count * unit.factor;
  }
  return std::nullopt;
}

// Whether only its magnitude keeps `text` from being a measure.
template <std::size_t n>
bool is_too_large(std::string_view text, const std::array<Unit, n>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 0 && std::ranges::find(units, text.substr(digits), &Unit::suffix) != units.end();
}

constexpr std::string_view too_large = "write a smaller number: it overflows 64 bits";

Parsed<Bytes> parse_bytes(std::string_view text) {
  constexpr std::array<Unit, 5> units{{{"B", 1},
                                       {"Ki", std::int64_t{1} << 10},
                                       {"Mi", std::int64_t{1} << 20},
                                       {"Gi", std::int64_t{1} << 30},
                                       {"Ti", std::int64_t{1} << 40}}};
  if (const auto count = measure(text, units)) return Bytes{*count};
  if (is_too_large(text, units)) return tl::unexpected(std::string(too_large));
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits > 0 && digits < text.size()) {
    constexpr std::string_view prefixes = "KMGT";
    const char letter =
        text[digits] == 'k' || text[digits] == 'm' || text[digits] == 'g' || text[digits] == 't'
            ? static_cast<char>(text[digits] - 'a' + 'A')
            : text[digits];
    if (prefixes.find(letter) != std::string_view::npos && digits <= 15) {
      return tl::unexpected("units are binary: write " + std::string(text.substr(0, digits)) +
                            letter + "i");
    }
  }
  if (digits == text.size() && digits > 0 && digits <= 15) {
    return tl::unexpected("a size needs a unit: Ki, Mi, Gi or Ti; " + std::string(text) +
                          "B is that many bytes");
  }
  return tl::unexpected<std::string>("write a whole number and Ki, Mi, Gi or Ti, as 256Mi");
}

Parsed<Duration> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 5> units{
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  if (const auto count = measure(text, units)) return Duration{*count};
  if (is_too_large(text, units)) return tl::unexpected(std::string(too_large));
  if (whole(text))
    return tl::unexpected("a duration needs a unit: did you mean " + std::string(text) + "s?");
  return tl::unexpected<std::string>("write a whole number and ms, s, m, h or d, as 500ms or 15d");
}

Parsed<Cpu> parse_cpu(std::string_view text) {
  const bool millis = text.ends_with('m');
  const std::string_view number = millis ? text.substr(0, text.size() - 1) : text;
  constexpr double most = 1'000'000;
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                            std::chars_format::fixed);
  if (error != std::errc{} || end != number.data() + number.size() || number.front() == '-') {
    return tl::unexpected<std::string>("write thousandths of a core as 250m, or cores as 2");
  }
  // 1.005 * 1000 is not 1005 in binary.
  const double exact = millis ? value : value * 1'000;
  const double thousandths = std::round(exact);
  if (!(thousandths <= most)) return tl::unexpected<std::string>("at most 1000 cores");
  if (thousandths < 1) return tl::unexpected<std::string>("at least 1m");
  if (std::abs(exact - thousandths) > 1e-6) return tl::unexpected<std::string>("no finer than 1m");
  return Cpu{static_cast<std::int64_t>(thousandths)};
}

Parsed<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<std::int64_t> count = whole(text.substr(0, slash));
  constexpr std::array<Unit, 3> units{{{"s", 1}, {"m", 60}, {"h", 3'600}}};
  if (count && slash != std::string_view::npos && *count <= 1'000'000'000) {
    for (const Unit& unit : units) {
      if (text.substr(slash + 1) == unit.suffix) {
        return Rate{static_cast<double>(*count) / static_cast<double>(unit.factor)};
      }
    }
  }
  if (count && slash == std::string_view::npos) {
    return tl::unexpected("a rate needs a unit of time: did you mean " + std::string(text) + "/s?");
  }
  return tl::unexpected<std::string>("write a whole number and /s, /m or /h, as 20/s");
}

Parsed<std::int64_t> parse_count(std::string_view text) {
  const auto count = whole(text);
  if (!count || *count > 10'000)
    return tl::unexpected<std::string>("write a whole number up to 10000, or a range as 2..6");
  if (*count == 0) return tl::unexpected<std::string>("at least 1");
  return *count;
}

constexpr Syntax<Bytes> bytes{"Bytes",
                              "size",
                              "a size as 256Mi; units B, Ki, Mi, Gi, Ti",
                              "E0116",
                              R"(^\d+(B|Ki|Mi|Gi|Ti)$)",
                              false,
                              parse_bytes};
constexpr Syntax<Duration> duration{"Duration",
                                    "duration",
                                    "a duration as 10s; units ms, s, m, h, d",
                                    "E0118",
                                    R"(^\d+(ms|s|m|h|d)$)",
                                    false,
                                    parse_duration};
constexpr Syntax<Cpu> cpu{
    "Cpu",    "cpu quantity",       "thousandths of a core as 250m, or cores as 2",
    "E0117",  R"(^\d+(\.\d+)?m?$)", true,
    parse_cpu};
constexpr Syntax<Rate> rate{
    "Rate", "rate",    "a rate as 20/s; units s, m, h", "E0119", R"(^\d+/(s|m|h)$)",
    false,  parse_rate};
constexpr Syntax<std::int64_t> count{
    "Count", "number of replicas", "a number, or a range as 2..6", "E0120", R"(^\d+$)",
    true,    parse_count};

constexpr RangeAbout replicas_about{"Replicas", "a number, or bounds for autoscaling as 2..6",
                                    R"(^\d+(\.\.\d+)?$)", "E0121",
                                    "the upper bound is below the lower"};
constexpr RangeAbout cpu_about{"CpuRange", "request and limit as 250m..1",
                               R"(^\d+(\.\d+)?m?(\.\.\d+(\.\d+)?m?)?$)", "E0218",
                               "the cpu limit is below the request"};
constexpr RangeAbout memory_about{"BytesRange", "request and limit as 256Mi..1Gi",
                                  R"(^\d+(B|Ki|Mi|Gi|Ti)(\.\.\d+(B|Ki|Mi|Gi|Ti))?$)", "E0218",
                                  "the memory limit is below the request"};

}  // namespace

constinit const Type<Bytes> bytes_type = scalar<bytes>;
constinit const Type<Duration> duration_type = scalar<duration>;
constinit const Type<Rate> rate_type = scalar<rate>;
constinit const Type<Range<std::int64_t>> replicas_type = range_of<count, replicas_about>;
constinit const Type<Range<Cpu>> cpu_range_type = range_of<cpu, cpu_about>;
constinit const Type<Range<Bytes>> bytes_range_type = range_of<bytes, memory_about>;

}  // namespace caisson::spec
