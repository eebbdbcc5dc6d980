#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/command/site_command.h"

namespace caisson::installer {

/// Gathers what tells a vendor of the state of a product into one text, `request.out`; a dry run
/// prints it. Nothing is written where a secret of this site would be in it.
[[nodiscard]] Said diagnose_site(const SiteRequest& request);

/// Adds the exhibits that a list names ("log,host") to `names`. Says what is wrong with it; "" when
/// nothing is.
[[nodiscard]] std::string read_exhibits(std::string_view list, std::vector<std::string>& names);

}  // namespace caisson::installer
