#include "generator/spec/answers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "base/suggestion.h"
#include "generator/spec/reader.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

using installer::AnswerType;
using installer::Question;

constexpr std::string_view opening = "${answer:";

// What says which spec and which release it is, and what a bundle is made of: the same everywhere.
constexpr std::array<std::string_view, 8> fixed_keys{"answers", "assets",  "caisson", "conformance",
                                                     "name",    "targets", "version", "waivers"};

/// One run over a document.
class Filling {
 public:
  Filling(const Node& document, const LoadOptions& options, source::Diagnostics& diagnostics)
      : options_(options), reader_(diagnostics, false), diagnostics_(diagnostics) {
    const auto entry = std::ranges::find(document.fields, "answers", &Entry::key);
    if (entry == document.fields.end()) return;
    asked_ = *entry;
    // What is wrong with them is said when they are decoded.
    source::Diagnostics unheard;
    Reader reader(unheard, false);
    answers_type.read(reader, asked_.value, questions_);
    for (const auto& [name, question] : questions_) names_.emplace_back(name);
  }

  void fill(Node& document) {
    check_given(document.span);
    fill_map(document);
    for (const Entry& entry : asked_.value.fields) {
      const Question* question = find(entry.key);
      if (question == nullptr || question->type == AnswerType::secret) continue;
      if (used_.contains(entry.key)) continue;
      diagnostics_.report({.severity = source::Severity::warning,
                           .code = "W0211",
                           .where = entry.key_span,
                           .message = "nothing uses the answer " + quote(entry.key),
                           .remedy = "write ${answer:" + entry.key +
                                     "} where it belongs, or ask "
                                     "nobody for it"});
    }
  }

 private:
  [[nodiscard]] const Question* find(std::string_view name) const {
    const auto found = std::ranges::find(questions_, name, &Map<Question>::value_type::first);
    return found == questions_.end() ? nullptr : &found->second;
  }

  /// Answers that somebody gives.
  void check_given(source::Span document) {
    for (const auto& [name, answer] : options_.answers) {
      const Question* question = find(name);
      if (question == nullptr) {
        // Whether that is asked for is known when the spec is decoded.
        if (options_.spare_answers || name == certificates_question().name) continue;
        reader_.refuse("E0230",
                       asked_.key.empty()
                           ? source::Span{document.file, document.begin, document.begin}
                           : asked_.key_span,
                       "the spec does not ask for the answer " + quote(name),
                       names_.empty() ? "it asks for none" : suggest(name, names_));
        continue;
      }
      if (question->type == AnswerType::secret)
        continue;  // It gets into nothing that is made here.
      if (const auto fault = fault_of_answer(*question, answer); !fault.empty()) {
        reader_.refuse("E0230", key_of(name), "the answer " + quote(name) + ' ' + fault,
                       "mend it where the answers are given");
      }
    }
  }

  [[nodiscard]] source::Span key_of(std::string_view name) const {
    const auto entry = std::ranges::find(asked_.value.fields, name, &Entry::key);
    return entry == asked_.value.fields.end() ? asked_.key_span : entry->key_span;
  }

  /// The spec, or one of its environments.
  void fill_map(Node& spec) {
    for (Entry& entry : spec.fields) {
      const auto scope = reader_.enter(entry);
      if (entry.key == "environments") {
        for (Entry& environment : entry.value.fields) {
          const auto inner = reader_.enter(environment);
          fill_map(environment.value);
        }
        continue;
      }
      fixed_ = !takes_answers(entry.key);
      fill_node(entry.value);
    }
  }

