#include "runtime/modules/query.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json.hpp>

#include "api/schemas.h"
#include "runtime/context/strict_json.h"

namespace caisson::modules {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// application/x-www-form-urlencoded; the guard has already refused a '%' without two digits.
std::string form_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
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

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// `a.b` as `$."a"."b"`; nothing for what is no field path.
std::optional<std::string> json_path(std::string_view field) {
  if (field.size() > api::longest_filter_path) return std::nullopt;
  std::string path = "$";
  for (std::size_t depth = 0; depth < api::deepest_filter_path; ++depth) {
    const auto name = field.substr(0, field.find('.'));
    if (!is_field_name(name)) return std::nullopt;
    path.append(".\"").append(name).append("\"");
    if (name.size() == field.size()) return path;
    field.remove_prefix(name.size() + 1);
  }
  return std::nullopt;
}

/// A JSON literal, or else the text itself. Text with a NUL is refused: it cannot be in a record.
FilterValue filter_value(std::string text) {
  const auto json = context::parse_strict(text);
  if (json && json->is_null()) return {.type = FilterValue::Type::null};
  if (json && json->is_bool()) {
    return {.type = FilterValue::Type::boolean, .boolean = json->get_bool()};
  }
  if (json && json->is_number()) {
    return {.type = FilterValue::Type::number, .number = json->to_number<double>()};
  }
  if (json && json->is_string()) text = json->get_string();
  return {.type = FilterValue::Type::text, .text = std::move(text)};
}

tl::expected<Filter, std::string> parse_filter(const std::string& text) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos) {
    return tl::unexpected(std::string("a filter is field:op:value, for example state:eq:open"));
  }
  auto path = json_path(std::string_view(text).substr(0, first));
  if (!path) {
    return tl::unexpected(
        std::string("a filter's field is names joined with dots, at most 8 of them"));
  }
  const auto name = std::string_view(text).substr(first + 1, second - first - 1);
  const auto operators = api::filter_operators();
  const auto op = std::ranges::find(operators, name, &api::FilterOperator::name);
  if (op == operators.end()) {
    return tl::unexpected(std::string("a filter's op is one of eq, ne, lt, le, gt, ge, prefix"));
  }
  auto value = filter_value(text.substr(second + 1));
  const bool ordered =
      value.type == FilterValue::Type::number || value.type == FilterValue::Type::text;
  if (op->text_only && value.type != FilterValue::Type::text) {
    return tl::unexpected(std::string("prefix compares with text; quote the value: \"12\""));
  }
  if (op->ordered && !ordered) {
    return tl::unexpected(std::string("null, true and false have no order; use eq or ne"));
  }
  return Filter{.path = std::move(*path),
                .op = static_cast<Filter::Op>(op - operators.begin()),
                .value = std::move(value)};
}

std::optional<Order> parse_order(std::string_view text) {
  Order order;
  if (text.starts_with('-')) {
    order.descending = true;
    text.remove_prefix(1);
  }
  if (text == "updated") {
    order.by = Order::By::updated;
  } else if (text != "id" && text != "created") {
    return std::nullopt;
  }
  return order;
}

}  // namespace

tl::expected<ListQuery, std::vector<Defect>> parse_list_query(std::string_view query) {
  ListQuery list;
  std::vector<Defect> defects;
  std::vector<std::string_view> seen;
  const auto parameters = parameters_of(query);
  for (const auto& [name, value] : parameters) {
    const auto refuse = [&, &parameter = name](std::string detail) {
      defects.push_back({.pointer = parameter, .detail = std::move(detail)});
    };
    if (name != "filter") {
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) refuse("is given twice");
      seen.push_back(name);
    }
    if (name == "limit") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), list.limit);
      const bool whole = error == std::errc() && end == value.data() + value.size();
      if (!whole || list.limit < api::page_limit.minimum || list.limit > api::page_limit.maximum) {
        refuse("is a number from 1 to 1000");
      }
    } else if (name == "cursor") {
      list.cursor = value;
      if (value.empty()) refuse("is empty; leave it out for the first page");
    } else if (name == "order") {
      const auto order = parse_order(value);
      if (!order) refuse("is id, created or updated, with a leading - for descending");
      list.order = order.value_or(Order{});
      list.shape += "order=" + value + "\n";
    } else if (name == "filter") {
      auto filter = parse_filter(value);
      if (!filter) {
        refuse(filter.error());
      } else if (list.filters.size() == api::most_filters) {
        refuse("more than " + std::to_string(api::most_filters) + " filters");
      } else {
        list.filters.push_back(std::move(*filter));
        list.shape += "filter=" + value + "\n";
      }
    } else {
      refuse("is no parameter of this request; there are limit, cursor, filter and order");
    }
  }
  if (!defects.empty()) return tl::unexpected(std::move(defects));
  return list;
}

}  // namespace caisson::modules
