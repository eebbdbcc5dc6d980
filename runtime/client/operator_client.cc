#include "runtime/client/operator_client.h"

#include <array>
#include <charconv>

#include <boost/json.hpp>
#include <sys/socket.h>

#include "runtime/client/connection.h"

namespace caisson::client {
namespace {

namespace json = boost::json;

/// Snapshots of large tenants take their time.
constexpr auto patience = std::chrono::minutes(10);
constexpr std::size_t most_bytes = 64U << 20U;

/// The answer; status 0 when there is none, or not all of it.
OperatorReply exchange(const Connection& connection, const std::string& token,
                       const OperatorQuestion& question) {
  std::string text(question.method);
  text.append(" ").append(question.target).append(" HTTP/1.1\r\nHost: localhost");
  text.append("\r\nAuthorization: Bearer ").append(token);
  text.append("\r\nConnection: close\r\n");
  if (!question.body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(question.body.size())).append("\r\n");
  }
  text.append("\r\n").append(question.body);
  for (std::string_view left = text; !left.empty();) {
    const auto sent = ::send(connection.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // an early refusal may be there to read all the same
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  std::array<char, 65536> piece;
  while (answer.size() < most_bytes) {
    const auto got = ::recv(connection.get(), piece.data(), piece.size(), 0);
    if (got <= 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  OperatorReply reply;
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos || !answer.starts_with("HTTP/1.1 ")) return reply;
  constexpr std::string_view length = "\r\nContent-Length: ";
  const std::size_t at = answer.find(length);
  std::size_t size = 0;
  if (at < end) std::from_chars(answer.data() + at + length.size(), answer.data() + end, size);
  reply.body = answer.substr(end + 4);
  if (reply.body.size() != size) return reply;
  std::from_chars(answer.data() + 9, answer.data() + 12, reply.status);
  return reply;
}

}  // namespace

Result<OperatorReply> ask_operator(const std::string& listen, const std::string& token,
                                   const OperatorQuestion& question) {
  const Connection connection(reachable(listen), patience);
  if (!connection) {
    return fail("nobody answers at the operator listener " + listen, "does the runtime run?");
  }
  auto reply = exchange(connection, token, question);
  if (reply.status == 0) {
    return fail("the operator listener " + listen + " gave no whole answer", "its log says why");
  }
  return reply;
}

std::string problem_text(const OperatorReply& reply) {
  boost::system::error_code error;
  const json::value value = json::parse(reply.body, error);
  std::string text = std::to_string(reply.status);
  const json::object* problem = error ? nullptr : value.if_object();
  if (problem == nullptr) return text;
  const auto member = [](const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
  };
  text += " " + member(*problem, "title");
  if (const auto detail = member(*problem, "detail"); !detail.empty()) text += ": " + detail;
  const json::value* errors = problem->if_contains("errors");
  if (errors == nullptr || !errors->is_array()) return text;
  for (const json::value& one : errors->get_array()) {
    if (const json::object* defect = one.if_object())
      text += "\n  " + member(*defect, "pointer") + " " + member(*defect, "detail");
  }
  return text;
}

}  // namespace caisson::client
