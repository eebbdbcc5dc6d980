#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/stack/local.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

/// One wall that `prove` takes down, and who must notice.
struct Sabotage {
  std::string_view name;    ///< as CAISSON_SABOTAGE names it, or of the local stack
  std::string_view probes;  ///< filter: each of them must report LEAK
  std::string_view reason;  ///< must be in the probe's reason: caught for the right reason
  /// Changes how the stack is started; null: the runtime's own wall of that name.
  void (*weaken)(LocalOptions&) = nullptr;
  /// Changes what is started; null: the generated files as they are. Returns false when it found
  /// nothing to change.
  bool (*rewrite)(LocalTree&) = nullptr;
  bool needs_root = false;
  bool needs_two_runtimes = false;  ///< the wall stands between two of them
};

[[nodiscard]] const std::vector<Sabotage>& sabotages();

/// Adds a service that serves the files of its working directory at a port of the loopback
/// interface, where the edge's program is Caddy: a wall about services needs one.
void add_service(LocalTree& tree, std::uint16_t port);

}  // namespace caisson::conformance
