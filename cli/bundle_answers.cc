#include "cli/bundle_answers.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "generator/bundle/answers.h"
#include "generator/spec/answers.h"

namespace caisson::cli {
namespace {

/// What is made of a spec for one set of answers; nothing when there are errors in `found`.
Result<std::optional<ForSites>> rendered(const SpecSource& source, const LoadedSpec& spec,
                                         bool certificates, Rendering rendering,
                                         const render::Blueprints& blueprints,
                                         source::Diagnostics& found) {
  const auto make = [&](const SpecSource& its_source,
                        const LoadedSpec& its) -> Result<std::optional<ForSites>> {
    auto generated = generate(its_source, its, rendering, blueprints, found);
    if (!generated) return tl::unexpected(generated.error());
    if (!*generated) return std::nullopt;
    return ForSites{.artifacts = std::move((*generated)->artifacts),
                    .places = std::move((*generated)->places)};
  };
  auto others = rendering.targets;
  std::erase(others, "systemd");
  if (!certificates || others.empty()) return make(source, spec);
  rendering.targets = {"systemd"};
  auto made = make(source, spec);
  if (!made || !*made) return made;
  // Nobody fills in what the other forms have: they stay with the authority of the spec.
  auto theirs = source;
  theirs.answers.erase(spec::certificates_question().name);
  rendering.targets = std::move(others);
  const auto loaded = load_spec(theirs, rendering.environment, rendering.strict);
  if (!loaded.loaded) {
    found = loaded.diagnostics;
    return std::nullopt;
  }
  auto more = make(theirs, loaded);
  if (!more || !*more) return more;
  auto& all = **made;
  std::ranges::move((*more)->artifacts, std::back_inserter(all.artifacts));
  std::ranges::move((*more)->places, std::back_inserter(all.places));
  std::ranges::sort(all.artifacts, {}, &render::Artifact::path);
  return made;
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
         .message = what.append(" more than values of the configuration: ").append(list),
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

Asked asked_of(SpecSource source, const std::string& environment) {
  source.sample_answers = true;
  const auto spec = load_spec(source, environment, false);
  Asked asked;
  if (!spec.loaded) return asked;
  const auto& deployment = spec.loaded->deployment;
  for (const auto& [name, question] : deployment.answers) asked.questions.push_back(question);
  asked.certificates = spec::asks_for_certificates(deployment);
  if (asked.certificates) asked.questions.push_back(spec::certificates_question());
  return asked;
}

Result<ForSites> render_for_sites(const SpecSource& source, const LoadedSpec& spec,
                                  const Asked& asked, const Rendering& rendering,
                                  const render::Blueprints& blueprints, Console& console) {
  const auto print = [&console](const LoadedSpec& its, const source::Diagnostics& found) {
    console.error(source::render(heard(found, console), its.sources, source::Format::text,
                                 console.colour_error()));
  };
  std::vector<bundle::Trial> trials;
  render::Places places;
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
    auto made = its.loaded
                    ? rendered(its_source, its, asked.certificates, rendering, blueprints, found)
                    : Result<std::optional<ForSites>>(std::nullopt);
    if (!made) return tl::unexpected(made.error());
    if (first || !*made) print(its, found);
    if (!*made && first) return fail(its.sources.front().name() + ": " + tally(found));
    if (!*made) {
      return fail("a site may give answers that the spec does not take: " + text_of(answers),
                  "ask for another type, or write the value itself");
    }
    if (first) places = std::move((*made)->places);
    trials.push_back({.answers = std::move(answers), .artifacts = std::move((*made)->artifacts)});
  }
  if (asked.questions.empty()) {
    return ForSites{.artifacts = std::move(trials.front().artifacts), .places = std::move(places)};
  }
  auto artifacts = bundle::with_placeholders(asked.questions, trials);
  if (artifacts) return ForSites{.artifacts = *std::move(artifacts), .places = std::move(places)};
  auto right = report(spec, mistakes_of(artifacts.error()), console);
  return tl::unexpected(right.error());
}

}  // namespace caisson::cli
