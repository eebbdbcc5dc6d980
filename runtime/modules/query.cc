#include "runtime/modules/query.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/schemas.h"
#include "base/percent.h"

namespace caisson::modules {
namespace {

/// application/x-www-form-urlencoded; the guard has already refused a '%' without two digits.
std::string form_decoded(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '+', ' ');
  return percent_decoded(out).value_or(out);
}

struct Parameter {
  std::string name, value;
};

std::vector<Parameter> parameters_of(std::string_view query) {
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto equals = std::min(part.find('='), part.size());
    if (part.empty()) continue;
    parameters.push_back({.name = form_decoded(part.substr(0, equals)),
                          .value = form_decoded(part.substr(std::min(equals + 1, part.size())))});
  }
  return parameters;
}

std::optional<Order> parse_order(std::string_view text) {
  Order order;
  if (text.starts_with('-')) {
    order.descending = true;
    text.remove_prefix(1);
  }
  if (text == "updated") {
    order.by = Order::By::updated;
  } else if (text == "created") {
    order.by = Order::By::created;
  } else if (text != "id") {
    return std::nullopt;
  }
  return order;
}

/// With its length in front, so that no two lists of texts read alike.
std::string sized(const std::string& text) { return std::to_string(text.size()) + ':' + text; }

/// Reads `limit` and `cursor`, which every list has; false for any other parameter.
class PageReader {
 public:
  PageReader(PageQuery& page, observe::Faults& faults) : page_(page), faults_(faults) {}

  bool read(const Parameter& parameter) {
    const auto& [name, value] = parameter;
    if (name == "limit") {
      once(limit_, name);
      const char* const end = value.data() + value.size();
      const auto read = std::from_chars(value.data(), end, page_.limit);
      if (read.ec != std::errc() || read.ptr != end || page_.limit < api::page_limit.minimum ||
          page_.limit > api::page_limit.maximum) {
        faults_.note(name, "is a number from 1 to 1000");
      }
      return true;
    }
    if (name != "cursor") return false;
    once(cursor_, name);
    page_.cursor = value;
    if (value.empty()) faults_.note(name, "is empty; leave it out for the first page");
    return true;
  }

  /// Notes a parameter that was there before.
  void once(bool& seen, std::string_view name) {
    if (std::exchange(seen, true)) faults_.note(name, "is given twice");
  }

 private:
  PageQuery& page_;
  observe::Faults& faults_;
  bool limit_ = false;
  bool cursor_ = false;
};

}  // namespace

tl::expected<PageQuery, observe::Faults> parse_page_query(std::string_view query) {
  PageQuery page{.limit = api::usual_collections_a_page, .cursor = {}};
  observe::Faults faults;
  PageReader reader(page, faults);
  for (const auto& parameter : parameters_of(query)) {
    if (reader.read(parameter)) continue;
    faults.note(parameter.name, "is no parameter of this request; there are limit and cursor");
  }
  if (!faults.empty()) return tl::unexpected(std::move(faults));
  return page;
}

tl::expected<ListQuery, observe::Faults> parse_list_query(std::string_view query) {
  ListQuery list{.page = {.limit = api::usual_records_a_page, .cursor = {}}};
  observe::Faults faults;
  PageReader reader(list.page, faults);
  bool ordered = false;
  for (const auto& parameter : parameters_of(query)) {
    const auto& [name, value] = parameter;
    if (reader.read(parameter)) continue;
    if (name == "order") {
      reader.once(ordered, name);
      const auto order = parse_order(value);
      if (!order) faults.note(name, "is id, created or updated, with a leading - for descending");
      list.order = order.value_or(Order{});
      list.shape += "order" + sized(value);
    } else if (name == "filter") {
      auto filter = parse_filter(value);
      if (!filter) {
        faults.note(name, filter.error());
      } else if (list.filters.size() == api::most_filters) {
        faults.note(name, "more than " + std::to_string(api::most_filters) + " filters");
      } else {
        list.filters.push_back(std::move(*filter));
        list.shape += "filter" + sized(value);
      }
    } else {
      faults.note(name,
                  "is no parameter of this request; there are limit, cursor, filter and order");
    }
  }
  if (!faults.empty()) return tl::unexpected(std::move(faults));
  return list;
}

}  // namespace caisson::modules
