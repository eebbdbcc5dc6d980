#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "api/schemas.h"
#include "runtime/modules/filter.h"
#include "runtime/observe/faults.h"

namespace caisson::modules {

struct Order {
  enum class By : std::uint8_t { id, created, updated };  ///< equal times are ordered by id
  By by = By::id;
  bool descending = false;
};

/// `GET /v1/records?limit=&cursor=`
struct PageQuery {
  std::int64_t limit = 0;
  std::string cursor;  ///< empty: from the start
};

/// `GET /v1/records/{collection}?limit=&cursor=&filter=&order=`
struct ListQuery {
  PageQuery page;
  std::vector<Filter> filters;
  Order order;
  std::string shape;  ///< what a cursor is bound to: filters and order as sent
};

/// Read the query of a list request; defects are reported at once.
[[nodiscard]] tl::expected<ListQuery, observe::Faults> parse_list_query(std::string_view query);
[[nodiscard]] tl::expected<PageQuery, observe::Faults> parse_page_query(std::string_view query);

}  // namespace caisson::modules