  void fill_node(Node& node) {
    if (node.kind == Node::Kind::scalar) return fill_scalar(node);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto scope = reader_.enter(i);
      fill_node(node.items[i]);
    }
    for (Entry& entry : node.fields) {
      const auto scope = reader_.enter(entry);
      fill_node(entry.value);
    }
  }

  void fill_scalar(Node& node) {
    auto at = node.text.find(opening);
    if (at == std::string::npos) return;
    if (fixed_) {
      reader_.refuse("E0231", node.span, "an answer cannot stand here" + reader_.in_path(),
                     "a release is the same at every site but for its configuration: write the "
                     "value itself");
      return;
    }
    std::string text;
    std::string_view rest = node.text;
    for (; at != std::string_view::npos; at = rest.find(opening)) {
      text += rest.substr(0, at);
      rest.remove_prefix(at + opening.size());
      const auto close = rest.find('}');
      if (close == std::string_view::npos) {
        reader_.refuse("E0228", node.span, "an answer without an end" + reader_.in_path(),
                       "write ${answer:NAME}");
        return;
      }
      const auto answer = answer_to(node, std::string(rest.substr(0, close)));
      if (!answer) return;
      text += *answer;
      rest.remove_prefix(close + 1);
    }
    node.quoted = node.quoted && node.text.size() != whole_;
    node.text = text.append(rest);
  }

  /// What stands at a placeholder; nothing when that was refused.
  std::optional<std::string> answer_to(const Node& node, const std::string& name) {
    whole_ = opening.size() + name.size() + 1;
    const Question* question = find(name);
    if (question == nullptr) {
      reader_.refuse("E0228", node.span, "unknown answer " + quote(name) + reader_.in_path(),
                     names_.empty() ? "ask for it: answers: { " + name +
                                          ": { type: domain, text: "
                                          "... } }"
                                    : suggest(name, names_));
      return std::nullopt;
    }
    if (question->type == AnswerType::secret) {
      reader_.refuse("E0231", node.span,
                     "the answer " + quote(name) + " is a secret" + reader_.in_path(),
                     "it fills the secret of its name: write ${secret:" + name +
                         "} in an environment, and its name elsewhere");
      return std::nullopt;
    }
    const bool first = used_.insert(name).second;
    const auto given = options_.answers.find(name);
    if (given != options_.answers.end()) {
      // One of another type is reported already.
      return fault_of_answer(*question, given->second).empty() ? given->second : sample(*question);
    }
    if (question->preset) return question->preset;
    if (!options_.sample_answers && first) {
      reader_.refuse("E0229", node.span, "nobody has answered " + quote(name) + reader_.in_path(),
                     "give --answers FILE with a line " + name +
                         "=ANSWER, or a 'default' to the "
                         "question");
    }
    return sample(*question);
  }

  /// Another one for each question, as no two parts can have the same port.
  [[nodiscard]] std::string sample(const Question& question) const {
    const auto at = std::ranges::find(names_, question.name) - names_.begin();
    const auto samples = sample_answers(question, static_cast<std::size_t>(at));
    return samples.empty() ? std::string() : samples.front();
  }

  const LoadOptions& options_;
  Reader reader_;
  source::Diagnostics& diagnostics_;
  Entry asked_;  ///< `answers` of the spec
  Map<Question> questions_;
  std::vector<std::string_view> names_;
  std::set<std::string, std::less<>> used_;
  std::size_t whole_ = 0;  ///< length of the placeholder that was read last
  bool fixed_ = false;
};

}  // namespace

void fill_answers(Node& document, const LoadOptions& options, source::Diagnostics& diagnostics) {
  Filling(document, options, diagnostics).fill(document);
}

bool takes_answers(std::string_view key) {
  return std::ranges::find(fixed_keys, key) == fixed_keys.end();
}

const Question& certificates_question() {
  static const Question question{
      .name = "certificates",
      .type = AnswerType::word,
      .preset = "internal",
      .choices = {"files", "internal"},
      .text =
          "Where do certificates come from: files of this site (edge-certificate and edge-key "
          "of --secrets), or an authority of its own, which no browser knows?"};
  return question;
}

bool asks_for_certificates(const Deployment& deployment) {
  const auto& bundle = deployment.targets.bundle;
  const auto& tls = deployment.edge.tls;
  const auto own = [](const auto& entry) { return entry.first == certificates_question().name; };
  return bundle.enabled && (tls.mode == Edge::TlsMode::acme || !tls.asked.empty()) &&
         deployment.edge.proxy != Edge::Proxy::none &&
         std::ranges::find(bundle.for_, Targets::Bundle::For::systemd) != bundle.for_.end() &&
         std::ranges::none_of(deployment.answers, own);
}

std::vector<std::string> sample_answers(const Question& question, std::size_t index) {
  const auto& name = question.name;
  const auto number = std::to_string(index + 1);
  switch (question.type) {
    case AnswerType::address:
      return {"192.0.2." + number, "2001:db8::" + number, "10.254.137." + number};
    case AnswerType::domain:
      return {name + ".answers.example", "x.y-1." + name + ".example.org", name + ".localhost"};
    case AnswerType::email:
      return {name + "@answers.example", "x_y.z+1@" + name + ".localhost"};
    case AnswerType::path:
      return {"/answers/" + name, "/srv/x_y+1/z.d/" + name};
    case AnswerType::port:
      return {std::to_string(47'101 + index), std::to_string(52'311 + index),
              std::to_string(601 + index)};
    case AnswerType::secret:
      return {};
    case AnswerType::word:
      return question.choices;
  }
  return {};
}

}  // namespace caisson::spec
