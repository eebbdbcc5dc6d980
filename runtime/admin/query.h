#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace caisson::admin {

/// The parameters of a query. The error says what is wrong: a parameter that is not in `known`,
/// that is there twice, or whose percent-encoding is broken.
class Query {
 public:
  [[nodiscard]] static tl::expected<Query, std::string> parse(
      std::string_view text, std::initializer_list<std::string_view> known);

  /// Empty when it is absent.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// `fallback` when it is absent; nothing when it is no whole number from `least` to `most`.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name, std::uint64_t fallback,
                                                    std::uint64_t least, std::uint64_t most) const;

 private:
  std::map<std::string, std::string, std::less<>> parameters_;
};

}  // namespace caisson::admin
