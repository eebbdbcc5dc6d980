#include <algorithm>
#include <array>
#include <iterator>

#include "base/printable.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"
#include "installer/format/answers.h"
#include "installer/format/manifest_words.h"

namespace caisson::spec {
namespace {

using installer::AnswerType;
using installer::Question;

constexpr std::size_t longest_text = 1'000;

// The words of MANIFEST.
constexpr auto answer_types = [] {
  std::array<Word<AnswerType>, std::size(installer::kAnswerTypes)> words{};
  std::ranges::transform(installer::kAnswerTypes, words.begin(),
                         [](const auto& type) { return Word<AnswerType>{type.text, type.value}; });
  return words;
}();
constexpr auto answer_kind_type = word<answer_types>("AnswerType");

bool read_answer(Reader& reader, const Node& node, std::string& value) {
  const std::string* written = reader.text(node, "an answer of the type");
  if (written != nullptr) value = *written;
  return written != nullptr;
}
constexpr Type<std::string> answer_type{.shape = {.kind = Shape::Kind::plain,
                                                  .name = "Answer",
                                                  .note = "an answer of the question's type"},
                                        .read = read_answer};
constexpr auto choices_type = list_of<answer_type>;

/// Where the key of a question is, or the question itself without it.
const Node& place_of(const Node& question, std::string_view key) {
  const Node* value = question.at(key);
  return value == nullptr ? question : *value;
}

/// What the MANIFEST of a bundle could not say.
bool check_question(Reader& reader, const Node& node, Question& question) {
  // An environment asks nothing: that it is there is the mistake.
  if (reader.partial()) return true;
  const auto refuse = [&](std::string_view key, const std::string& what, std::string remedy) {
    return reader.refuse("E0140", place_of(node, key).span, what + reader.in_path(),
                         std::move(remedy));
  };
  const auto& text = question.text;
  if (const auto fault = fault_of_line(text);
      !fault.empty() || text.empty() || text.front() == ' ' || text.back() == ' ') {
    return refuse("text", "a question that is no line of text", "write what the site is asked for");
  }
  if (text.size() > longest_text) {
    return refuse("text", "a question of more than 1,000 bytes", "say it in fewer words");
  }
  std::ranges::sort(question.choices);
  const bool is_word = question.type == AnswerType::word;
  if (is_word != (question.choices.size() > 1)) {
    return refuse("choices", is_word ? "a word without choices" : "choices of what is no word",
                  is_word ? "list two or more words in 'choices'"
                          : "only a word has 'choices'; leave them out");
  }
  if (std::ranges::adjacent_find(question.choices) != question.choices.end()) {
    return refuse("choices", "a choice that stands there twice", "leave one of them out");
  }
  if (question.choices.size() > installer::kMostChoices) {
    return refuse("choices", "more than 256 choices", "offer fewer");
  }
  for (const auto& choice : question.choices) {
    if (const auto fault = fault_of_answer(question, choice); !fault.empty()) {
      return refuse("choices", "the choice " + quote(choice) + ' ' + fault,
                    "a word has letters, digits and '.-_'");
    }
  }
  if (!question.preset) return true;
  if (question.type == AnswerType::secret) {
    return refuse("default", "a secret with a default", "a site has a secret of its own");
  }
  const auto fault = fault_of_answer(question, *question.preset);
  return fault.empty() || refuse("default", "the default " + quote(*question.preset) + ' ' + fault,
                                 is_word ? "write one of the choices"
                                         : "write " + std::string(form_of(question.type)));
}

constexpr Field question_fields[] = {
    field<&Question::type, answer_kind_type>("type", required, "what may be answered"),
    field<&Question::text, text_type>("text", required, "the question, for people"),
    field<&Question::preset, answer_type>("default", optional,
                                          "what holds without an answer; a secret has none"),
    field<&Question::choices, choices_type>("choices", optional,
                                            "of a `word`: what may be answered, two or more"),
};
constexpr auto question_type =
    object<Question, question_fields, independent, check_question>("Question");
constexpr auto question_map_type = map_of<slug_type, question_type>;

bool read_questions(Reader& reader, const Node& node, Map<Question>& questions) {
  bool good = question_map_type.read(reader, node, questions);
  for (auto& [name, question] : questions) question.name = name;
  for (const Entry& entry : node.fields) {
    // As in a MANIFEST; a number would be a digit too many in a shell.
    if (entry.key.empty() || (entry.key.front() >= 'a' && entry.key.front() <= 'z')) continue;
    good = reader.refuse("E0140", entry.key_span,
                         "the name of an answer begins with a letter" + reader.in_path(),
                         "write for example 'a" + entry.key + "'");
  }
  if (questions.size() > installer::kMostQuestions) {
    good = reader.refuse("E0140", node.span, "more than 64 questions" + reader.in_path(),
                         "nobody answers so many: give the same value to every site");
  }
  return good;
}

}  // namespace

constinit const Type<Map<Question>> answers_type{.shape = question_map_type.shape,
                                                 .read = read_questions};

}  // namespace caisson::spec
