#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace caisson::image {

/// The architecture that a Linux program is for, as images name it (GOARCH): "amd64", "arm64". Read
/// from its ELF header. Fails when it is no such program, and when it needs a dynamic linker: an
/// image that starts from nothing has none.
[[nodiscard]] Result<std::string> architecture_of(std::string_view program);

}  // namespace caisson::image
