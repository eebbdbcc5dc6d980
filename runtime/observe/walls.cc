#include "runtime/observe/walls.h"

#ifdef CAISSON_SABOTAGE

#include <array>
#include <cstdlib>
#include <string_view>

namespace caisson {
namespace {

constexpr std::array<std::string_view, 21> names{
    "trust-tenant-header",
    "last-header-wins",
    "unknown-is-default",
    "accept-alg-none",
    "hmac-with-public-key",
    "skip-tenant-claim",
    "cache-by-raw-key",
    "drop-scope",
    "no-path-check",
    "operator-everywhere",
    "stack-traces",
    "public-tenant-labels",
    "one-limiter",
    "suspend-at-login",
    "keep-volume",
    "foreign-restore",
    "id-oracle",
    "one-feed",
    "sockets-outlive",
    "any-origin",
    "endless-sockets",
};

/// Index of the wall that is down; -1 when every wall stands.
int chosen() noexcept {
  const char* name = std::getenv("CAISSON_SABOTAGE");
  if (name == nullptr) return -1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  std::abort();  // a sabotage that takes no effect would prove nothing
}

}  // namespace

bool is_down(Wall wall) noexcept {
  static const int down = chosen();
  return down == static_cast<int>(wall);
}

}  // namespace caisson

#endif
