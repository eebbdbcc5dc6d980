#pragma once

#include <functional>
#include <optional>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Gives up the network for this process and all its children, for good: from then on a socket of
/// any family but AF_UNIX is refused with EACCES, and so is everything by which the kernel would
/// make one in another way (io_uring, other calling conventions). Threads that run already keep
/// theirs, so it is called before there are any.
[[nodiscard]] Checked<void> give_up_network();

/// What `run` returns, from 0 to 254, in a process of its own that has given up the network;
/// nothing when there is no such process, or it does not come to its end.
[[nodiscard]] std::optional<int> run_without_network(const std::function<int()>& run);

}  // namespace caisson::installer
