#include "runtime/client/operator_command.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string_view>

#include <boost/json.hpp>
#include <tl/expected.hpp>

#include "base/percent.h"
#include "runtime/admin/routes.h"
#include "runtime/client/operator_client.h"
#include "runtime/context/strict_json.h"

namespace caisson::client {
namespace {

namespace json = boost::json;

constexpr int refused = 1;
constexpr int bad_usage = 2;
constexpr int nobody_answers = 3;

int complain(const std::string& what, int status) {
  std::fprintf(stderr, "caisson-runtime: %s\n", what.c_str());
  return status;
}

/// Makes a question of the words after the command; otherwise what is wrong with them.
tl::expected<OperatorQuestion, std::string> question_of(const admin::Entry& entry,
                                                        std::span<char* const> words) {
  OperatorQuestion question{.method = entry.method, .target = {}, .body = {}};
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
  json::object body;
  bool from_input = false;
  for (const std::string_view word : words) {
    if (word == "-") {
      from_input = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return tl::unexpected("`" + std::string(word) + "` is not NAME=TEXT or NAME:=JSON");
    }
    const bool typed = word[equals - 1] == ':';
    const std::string name(word.substr(0, typed ? equals - 1 : equals));
    const std::string_view text = word.substr(equals + 1);
    if (entry.queried) {
      question.target += (question.target.find('?') == std::string::npos ? '?' : '&') +
                         percent_encoded(name) + '=' + percent_encoded(text);
    } else if (typed) {
      auto value = context::parse_strict(text);
      if (!value) return tl::unexpected("`" + std::string(text) + "`: " + value.error().what);
      body[name] = std::move(*value);
    } else {
      body[name] = text;
    }
  }
  if (!body.empty()) question.body = json::serialize(body);
  if (!from_input) return question;
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (!body.empty()) {
    // Into the text as it is: its numbers are more than any that a JSON library writes again.
    const std::size_t brace = text.find_first_not_of(" \t\r\n");
    if (brace == std::string::npos || text[brace] != '{') {
      return tl::unexpected(std::string("what comes on standard input is no JSON object"));
    }
    question.body.back() = ',';
    text.replace(brace, 1, question.body);
  }
  question.body = std::move(text);
  return question;
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
  const auto question = question_of(*entry, words.subspan(2));
  if (!question) return complain(question.error(), bad_usage);
  const std::string& listen = configuration.listen.operator_;
  const auto reply = ask_operator(listen, configuration.operator_token, *question);
  if (!reply) return complain(reply.error().text(), nobody_answers);
  if (reply->status >= 400) return complain(problem_text(*reply), refused);
  if (!reply->body.empty()) std::printf("%s\n", reply->body.c_str());
  return 0;
}

}  // namespace caisson::client
