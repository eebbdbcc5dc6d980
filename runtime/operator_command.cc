#include "runtime/operator_command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string_view>

#include <boost/json.hpp>
#include <sys/socket.h>
#include <tl/expected.hpp>

#include "runtime/admin/routes.h"
#include "runtime/connection.h"

namespace caisson::runtime {
namespace {

namespace json = boost::json;

/// Snapshots of large tenants take their time.
constexpr auto patience = std::chrono::minutes(10);
constexpr std::size_t most_bytes = 64U << 20U;
constexpr int refused = 1;
constexpr int bad_usage = 2;
constexpr int nobody_answers = 3;

int complain(const std::string& what, int status) {
  std::fprintf(stderr, "caisson-runtime: %s\n", what.c_str());
  return status;
}

bool plain(char c) {
  constexpr std::string_view others = "-._~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain(c)) {
      out += c;
    } else {
      out.append("%").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
  }
  return out;
}

/// What is to be sent.
struct Question {
  std::string_view method;
  std::string target;
  std::string body;
};

/// Makes a question of the words after the command; otherwise what is wrong with them.
tl::expected<Question, std::string> ask(const admin::Entry& entry, std::span<char* const> words) {
  Question question{.method = entry.method, .target = {}, .body = {}};
  for (const char c : entry.path) {
    if (c != '*') {
      question.target += c;
      continue;
    }
    const std::string_view part = words.empty() ? "" : words[0];
    if (part.empty() || part.find('=') != std::string_view::npos) {
      return tl::unexpected("`" + std::string(entry.command) + "` needs what `*` stands for in " +
                            std::string(entry.path));
    }
    question.target += percent_encoded(part);
    words = words.subspan(1);
  }
  const bool queried = entry.method == "GET" || entry.command == "migrations run";
  json::object body;
  for (const std::string_view word : words) {
    if (word == "-" && words.size() == 1) {
      question.body.assign(std::istreambuf_iterator<char>(std::cin), {});
      return question;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return tl::unexpected("`" + std::string(word) + "` is not NAME=TEXT or NAME:=JSON");
    }
    const bool typed = word[equals - 1] == ':';
    const std::string name(word.substr(0, typed ? equals - 1 : equals));
    const std::string_view text = word.substr(equals + 1);
    if (queried) {
      question.target += (question.target.find('?') == std::string::npos ? '?' : '&') +
                         percent_encoded(name) + '=' + percent_encoded(text);
    } else if (typed) {
      boost::system::error_code error;
      body[name] = json::parse(text, error);
      if (error) return tl::unexpected("`" + std::string(text) + "` is not JSON");
    } else {
      body[name] = text;
    }
  }
  if (!body.empty()) question.body = json::serialize(body);
  return question;
}

struct Reply {
  int status = 0;
  std::string body;
};

/// The server's answer; status 0 when there is none, or not all of it.
Reply exchange(const Connection& connection, const std::string& listen, const std::string& token,
               const Question& question) {
  std::string text(question.method);
  text.append(" ").append(question.target).append(" HTTP/1.1\r\nHost: ").append(listen);
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
  Reply reply;
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

/// A problem in words.
std::string problem_text(const Reply& reply) {
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

}  // namespace

std::string operator_commands() {
  std::string text;
  for (const admin::Entry& entry : admin::entries()) {
    std::string line = "  " + std::string(entry.command);
    if (entry.path.find("/tenants/*") != std::string_view::npos) line += " SLUG";
    if (entry.path.find("/keys/*") != std::string_view::npos ||
        entry.path.find("/snapshots/*") != std::string_view::npos)
      line += " ID";
    if (!entry.parameters.empty()) line += " " + std::string(entry.parameters);
    text += line + "\n";
  }
  return text;
}

int run_operator_command(const context::Configuration& configuration,
                         std::span<char* const> words) {
  const std::string command =
      words.size() < 2 ? "" : std::string(words[0]) + " " + std::string(words[1]);
  const auto all = admin::entries();
  const auto entry = std::ranges::find(all, command, &admin::Entry::command);
  if (entry == all.end()) {
    return complain("there is no such operator command; the commands are\n" + operator_commands(),
                    bad_usage);
  }
  const auto question = ask(*entry, words.subspan(2));
  if (!question) return complain(question.error(), bad_usage);
  const std::string& listen = configuration.listen.operator_;
  const Connection connection(reachable(listen), patience);
  if (!connection) {
    return complain("nobody answers at the operator listener " + listen + "; does the runtime run?",
                    nobody_answers);
  }
  const Reply reply = exchange(connection, listen, configuration.operator_token, *question);
  if (reply.status == 0) {
    return complain("the operator listener " + listen + " gave no whole answer; its log says why",
                    nobody_answers);
  }
  if (reply.status >= 400) return complain(problem_text(reply), refused);
  if (!reply.body.empty()) std::printf("%s\n", reply.body.c_str());
  return 0;
}

}  // namespace caisson::runtime
