#include "generator/render/unit_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <utility>

#include "generator/render/file_schema.h"
#include "generator/render/value_format.h"

namespace caisson::render {
namespace {

/// The next of the words that characters of `between` part, taken off the text; empty at its end.
std::string_view next_word(std::string_view& text, std::string_view between) {
  text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
  const auto word = text.substr(0, text.find_first_of(between));
  text.remove_prefix(word.size());
  return word;
}

template <class Fits>
bool all_words(std::string_view text, std::string_view between, const Fits& fits) {
  for (auto word = next_word(text, between); !word.empty(); word = next_word(text, between))
    if (!fits(word)) return false;
  return true;
}

/// A whole number without a sign; false when it is none or too large for the type.
template <class T>
bool read_whole(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 8> bytes{{{"", 1},
                                     {"B", 1},
                                     {"K", 0x1p10},
                                     {"M", 0x1p20},
                                     {"G", 0x1p30},
                                     {"T", 0x1p40},
                                     {"P", 0x1p50},
                                     {"E", 0x1p60}}};

constexpr double second = 1e6;
constexpr double minute = 60 * second;
constexpr double hour = 60 * minute;
constexpr double day = 24 * hour;
constexpr double month = 2'629'800 * second;
constexpr double year = 31'557'600 * second;

/// In microseconds, as systemd counts (systemd.time(7)).
constexpr std::array<Unit, 28> microseconds{
    {{"us", 1},         {"usec", 1},        {"ms", 1e3},        {"msec", 1e3},
     {"s", second},     {"sec", second},    {"second", second}, {"seconds", second},
     {"m", minute},     {"min", minute},    {"minute", minute}, {"minutes", minute},
     {"h", hour},       {"hr", hour},       {"hour", hour},     {"hours", hour},
     {"d", day},        {"day", day},       {"days", day},      {"w", 7 * day},
     {"week", 7 * day}, {"weeks", 7 * day}, {"M", month},       {"month", month},
     {"months", month}, {"y", year},        {"year", year},     {"years", year}}};

/// Whether numbers with units, as "5min 3s", are below `most` together. One without a unit counts
/// `otherwise` times.
bool is_below(std::string_view text, std::span<const Unit> units, double otherwise, double most) {
  constexpr std::string_view blanks = " +";
  double sum = 0;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.empty()) return sum < most;
    double number = 0;
    const auto digits = text.substr(0, text.find_first_not_of("0123456789."));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number,
                                              std::chars_format::fixed);
    if (error != std::errc{}) return false;
    text.remove_prefix(digits.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto name = text.substr(0, text.find_first_of(" +0123456789"));
    text.remove_prefix(name.size());
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end() && !name.empty()) return false;
    sum += number * (name.empty() ? otherwise : unit->factor);
  }
}

/// Values that a ':' parts, as soft and hard limit; a percentage and `infinity` are of no size.
template <class Fits>
bool each_amount(std::string_view text, const Fits& fits) {
  return all_words(text, ":", [&](std::string_view amount) {
    return amount == "infinity" || amount.ends_with('%') || fits(amount);
  });
}

constexpr double above_all = 0x1p64;

bool is_size(std::string_view text) {
  return each_amount(text,
                     [](std::string_view each) { return is_below(each, bytes, 1, above_all); });
}

bool is_time(std::string_view text) {
  return each_amount(
      text, [](std::string_view each) { return is_below(each, microseconds, second, above_all); });
}

bool is_nanoseconds(std::string_view text) {
  static const auto units = [] {
    std::array<Unit, microseconds.size() + 2> all{{{"ns", 1}, {"nsec", 1}}};
    std::ranges::transform(microseconds, all.begin() + 2,
                           [](const Unit& unit) { return Unit{unit.name, unit.factor * 1e3}; });
    return all;
  }();
  return each_amount(text, [](std::string_view each) { return is_below(each, units, 1, 0x1p63); });
}

/// Numbers of processors and ranges of them, below CPU_SET_SIZE of systemd.
bool are_processors(std::string_view text) {
  constexpr std::uint32_t most = 8191;
  if (text == "numa") return true;
  return all_words(text, ", ", [](std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    const auto dash = word.find('-');
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    if (!read_whole(word.substr(0, dash), first)) return false;
    if (dash == std::string_view::npos) return first <= most;
    return read_whole(word.substr(dash + 1), last) && first <= last && last <= most;
  });
}

bool are_networks(std::string_view text) {
  return all_words(text, " ", [](std::string_view word) {
    constexpr std::array<std::string_view, 4> named{"any", "localhost", "link-local", "multicast"};
    if (std::ranges::find(named, word) != named.end()) return true;
    const auto slash = word.find('/');
    const bool zeros =
        slash != std::string_view::npos && word.size() > slash + 2 && word[slash + 1] == '0';
    return !zeros && is_network(word);
  });
}

/// No part of any path is "..": systemd takes none.
bool is_normal(std::string_view text) {
  return all_words(text, "/: \"'", [](std::string_view part) { return part != ".."; });
}

/// The name of an error of Linux, or `kill`.
bool is_error(std::string_view text) {
  static const auto names = [] {
    constexpr int most = 4095;
    std::set<std::string_view> all{"kill", "EWOULDBLOCK", "ENOTSUP", "EDEADLOCK"};
    for (int number = 1; number <= most; ++number)
      if (const char* name = strerrorname_np(number)) all.insert(name);
    return all;
  }();
  return names.contains(text);
}

/// Names of system calls and of groups of them; of those that are forbidden, each with the error
/// that it gets.
bool are_calls(std::string_view text) {
  static const auto known = [] {
    std::set<std::string_view> all;
    auto rest = file_schema_text("systemd-syscalls.txt");
    for (auto line = next_word(rest, "\n"); !line.empty(); line = next_word(rest, "\n"))
      if (!line.starts_with('#')) all.insert(line);
    return all;
  }();
  constexpr std::uint32_t most = 4095;
  const bool forbidden = text.starts_with('~');
  if (forbidden) text.remove_prefix(1);
  return all_words(text, " ", [forbidden](std::string_view word) {
    const auto colon = word.find(':');
    if (!known.contains(word.substr(0, colon))) return false;
    if (colon == std::string_view::npos) return true;
    const auto error = word.substr(colon + 1);
    std::uint32_t number = 0;
    return forbidden && (is_error(error) || (read_whole(error, number) && number <= most));
  });
}

constexpr std::array<std::pair<std::string_view, UnitCheck>, 8> checks{
    {{"calls", are_calls},
     {"error", is_error},
     {"nanoseconds", is_nanoseconds},
     {"networks", are_networks},
     {"normal", is_normal},
     {"processors", are_processors},
     {"size", is_size},
     {"time", is_time}}};

}  // namespace

UnitCheck unit_check(std::string_view name) {
  const auto* const found =
      std::ranges::find(checks, name, &std::pair<std::string_view, UnitCheck>::first);
  return found == checks.end() ? nullptr : found->second;
}

bool is_command(std::string_view directive) {
  return directive.starts_with("Exec") && directive != "ExecPaths" && directive != "ExecSearchPath";
}

}  // namespace caisson::render
