#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "installer/format/answers.h"
#include "installer/site/store.h"

namespace caisson::installer {

/// The configuration of a release as this site has it, by path. `from` is the installed release, or
/// null: what somebody has changed there since is kept where the new release has what the old one
/// had; where both have changed a file it is refused with the difference (`Code::edited_twice`).
/// Files that somebody has added are kept. What the site answers to each release stands in the
/// place of its placeholders, so that another answer counts as a change of the release.
[[nodiscard]] Checked<std::map<std::string, std::string>> settings_of(const Disk& site,
                                                                      const StagedRelease* from,
                                                                      const StagedRelease& to,
                                                                      const Answers& answers);

/// A file of the configuration as the release brings it to a site that answers so; nothing when the
/// release does not have it.
[[nodiscard]] Checked<std::optional<std::string>> pristine(const Disk& site,
                                                           const StagedRelease& release,
                                                           const std::string& path,
                                                           const Answers& answers);

/// Writes the configuration of a release to `etc` in its directory, with owners and modes; what is
/// there already is replaced.
[[nodiscard]] Checked<void> write_settings(const Premises& premises, const StagedRelease* from,
                                           const StagedRelease& to, const Answers& answers);

/// What the site answers, as far as secrets go.
struct SecretAnswers {
  const Answers& secrets;  ///< those that are secrets
  const Answers& others;   ///< on which it depends which secrets are needed
};

/// Makes the secrets of a release that are not there yet: it generates them, or takes them from
/// the answers or from what somebody hands over. All that are missing are named at once, before any
/// is made.
[[nodiscard]] Checked<void> make_secrets(const Premises& premises, const SiteNeeds& needs,
                                         const SecretAnswers& answers);

/// The lines that two texts differ in, "- " before those of the first and "+ " before those of the
/// second; at most 40 of them.
[[nodiscard]] std::string difference(std::string_view first, std::string_view second);

}  // namespace caisson::installer
