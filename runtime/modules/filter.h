#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/context/decimal.h"

namespace caisson::modules {

/// A value that a filter compares with: null, a truth, a number or a text.
using FilterValue = std::variant<std::nullptr_t, bool, context::Decimal, std::string>;

/// `field:op:value`
struct Filter {
  enum class Op : std::uint8_t { eq, ne, lt, le, gt, ge, prefix };  ///< by api::filter_operators()
  std::vector<std::string> path;  ///< keys of objects inside one another
  Op op = Op::eq;
  FilterValue value;
};

/// The error says what is wrong.
[[nodiscard]] tl::expected<Filter, std::string> parse_filter(std::string_view text);

/// Whether a record with this value (a JSON text) is one that the filter asks for. Numbers are
/// compared as the decimal numbers that they are written as, texts by the code points that they
/// say. A field that is not there or has another type is equal to nothing, and has no order.
[[nodiscard]] bool matches(const Filter& filter, std::string_view value);

}  // namespace caisson::modules
