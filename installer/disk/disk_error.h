#pragma once

#include <string>
#include <string_view>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// `cannot <doing> <shown>: <the system's words>`, with the code of the error number: want of
/// space, something in the way, or `otherwise`. Want of memory or descriptors is a std::bad_alloc.
[[nodiscard]] tl::unexpected<Refusal> disk_error(std::string_view doing, const std::string& shown,
                                                 int error, Code otherwise);

}  // namespace caisson::installer
