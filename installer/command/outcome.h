#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/command/site_command.h"
#include "installer/site/change.h"
#include "installer/site/preflight.h"

namespace caisson::installer {

/// What became of a change, as the command says it; `done` is the word for one that was done.
[[nodiscard]] Said told(const SiteRequest& request, const std::string& product,
                        const Outcome& outcome, std::string_view done);

/// The table of what is needed and what there is.
[[nodiscard]] Said table_said(const SiteRequest& request, const std::vector<Requirement>& rows);

/// Says what a change would do, a line each.
[[nodiscard]] Said foretold(const SiteRequest& request, const std::vector<std::string>& lines);

/// Says how many files of a medium nothing lists; nothing for none.
[[nodiscard]] std::string unlisted_text(std::uint64_t count);

}  // namespace caisson::installer
