#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "installer/format/journal.h"
#include "installer/format/site.h"
#include "installer/site/premises.h"

namespace caisson::installer {

/// The journal of a site; nothing where none was ever written.
[[nodiscard]] Checked<std::optional<Journal>> load_journal(const Disk& site);

/// Why no other change may begin (`Code::unfinished`). One that is committed and has yet to open
/// the edge holds up nothing, the way back above all.
[[nodiscard]] std::optional<Refusal> fault_of_flight(const Journal& journal);

/// Replaces the journal, durably.
[[nodiscard]] Checked<void> save_journal(Disk& site, const Journal& journal);

/// A release on this host's disk.
struct StagedRelease {
  std::string name;
  Form form = Form::systemd;
  Manifest manifest;
  SiteNeeds needs;
};

/// The names of the releases that are on a site's disk, whole or in part.
[[nodiscard]] Checked<std::vector<std::string>> releases_on(const Disk& site);

/// What a release has for a host, in a form: a directory below /opt/<product>.
[[nodiscard]] std::string tree_path(std::string_view release, Form form);

/// Reads what a release says of itself, and checks that it is the release of that name, for this
/// product, in the form of the premises and made for the directories of this product.
[[nodiscard]] Checked<StagedRelease> load_release(const Premises& premises, std::string_view name);

/// Why a release cannot be installed here in a form, by its MANIFEST alone.
[[nodiscard]] std::optional<Refusal> fault_of_form(const Manifest& manifest, Form form);

/// The form in which a release is to be installed: what somebody asks for, else that of what is
/// here, else the first of systemd and compose that the release has. Another one than is here is
/// `Code::other_form`, one that the release has not `Code::wrong_form`. `kept` may be null.
[[nodiscard]] Checked<Form> choose_form(const Manifest& manifest, std::optional<Form> asked,
                                        const Journal* kept);

}  // namespace caisson::installer
