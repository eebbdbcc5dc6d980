#pragma once

#include <memory>

#include "installer/host/host.h"

namespace caisson::installer {

/// This host. Its own commands are found below /usr/bin and /bin alone, and get no environment
/// but a fixed one; nothing of what runs here can ask for a password or show pages.
[[nodiscard]] std::unique_ptr<Host> system_host();

}  // namespace caisson::installer
