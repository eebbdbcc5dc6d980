#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/answers.h"
#include "installer/site/store.h"

namespace caisson::installer {

/// What becomes of one question.
struct Reply {
  enum class Kind {
    missing,  ///< nobody has answered yet
    given,    ///< somebody answers now
    kept,     ///< the installed release has the answer
    preset,   ///< the default of the release
  };
  const Question* question = nullptr;
  Kind kind = Kind::missing;
  std::string answer;  ///< of a kept secret, nothing
  std::string fault;   ///< why the kept answer does not count any more
};

/// What was answered to the installed release. Without one, what was answered to the release that
/// was uninstalled here and left its data, if it was.
[[nodiscard]] Checked<Answers> kept_answers(const Disk& site, const StagedRelease* release);

/// What there is for every question of a release, in its order: what is given counts before what is
/// kept, and that before a default. A secret is kept where /opt/<product>/secrets has it. Refused
/// is an answer that is not what the question asks for, one to a question that the release does not
/// ask, and another value for a secret that is kept (`Code::wrong_answer`). `site` is null where
/// there is none yet.
[[nodiscard]] Checked<std::vector<Reply>> replies_to(const Manifest& manifest, const Disk* site,
                                                     const Answers& kept, const Answers& given);

/// Keeps what was answered to a release that is about to be removed, and not its data.
[[nodiscard]] Checked<void> keep_answers(Disk& site, std::string_view release);

/// Refuses replies of which some are missing, and names all of these (`Code::missing_answer`).
[[nodiscard]] Checked<void> check_complete(const std::vector<Reply>& replies);

/// The answers of replies: those that are secret, or all others.
[[nodiscard]] Answers answers_of(const std::vector<Reply>& replies, bool secret);

/// Resolves the ports of a release that are answers. Two that are the same port are refused.
[[nodiscard]] Checked<std::vector<std::uint16_t>> ports_of(const SiteNeeds& needs,
                                                           const Answers& answers);

}  // namespace caisson::installer
