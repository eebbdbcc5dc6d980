#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_set>

namespace caisson::plan {

/// The longest DNS label (RFC 1035), and therefore the longest name of anything.
inline constexpr std::size_t longest_name = 63;

/// The parts joined with '-'; when that is longer than `longest` (a DNS label), cut short and made
/// distinct again by a digest of the whole.
[[nodiscard]] std::string derived_name(std::initializer_list<std::string_view> parts,
                                       std::size_t longest = longest_name);

/// Names of one kind of thing, each given out once.
class Names {
 public:
  /// `wanted` when it is free, else with the smallest number that makes it so.
  [[nodiscard]] std::string take(const std::string& wanted);

 private:
  std::unordered_set<std::string> taken_;
};

}  // namespace caisson::plan
