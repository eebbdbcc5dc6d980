#include "generator/bundle/answers.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "generator/spec/answers.h"
#include "installer/format/site.h"

namespace caisson::bundle {
namespace {

using installer::Answers;
using installer::AnswerType;
using installer::Question;

constexpr std::string_view kConfig = "systemd/config/";
constexpr std::string_view kInstallScript = "systemd/install.sh";

// What people and programs read beside the configuration; it does no harm as a part of it.
constexpr std::array<std::string_view, 3> kMovable{"systemd/README.md", "systemd/RUNBOOK.md",
                                                   "systemd/site.json"};

/// Where an answer stands in a text.
struct Spot {
  std::size_t begin = 0;
  std::size_t length = 0;
  std::string_view question;

  friend auto operator<=>(const Spot&, const Spot&) = default;
};

/// Where `first` has `is` and `second` has `becomes`, when they are the same but for that.
/// Otherwise `differs` is where they part.
std::optional<std::vector<std::size_t>> places_of(std::string_view first, std::string_view is,
                                                  std::string_view second, std::string_view becomes,
                                                  std::size_t& differs) {
  std::vector<std::size_t> places;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < first.size() || j < second.size()) {
    if (first.substr(i).starts_with(is) && second.substr(j).starts_with(becomes)) {
      places.push_back(i);
      i += is.size();
      j += becomes.size();
    } else if (i < first.size() && j < second.size() && first[i] == second[j]) {
      ++i;
      ++j;
    } else {
      differs = i;
      return std::nullopt;
    }
  }
  return places;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

/// One run over the trials.
class Comparison {
 public:
  Comparison(const std::vector<Question>& questions, const std::vector<Trial>& trials)
      : questions_(questions), trials_(trials), base_(trials.front()) {}

  tl::expected<render::Artifacts, std::vector<Misplaced>> run() {
    std::size_t trial = 1;
    for (const auto& question : questions_) {
      const auto samples = spec::sample_answers(question, 0).size();
      for (std::size_t k = 1; k < samples; ++k, ++trial) compare(question, trials_[trial], k == 1);
    }
    render::Artifacts out;
    for (std::size_t i = 0; i < base_.artifacts.size(); ++i) place(i, out);
    if (auto* site = find(out, installer::kSiteNeeds)) write_site(*site);
    // Answers that change each other's places are seen when all of them change.
    const auto& last = trials_.back();
    for (const auto& artifact : base_.artifacts) check_together(artifact, last);
    if (!misplaced_.empty()) return tl::unexpected(std::move(misplaced_));
    if (!spots_.empty()) {
      std::erase_if(out, [](const auto& each) { return each.path == kInstallScript; });
    }
    std::ranges::sort(out, {}, &render::Artifact::path);
    return out;
  }

 private:
  static render::Artifact* find(render::Artifacts& artifacts, std::string_view path) {
    const auto found = std::ranges::find(artifacts, path, &render::Artifact::path);
    return found == artifacts.end() ? nullptr : &*found;
  }

  void refuse(std::string_view question, std::string path, std::size_t line) {
    misplaced_.push_back(
        {.question = std::string(question), .path = std::move(path), .line = line});
  }

  /// What one answer alone changes.
  void compare(const Question& question, const Trial& other, bool first) {
    for (const auto* pair : {&base_, &other}) {
      const auto& rest = pair == &base_ ? other.artifacts : base_.artifacts;
      for (const auto& artifact : pair->artifacts) {
        if (std::ranges::find(rest, artifact.path, &render::Artifact::path) == rest.end()) {
          refuse(question.name, artifact.path, 0);
        }
      }
    }
    for (const auto& artifact : base_.artifacts) {
      const auto same = std::ranges::find(other.artifacts, artifact.path, &render::Artifact::path);
      if (same == other.artifacts.end() || artifact.path == installer::kSiteNeeds) continue;
      std::size_t differs = 0;
      const auto places = places_of(artifact.bytes, base_.answers.at(question.name), same->bytes,
                                    other.answers.at(question.name), differs);
      if (!places || same->mode != artifact.mode) {
        refuse(question.name, artifact.path, line_at(artifact.bytes, differs));
        continue;
      }
      std::vector<Spot> spots;
      spots.reserve(places->size());
      for (const auto begin : *places) {
        spots.push_back({.begin = begin,
                         .length = base_.answers.at(question.name).size(),
                         .question = question.name});
      }
      auto& known = spots_of_[{artifact.path, question.name}];
      if (first) {
        known = std::move(spots);
      } else if (known != spots) {
        const auto& longer = known.size() > spots.size() ? known : spots;
        refuse(question.name, artifact.path, line_at(artifact.bytes, longer.back().begin));
      }
    }
  }

  /// All places of answers in a file, in their order.
  [[nodiscard]] std::vector<Spot> spots(const std::string& path) const {
    std::vector<Spot> all;
    for (const auto& question : questions_) {
      const auto found = spots_of_.find({path, question.name});
      if (found != spots_of_.end()) {
        all.insert(all.end(), found->second.begin(), found->second.end());
      }
    }
    std::ranges::sort(all);
    return all;
  }

