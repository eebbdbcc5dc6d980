#pragma once

#include "installer/command/site_command.h"

namespace caisson::installer {

/// Looks at everything that an install has made, and at the host around it; each fault with what to
/// do. Reads only.
[[nodiscard]] Said examine_site(const SiteRequest& request);

}  // namespace caisson::installer
