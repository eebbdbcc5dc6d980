#pragma once

#include <memory>
#include <optional>
#include <string>

#include "installer/media/medium.h"

namespace caisson::installer {

/// A transport as a medium: reads and checks all of its headers. `bound_to` is what parts say.
[[nodiscard]] Checked<std::unique_ptr<Medium>> open_transport(std::unique_ptr<Source> archive,
                                                              std::optional<Digest> bound_to);

}  // namespace caisson::installer
