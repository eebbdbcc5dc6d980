#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "generator/render/artifact.h"
#include "installer/format/answers.h"

namespace caisson::bundle {

/// One rendering of a spec that asks, and the answers that it was made with.
struct Trial {
  installer::Answers answers;
  render::Artifacts artifacts;
};

/// The answers to render with, so that `with_placeholders` can tell what depends on which: at first
/// a sample for each question, then all other samples of each question in turn, then a second
/// sample for all of them. Secrets are left out, since no artifact depends on them.
[[nodiscard]] std::vector<installer::Answers> trial_answers(
    const std::vector<installer::Question>& questions);

/// A place that depends on an answer and may not.
struct Misplaced {
  std::string question;  ///< empty: only several answers together show it
  std::string path;
  std::size_t line = 0;  ///< of the file, from 1; 0: the whole file is there for some answers only
};

/// The artifacts with placeholders where the trials show that an answer stands. Only files of
/// systemd/config may have any: README.md, RUNBOOK.md and site.json of `systemd` move there when
/// they depend on answers, systemd/SITE gets `answered-port` lines and says so, and
/// systemd/install.sh, which fills nothing, is left out then. Fails with every place that is not
/// the answer itself, word for word, in whatever is answered, or that lies elsewhere. The trials
/// are those of `trial_answers`, in that order.
[[nodiscard]] tl::expected<render::Artifacts, std::vector<Misplaced>> with_placeholders(
    const std::vector<installer::Question>& questions, const std::vector<Trial>& trials);

}  // namespace caisson::bundle
