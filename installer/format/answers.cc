#include "installer/format/answers.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/printable.h"

namespace caisson::installer {
namespace {

constexpr std::string_view kPlaceholder = "${answer:";

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/// Whether `is_part` holds of all that the separators leave; there is at least one part.
bool all_parts(std::string_view text, char separator, bool (*is_part)(std::string_view part)) {
  for (;;) {
    const auto at = std::min(text.find(separator), text.size());
    if (!is_part(text.substr(0, at))) return false;
    if (at == text.size()) return true;
    text.remove_prefix(at + 1);
  }
}

/// RFC 1123; what has a number as its last label is an address, or a mistyped one.
bool is_domain(std::string_view text) {
  const auto last = text.substr(text.rfind('.') + 1);
  return text.size() <= 253 && !std::ranges::all_of(last, is_digit) &&
         all_parts(text, '.', [](std::string_view label) {
           return !label.empty() && label.size() <= 63 && label.front() != '-' &&
                  label.back() != '-' && std::ranges::all_of(label, [](char c) {
                    return is_lower(c) || is_digit(c) || c == '-';
                  });
         });
}

bool is_address(std::string_view text) {
  const std::string address(text.substr(0, 64));
  std::array<unsigned char, 16> bytes{};
  return text.size() < 64 && (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
                              inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1);
}

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || text.size() > 254) return false;
  const auto local = text.substr(0, at);
  return std::ranges::all_of(local,
                             [](char c) {
                               return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' ||
                                      c == '+';
                             }) &&
         local.front() != '.' && local.back() != '.' &&
         local.find("..") == std::string_view::npos && is_domain(text.substr(at + 1));
}

bool is_path(std::string_view text) {
  return text.size() > 1 && text.front() == '/' &&
         all_parts(text.substr(1), '/', [](std::string_view part) {
           return !part.empty() && part.size() <= 255 && part != "." && part != ".." &&
                  part.front() != '-' && std::ranges::all_of(part, [](char c) {
                    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == '+';
                  });
         });
}

bool is_of_form(AnswerType type, std::string_view answer) {
  switch (type) {
    case AnswerType::address:
      return is_address(answer);
    case AnswerType::domain:
      return is_domain(answer);
    case AnswerType::email:
      return is_email(answer);
    case AnswerType::path:
      return is_path(answer);
    case AnswerType::port: {
      const auto number = number_of(answer);
      return number && *number >= 1 && *number <= 65'535;
    }
    case AnswerType::secret:
      return fault_of_line(answer).empty() && answer.front() != ' ' && answer.back() != ' ';
    case AnswerType::word:
      return std::ranges::all_of(
          answer, [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; });
  }
  return false;
}

}  // namespace

std::string_view form_of(AnswerType type) {
  switch (type) {
    case AnswerType::address:
      return "an IP address as 10.0.0.53";
    case AnswerType::domain:
      return "a host name as acme.example.com";
    case AnswerType::email:
      return "an e-mail address as ops@acme.example, of letters, digits and '.-_+'";
    case AnswerType::path:
      return "an absolute path as /srv/backups, of letters, digits and '.-_+/'";
    case AnswerType::port:
      return "a number from 1 to 65535";
    case AnswerType::secret:
      return "one line of text that neither begins nor ends with a blank";
    case AnswerType::word:
      return "one of the words that are offered";
  }
  return {};
}

std::string fault_of_answer(const Question& question, std::string_view answer) {
  if (answer.empty()) return "is empty; it is " + std::string(form_of(question.type));
  if (answer.size() > kMostOfAnswer) return "has more than 1,024 bytes";
  if (question.type == AnswerType::word &&
      std::ranges::find(question.choices, answer) == question.choices.end()) {
    std::string known;
    for (const auto& choice : question.choices) known += (known.empty() ? "" : ", ") + choice;
    return "is none of: " + known;
  }
  if (!is_of_form(question.type, answer)) {
    return "is not " + std::string(form_of(question.type));
  }
  return {};
}

Checked<Answers> read_answers(std::string_view name, std::string_view text) {
  if (text.size() > kMostOfAnswers) {
    return refuse(Code::wrong_answer, std::string(name) + " has more than 256 KiB");
  }
  Answers answers;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto length = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    // What editors of other systems write.
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto where = std::string(name) + ":" + std::to_string(number) + ": ";
    const auto equals = line.find('=');
    const auto question = line.substr(0, std::min(equals, line.size()));
    if (equals == std::string_view::npos || question.empty() || question.size() > 40 ||
        !std::ranges::all_of(question,
                             [](char c) { return is_lower(c) || is_digit(c) || c == '-'; })) {
      // It is not repeated: it may be a secret.
      return refuse(Code::wrong_answer, where + "a line is NAME=ANSWER, without blanks around '='");
    }
    if (answers.size() >= kMostQuestions) {
      return refuse(Code::wrong_answer, where + "no release asks more than 64 questions");
    }
    if (!answers.emplace(question, line.substr(equals + 1)).second) {
      return refuse(Code::wrong_answer, where + std::string(question) + " is answered twice");
    }
  }
  return answers;
}

std::string write_answers(const Answers& answers) {
  std::string text;
  for (const auto& [name, answer] : answers) text.append(name).append("=").append(answer) += '\n';
  return text;
}

std::string placeholder_of(std::string_view question) {
  return std::string(kPlaceholder) + std::string(question) + "}";
}

Checked<std::string> filled(std::string_view name, std::string_view text, const Answers& answers) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const auto at = std::min(text.find(kPlaceholder), text.size());
    out += text.substr(0, at);
    if (at == text.size()) return out;
    text.remove_prefix(at + kPlaceholder.size());
    const auto question = text.substr(0, std::min<std::size_t>(text.find('}'), 41));
    const auto answer = answers.find(question);
    if (answer == answers.end() || text.size() == question.size()) {
      return refuse(Code::text_key, std::string(name) + " wants the answer '" +
                                        printable(question) + "', and the release asks for none");
    }
    out += answer->second;
    text.remove_prefix(question.size() + 1);
  }
}

}  // namespace caisson::installer
