#pragma once

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Gives up the network for this process and all its children, for good: from then on a socket of
/// any family but AF_UNIX is refused with EACCES, and so is everything by which the kernel would
/// make one in another way (io_uring, other calling conventions). Threads that run already keep
/// theirs, so it is called before there are any.
[[nodiscard]] Checked<void> give_up_network();

}  // namespace caisson::installer
