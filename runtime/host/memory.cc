#include "runtime/host/memory.h"

#include <algorithm>

namespace caisson::host {
namespace {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;

/// Page cache, schema and prepared statements of an open store, its log's index included.
constexpr std::int64_t of_store = 512 * kib;
/// Of a connection that waits: our objects and the kernel's; with TLS also OpenSSL's.
constexpr std::int64_t of_connection = 8 * kib;
constexpr std::int64_t of_tls_connection = 48 * kib;
/// A worker that builds a whole page, or checks a body of the default size, takes about a third.
constexpr std::int64_t of_worker = 128 * mib;
/// Of a larger body that a worker has in hand: it, its keys, what the store writes and the answer.
constexpr std::int64_t bodies_of_worker = 16;

constexpr std::int64_t least_buffered = 16 * mib;
constexpr std::int64_t most_buffered = 256 * mib;

}  // namespace

MemoryPlan plan_memory(std::int64_t available, const context::ServerLimits& limits, bool tls) {
  const std::int64_t memory = limits.memory > 0 ? limits.memory : available;
  const std::int64_t buffered =
      limits.buffered > 0 ? limits.buffered : std::clamp(memory / 4, least_buffered, most_buffered);
  const std::int64_t worker = std::max(of_worker, bodies_of_worker * limits.body);
  const std::int64_t connections = memory / 8 / (tls ? of_tls_connection : of_connection);
  return {.memory = memory,
          .buffered = static_cast<std::size_t>(buffered),
          .open_stores = static_cast<std::size_t>(std::max<std::int64_t>(8, memory / 4 / of_store)),
          .connections = static_cast<std::size_t>(
              std::clamp<std::int64_t>(connections, 1, limits.connections)),
          .workers = static_cast<std::size_t>(std::clamp<std::int64_t>(memory / worker, 1, 16))};
}

}  // namespace caisson::host
