#include "editor/protocol.h"

#include <limits>
#include <utility>

#include <boost/json.hpp>

namespace caisson::editor {

std::optional<Message> read_message(std::string_view text, ErrorCode& error, json::value& id) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  id = nullptr;
  error = failed ? ErrorCode::parse_error : ErrorCode::invalid_request;
  if (failed || !value.is_object()) return std::nullopt;
  Message message;
  if (const json::value* said = member(value, {"id"})) {
    if (!said->is_string() && !said->is_int64() && !said->is_uint64()) {
      if (!said->is_null()) return std::nullopt;
    } else {
      id = *said;
      message.id = *said;
    }
  }
  if (string_at(value, {"jsonrpc"}) != "2.0") return std::nullopt;
  const json::value* method = member(value, {"method"});
  const bool answered = member(value, {"result"}) != nullptr || member(value, {"error"}) != nullptr;
  if (method == nullptr ? !answered : !method->is_string()) return std::nullopt;
  if (method != nullptr) message.method = *string_at(value, {"method"});
  if (const json::value* params = member(value, {"params"})) message.params = *params;
  return message;
}

const json::value* member(const json::value& value, std::initializer_list<std::string_view> way) {
  const json::value* at = &value;
  for (const std::string_view key : way) {
    if (at == nullptr || !at->is_object()) return nullptr;
    at = at->get_object().if_contains(key);
  }
  return at;
}

std::optional<std::string> string_at(const json::value& value,
                                     std::initializer_list<std::string_view> way) {
  const json::value* found = member(value, way);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

std::optional<std::int64_t> integer_at(const json::value& value,
                                       std::initializer_list<std::string_view> way) {
  const json::value* found = member(value, way);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

bool flag_at(const json::value& value, std::initializer_list<std::string_view> way) {
  const json::value* found = member(value, way);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<Position> read_position(const json::value& value) {
  const auto line = integer_at(value, {"line"});
  const auto character = integer_at(value, {"character"});
  // uinteger of the protocol: at most 2^31 - 1.
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (!line || !character || *line < 0 || *character < 0 || *line > most || *character > most)
    return std::nullopt;
  return Position{.line = static_cast<std::uint32_t>(*line),
                  .character = static_cast<std::uint32_t>(*character)};
}

std::optional<Range> read_range(const json::value& value) {
  const json::value* start = member(value, {"start"});
  const json::value* end = member(value, {"end"});
  if (start == nullptr || end == nullptr) return std::nullopt;
  const auto from = read_position(*start);
  const auto to = read_position(*end);
  if (!from || !to) return std::nullopt;
  return Range{.start = *from, .end = *to};
}

json::value to_json(Position position) {
  return json::object{{"line", position.line}, {"character", position.character}};
}

json::value to_json(const Range& range) {
  return json::object{{"start", to_json(range.start)}, {"end", to_json(range.end)}};
}

std::string answer(const json::value& id, json::value result) {
  return json::serialize(
      json::object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
}

std::string failure(const json::value& id, ErrorCode code, std::string_view message) {
  return json::serialize(json::object{
      {"jsonrpc", "2.0"},
      {"id", id},
      {"error", json::object{{"code", static_cast<int>(code)}, {"message", message}}}});
}

std::string notification(std::string_view method, json::value params) {
  return json::serialize(
      json::object{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

std::string request(std::string_view id, std::string_view method, json::value params) {
  return json::serialize(json::object{
      {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
}

}  // namespace caisson::editor
