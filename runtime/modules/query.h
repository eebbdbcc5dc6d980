#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "api/schemas.h"
#include "runtime/modules/records.h"

namespace caisson::modules {

/// A value that a filter compares with. A field of another type never equals it.
struct FilterValue {
  enum class Type : std::uint8_t { null, boolean, number, text };
  Type type = Type::text;
  bool boolean = false;
  double number = 0;
  std::string text;
};

struct Filter {
  enum class Op : std::uint8_t { eq, ne, lt, le, gt, ge, prefix };  ///< by api::filter_operators()
  std::string path;                                                 ///< SQLite JSON path: $."a"."b"
  Op op = Op::eq;
  FilterValue value;
};

struct Order {
  enum class By : std::uint8_t { id, updated };  ///< ids are ordered by creation
  By by = By::id;
  bool descending = false;
};

/// `GET /v1/records/{collection}?limit=&cursor=&filter=&order=`
struct ListQuery {
  std::int64_t limit = api::usual_records_a_page;
  std::string cursor;  ///< empty: from the start
  std::vector<Filter> filters;
  Order order;
  std::string shape;  ///< what a cursor is bound to: filters and order as sent
};

/// Reads the query of a list request; every defect is reported at once.
[[nodiscard]] tl::expected<ListQuery, std::vector<Defect>> parse_list_query(std::string_view query);

}  // namespace caisson::modules