  void place(std::size_t index, render::Artifacts& out) {
    const auto& artifact = base_.artifacts[index];
    const auto places = spots(artifact.path);
    const bool moves =
        !places.empty() && std::ranges::find(kMovable, artifact.path) != kMovable.end();
    const bool configures = moves || artifact.path.starts_with(kConfig);
    if (!places.empty() && !configures) {
      return refuse(places.front().question, artifact.path,
                    line_at(artifact.bytes, places.front().begin));
    }
    auto filled = artifact;
    std::size_t at = 0;
    filled.bytes.clear();
    for (const auto& spot : places) {
      if (spot.begin < at) {
        return refuse(spot.question, artifact.path, line_at(artifact.bytes, spot.begin));
      }
      filled.bytes.append(artifact.bytes, at, spot.begin - at)
          .append(installer::placeholder_of(spot.question));
      at = spot.begin + spot.length;
    }
    filled.bytes.append(artifact.bytes, at);
    if (!places.empty()) spots_[artifact.path] = filled.bytes;
    // A site takes whatever looks like a placeholder for one.
    if (const auto stray = artifact.bytes.find("${answer:");
        configures && stray != std::string::npos) {
      refuse("", artifact.path, line_at(artifact.bytes, stray));
    }
    if (moves) {
      filled.path =
          std::string(kConfig) + artifact.path.substr(std::string_view("systemd/").size());
      moved_.push_back(filled.path.substr(kConfig.size()));
    }
    out.push_back(std::move(filled));
  }

  /// The question that a port is the answer to, in every trial.
  [[nodiscard]] const Question* asked_for(std::size_t port) const {
    for (const auto& question : questions_) {
      if (question.type != AnswerType::port) continue;
      const auto is_it = [&](const Trial& trial) {
        const auto needs = needs_of(trial);
        return needs && port < needs->ports.size() &&
               std::to_string(needs->ports[port]) == trial.answers.at(question.name);
      };
      if (std::ranges::all_of(trials_, is_it)) return &question;
    }
    return nullptr;
  }

  static std::optional<installer::SiteNeeds> needs_of(const Trial& trial) {
    const auto site =
        std::ranges::find(trial.artifacts, installer::kSiteNeeds, &render::Artifact::path);
    if (site == trial.artifacts.end()) return std::nullopt;
    auto needs = installer::read_site_needs(site->bytes);
    if (!needs) return std::nullopt;
    return *std::move(needs);
  }

  /// What a site is told about itself may depend on answers in its ports alone.
  void write_site(render::Artifact& site) {
    auto needs = needs_of(base_);
    if (!needs) return refuse("", site.path, 1);
    std::vector<const Question*> asked;
    asked.reserve(needs->ports.size());
    for (std::size_t i = 0; i < needs->ports.size(); ++i) asked.push_back(asked_for(i));
    const auto without = [&](installer::SiteNeeds its) {
      std::vector<std::uint16_t> fixed;
      for (std::size_t i = 0; i < its.ports.size(); ++i) {
        if (i >= asked.size() || asked[i] == nullptr) fixed.push_back(its.ports[i]);
      }
      its.ports = std::move(fixed);
      return its;
    };
    auto common = without(*needs);
    const auto text = write_site_needs(common);
    for (const auto& trial : trials_) {
      const auto other = needs_of(trial);
      if (other && write_site_needs(without(*other)) == text) continue;
      const auto question = std::ranges::find_if(questions_, [&](const auto& each) {
        return each.type != AnswerType::secret &&
               trial.answers.at(each.name) != base_.answers.at(each.name);
      });
      return refuse(question == questions_.end() ? "" : question->name, site.path, 0);
    }
    for (const auto* question : asked) {
      if (question != nullptr) common.answered_ports.push_back(question->name);
    }
    for (const auto& path : moved_) {
      common.settings.push_back({.path = path, .mode = 0644, .group = "root"});
    }
    site.bytes = write_site_needs(common);
  }

  void check_together(const render::Artifact& artifact, const Trial& last) {
    if (!misplaced_.empty() || artifact.path == installer::kSiteNeeds) return;
    const auto other = std::ranges::find(last.artifacts, artifact.path, &render::Artifact::path);
    if (other == last.artifacts.end()) return refuse("", artifact.path, 0);
    const auto filled_in = spots_.find(artifact.path);
    const auto text = filled_in == spots_.end()
                          ? installer::Checked<std::string>(artifact.bytes)
                          : installer::filled(artifact.path, filled_in->second, last.answers);
    if (text && *text == other->bytes) return;
    refuse("", artifact.path, 0);
  }

  const std::vector<Question>& questions_;
  const std::vector<Trial>& trials_;
  const Trial& base_;
  std::map<std::pair<std::string, std::string>, std::vector<Spot>>
      spots_of_;                              ///< by path, question
  std::map<std::string, std::string> spots_;  ///< files with placeholders, by path
  std::vector<std::string> moved_;            ///< below systemd/config
  std::vector<Misplaced> misplaced_;
};

}  // namespace

std::vector<Answers> trial_answers(const std::vector<Question>& questions) {
  std::vector<std::vector<std::string>> samples;
  Answers first;
  Answers second;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    samples.push_back(spec::sample_answers(questions[i], i));
    if (samples.back().empty()) continue;
    first[questions[i].name] = samples.back()[0];
    second[questions[i].name] = samples.back()[1];
  }
  std::vector<Answers> trials{first};
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (std::size_t k = 1; k < samples[i].size(); ++k) {
      trials.push_back(first);
      trials.back()[questions[i].name] = samples[i][k];
    }
  }
  trials.push_back(second);
  return trials;
}

tl::expected<render::Artifacts, std::vector<Misplaced>> with_placeholders(
    const std::vector<Question>& questions, const std::vector<Trial>& trials) {
  return Comparison(questions, trials).run();
}

}  // namespace caisson::bundle
