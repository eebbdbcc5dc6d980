#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/context/configuration.h"

namespace caisson::host {

/// What the memory that there is is used for: a quarter for requests and answers, a quarter for
/// open stores, an eighth for connections. The rest is for the program, its index of tenants, the
/// windows of watches, and what a request takes while a worker runs it.
struct MemoryPlan {
  std::int64_t memory = 0;      ///< bytes: of `limits.memory`, else what the process may use
  std::size_t buffered = 0;     ///< bytes of requests not answered and answers not sent
  std::size_t open_stores = 0;  ///< at most; file descriptors may leave fewer
  std::size_t connections = 0;
  std::size_t workers = 0;  ///< threads that run tenants' work
};

/// `available`: bytes that the process may use.
[[nodiscard]] MemoryPlan plan_memory(std::int64_t available, const context::ServerLimits& limits,
                                     bool tls);

}  // namespace caisson::host
