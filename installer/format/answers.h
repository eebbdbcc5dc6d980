#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "installer/format/manifest.h"

namespace caisson::installer {

/// What a site has answered, by the name of the question.
using Answers = std::map<std::string, std::string, std::less<>>;

/// The most bytes of a text of answers, and of one answer.
inline constexpr std::size_t kMostOfAnswers = std::size_t{256} * 1024;
inline constexpr std::size_t kMostOfAnswer = 1'024;

/// What is wrong with an answer to a question, as words that may follow its name; "" when nothing
/// is. An answer that is taken, other than a secret, has letters, digits and `.-_+@/:` alone: it
/// stands for itself in each file that configures something, and can end nothing there.
[[nodiscard]] std::string fault_of_answer(const Question& question, std::string_view answer);

/// How an answer of a type is written: "a host name as acme.example.com".
[[nodiscard]] std::string_view form_of(AnswerType type);

/// Reads answers, a line `name=answer` each; empty lines and those that begin with `#` say nothing.
/// `name` is what messages call the text. Whether it is what a question asks for is not checked
/// here. Everything that is wrong is `Code::wrong_answer`.
[[nodiscard]] Checked<Answers> read_answers(std::string_view name, std::string_view text);

/// Writes what `read_answers` reads.
[[nodiscard]] std::string write_answers(const Answers& answers);

/// What stands for an answer in a file: "${answer:domain}".
[[nodiscard]] std::string placeholder_of(std::string_view question);

/// The text with answers in the places of their placeholders. `name` is what messages call it. A
/// placeholder that no answer is for is `Code::text_key`.
[[nodiscard]] Checked<std::string> filled(std::string_view name, std::string_view text,
                                          const Answers& answers);

}  // namespace caisson::installer
