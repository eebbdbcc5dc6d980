#pragma once

#include "conformance/stack/process.h"

namespace caisson::conformance {

/// Turns the calling child (between fork and exec) into what `what` describes: session,
/// descriptors, mounts, limits, user, capabilities. Null on success, else the step that failed,
/// with errno. Called where only this thread goes on, so it keeps to system calls and small
/// allocations.
[[nodiscard]] const char* confine(const Launch& what, int log);

}  // namespace caisson::conformance
