#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "editor/text.h"

namespace caisson::editor {

/// Values of LSP 3.17 as JSON, and out of it. What is not as the protocol says is empty, never an
/// exception.

namespace json = boost::json;

/// Codes of errors in answers (JSON-RPC 2.0, 5.1; LSP 3.17, ErrorCodes).
enum class ErrorCode : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  server_not_initialized = -32002,
  request_failed = -32803,
  request_cancelled = -32800,
};

/// A message of the client: a request has an id, a notification has none, an answer no method.
struct Message {
  std::optional<json::value> id;  ///< a number or a string
  std::string method;
  json::value params;
};

/// One JSON-RPC 2.0 message (RFC 8259, at most 32 levels). Empty when it is none; `id` is then what
/// an answer can name.
[[nodiscard]] std::optional<Message> read_message(std::string_view text, ErrorCode& error,
                                                  json::value& id);

/// The member at a way of keys; null when there is none.
[[nodiscard]] const json::value* member(const json::value& value,
                                        std::initializer_list<std::string_view> way);
[[nodiscard]] std::optional<std::string> string_at(const json::value& value,
                                                   std::initializer_list<std::string_view> way);
[[nodiscard]] std::optional<std::int64_t> integer_at(const json::value& value,
                                                     std::initializer_list<std::string_view> way);
/// True only when it says true.
[[nodiscard]] bool flag_at(const json::value& value, std::initializer_list<std::string_view> way);

[[nodiscard]] std::optional<Position> read_position(const json::value& value);
[[nodiscard]] std::optional<Range> read_range(const json::value& value);

[[nodiscard]] json::value to_json(Position position);
[[nodiscard]] json::value to_json(const Range& range);

[[nodiscard]] std::string answer(const json::value& id, json::value result);
[[nodiscard]] std::string failure(const json::value& id, ErrorCode code, std::string_view message);
[[nodiscard]] std::string notification(std::string_view method, json::value params);
[[nodiscard]] std::string request(std::string_view id, std::string_view method, json::value params);

}  // namespace caisson::editor
