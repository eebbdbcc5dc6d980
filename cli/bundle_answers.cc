#include "cli/bundle_answers.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "generator/bundle/answers.h"
#include "generator/plan/plan.h"

namespace caisson::cli {
namespace {

/// What is made of a spec for one set of answers; nothing when there are errors in `found`.
Result<std::optional<render::Artifacts>> rendered(const SpecSource& source, const LoadedSpec& spec,
                                                  bool certificates, Rendering rendering,
                                                  const render::Blueprints& blueprints,
                                                  source::Diagnostics& found) {
  const auto make = [&](const LoadedSpec& its) -> Result<std::optional<render::Artifacts>> {
    auto generated = generate(source, its, rendering, blueprints, found);
    if (!generated) return tl::unexpected(generated.error());
    if (!*generated) return std::nullopt;
    return std::move((*generated)->artifacts);
  };
  if (!certificates) return make(spec);
  // Units take whichever certificates the site says; nobody fills in what other forms have.
  auto own = spec;
  auto& tls = own.loaded->deployment.edge.tls;
  tls.mode = spec::Edge::TlsMode::internal;
  tls.asked = source.answers.find(plan::certificates_question)->second;
  auto others = rendering.targets;
  std::erase(others, "systemd");
  rendering.targets = {"systemd"};
  auto artifacts = make(own);
  if (!artifacts || !*artifacts || others.empty()) return artifacts;
  rendering.targets = std::move(others);
  auto more = make(spec);
  if (!more || !*more) return more;
  std::ranges::move(**more, std::back_inserter(**artifacts));
  std::ranges::sort(**artifacts, {}, &render::Artifact::path);
  return artifacts;
}

/// A mistake for each question, with the places that it may not change.
std::vector<render::Mistake> mistakes_of(const std::vector<bundle::Misplaced>& places) {
  constexpr std::size_t most_shown = 3;
  std::map<std::string, std::vector<std::string>> by_question;
  for (const auto& place : places) {
    auto where = place.path;
    if (place.line > 0) where.append(":").append(std::to_string(place.line));
    auto& known = by_question[place.question];
    if (std::ranges::find(known, where) == known.end()) known.push_back(std::move(where));
  }
  std::vector<render::Mistake> mistakes;
  for (const auto& [question, wheres] : by_question) {
    std::string list;
    for (std::size_t i = 0; i < std::min(wheres.size(), most_shown); ++i) {
      list.append(i == 0 ? "" : ", ").append(wheres[i]);
    }
    if (wheres.size() > most_shown) {
      list += " and " + std::to_string(wheres.size() - most_shown) + " more";
    }
    auto what = question.empty() ? "answers change" : "the answer '" + question + "' changes";
    mistakes.push_back(
        {.code = "E0312",
         .pointer = question.empty() ? "/answers" : "/answers/" + question,
         .message = what + " more than values of the configuration: " + list,
         .remedy = "a site fills in files of systemd/config alone, each with the answer itself"});
  }
  return mistakes;
}

std::string text_of(const installer::Answers& answers) {
  std::string text;
  for (const auto& [name, answer] : answers) {
    text.append(text.empty() ? "" : ", ").append(name).append("=").append(answer);
  }
  return text;
}

}  // namespace

Result<Asked> asked_of(SpecSource source, const std::string& environment) {
  source.sample_answers = true;
  const auto spec = load_spec(source, environment, false);
  Asked asked;
  if (!spec.loaded) return asked;
  const auto& deployment = spec.loaded->deployment;
  for (const auto& [name, question] : deployment.answers) asked.questions.push_back(question);
  const auto& forms = deployment.targets.bundle.for_;
  asked.certificates =
      std::ranges::find(forms, spec::Targets::Bundle::For::systemd) != forms.end() &&
      deployment.edge.proxy != spec::Edge::Proxy::none &&
      deployment.edge.tls.mode == spec::Edge::TlsMode::acme;
  if (!asked.certificates) return asked;
  const std::string name(plan::certificates_question);
  if (std::ranges::find(asked.questions, name, &installer::Question::name) !=
      asked.questions.end()) {
    return fail("the spec asks for '" + name + "', and so does the bundle of a spec with 'acme'",
                "give the question of the spec another name");
  }
  asked.questions.push_back(
      {.name = name,
       .type = installer::AnswerType::word,
       .preset = "internal",
       .choices = {"files", "internal"},
       .text = "Where do certificates come from: files of this site (edge-certificate and edge-key "
               "of --secrets), or an authority of its own, which no browser knows?"});
  return asked;
}

Result<render::Artifacts> render_for_sites(const SpecSource& source, const LoadedSpec& spec,
                                           const Asked& asked, const Rendering& rendering,
                                           const render::Blueprints& blueprints, Console& console) {
  const auto print = [&console](const LoadedSpec& its, const source::Diagnostics& found) {
    console.error(source::render(heard(found, console), its.sources, source::Format::text,
                                 console.colour_error()));
  };
  std::vector<bundle::Trial> trials;
  for (auto& answers : bundle::trial_answers(asked.questions)) {
    if (trials.size() == 1 && asked.questions.empty()) break;
    auto its_source = source;
    its_source.answers = answers;
    const bool first = trials.empty();
    std::optional<LoadedSpec> other;
    if (!first) other = load_spec(its_source, rendering.environment, rendering.strict);
    const auto& its = first ? spec : *other;
    source::Diagnostics found;
    if (!its.loaded) found = its.diagnostics;
    auto artifacts =
        its.loaded ? rendered(its_source, its, asked.certificates, rendering, blueprints, found)
                   : Result<std::optional<render::Artifacts>>(std::nullopt);
    if (!artifacts) return tl::unexpected(artifacts.error());
    if (first || !*artifacts) print(its, found);
    if (!*artifacts && first) return fail(its.sources.front().name() + ": " + tally(found));
    if (!*artifacts) {
      return fail("a site may give answers that the spec does not take: " + text_of(answers),
                  "ask for another type, or write the value itself");
    }
    trials.push_back({.answers = std::move(answers), .artifacts = **std::move(artifacts)});
  }
  if (asked.questions.empty()) return std::move(trials.front().artifacts);
  auto artifacts = bundle::with_placeholders(asked.questions, trials);
  if (artifacts) return *std::move(artifacts);
  auto right = report(spec, mistakes_of(artifacts.error()), console);
  return tl::unexpected(right.error());
}

}  // namespace caisson::cli
