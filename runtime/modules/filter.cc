#include "runtime/modules/filter.h"

#include <algorithm>
#include <compare>
#include <optional>

#include "api/schemas.h"
#include "base/utf8.h"
#include "runtime/context/json_reader.h"

namespace caisson::modules {
namespace {

using context::Decimal;
using context::JsonReader;
using Token = JsonReader::Token;

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// Of `a.b` both; empty for what is no field.
std::vector<std::string> path_of(std::string_view field) {
  std::vector<std::string> path;
  if (field.size() > api::longest_filter_path) return {};
  while (path.size() < api::deepest_filter_path) {
    const auto name = field.substr(0, field.find('.'));
    if (!is_field_name(name)) return {};
    path.emplace_back(name);
    if (name.size() == field.size()) return path;
    field.remove_prefix(name.size() + 1);
  }
  return {};
}

/// A JSON literal, or else the text itself.
FilterValue value_of(std::string_view text) {
  JsonReader reader(text);
  reader.next();
  FilterValue value{std::string(text)};
  if (reader.token() == Token::null) value = nullptr;
  if (reader.token() == Token::truth || reader.token() == Token::falsity) {
    value = reader.token() == Token::truth;
  }
  if (reader.token() == Token::number) value = Decimal(reader.text());
  if (reader.token() == Token::string) value = std::string(reader.text());
  return reader.next() == Token::end ? value : FilterValue(std::string(text));
}

/// How the value that the reader is at compares with the filter's; nothing when it is of another
/// type.
std::optional<std::strong_ordering> compare(const JsonReader& reader, const FilterValue& value) {
  const Token token = reader.token();
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (token != Token::string) return std::nullopt;
    return reader.text() <=> std::string_view(*text);
  }
  if (const auto* number = std::get_if<Decimal>(&value)) {
    if (token != Token::number) return std::nullopt;
    return Decimal(reader.text()) <=> *number;
  }
  const auto* truth = std::get_if<bool>(&value);
  const Token wanted = truth == nullptr ? Token::null : *truth ? Token::truth : Token::falsity;
  if (token != wanted) return std::nullopt;
  return std::strong_ordering::equal;
}

}  // namespace

tl::expected<Filter, std::string> parse_filter(std::string_view text) {
  const auto first = text.find(':');
  const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) {
    return tl::unexpected(std::string("a filter is field:op:value, for example state:eq:open"));
  }
  auto path = path_of(text.substr(0, first));
  if (path.empty()) {
    return tl::unexpected(
        std::string("a filter's field is names joined with dots, at most 8 of them"));
  }
  const auto name = text.substr(first + 1, second - first - 1);
  const auto operators = api::filter_operators();
  const auto op = std::ranges::find(operators, name, &api::FilterOperator::name);
  if (op == operators.end()) {
    return tl::unexpected(std::string("a filter's op is one of eq, ne, lt, le, gt, ge, prefix"));
  }
  const auto written = text.substr(second + 1);
  if (first_invalid_utf8(written)) {
    return tl::unexpected(std::string("a filter's value is UTF-8, percent-encoded"));
  }
  auto value = value_of(written);
  const bool is_text = std::holds_alternative<std::string>(value);
  if (op->text_only && !is_text) {
    return tl::unexpected(std::string("prefix compares with text; quote the value: \"12\""));
  }
  if (op->ordered && !is_text && !std::holds_alternative<Decimal>(value)) {
    return tl::unexpected(std::string("null, true and false have no order; use eq or ne"));
  }
  return Filter{.path = std::move(path),
                .op = static_cast<Filter::Op>(op - operators.begin()),
                .value = std::move(value)};
}

bool matches(const Filter& filter, std::string_view value) {
  JsonReader reader(value);
  const bool found = reader.find(filter.path);
  if (filter.op == Filter::Op::prefix) {
    return found && reader.token() == Token::string &&
           reader.text().starts_with(std::get<std::string>(filter.value));
  }
  const auto order = found ? compare(reader, filter.value) : std::nullopt;
  switch (filter.op) {
    case Filter::Op::eq:
      return order && *order == 0;
    case Filter::Op::ne:
      return !order || *order != 0;
    case Filter::Op::lt:
      return order && *order < 0;
    case Filter::Op::le:
      return order && *order <= 0;
    case Filter::Op::gt:
      return order && *order > 0;
    case Filter::Op::ge:
      return order && *order >= 0;
    case Filter::Op::prefix:
      break;
  }
  return false;
}

}  // namespace caisson::modules
