#pragma once

#include <string>
#include <string_view>

namespace caisson::conformance {

/// A value planted in one sink of one tenant (row, file, secret, header, job, log, label, backup).
/// Whoever else is shown it has seen through a wall. Secrets of the stack serve as canaries too:
/// then `text` is the secret itself.
struct Canary {
  std::string tenant{};
  std::string sink{};
  std::string text{};  ///< "CAISSON-<run>-<tenant>-<sink>-<nonce>"
  std::string
      needle;  ///< what the scanner looks for: the nonce alone, so that a cut prefix hides nothing
};

/// A fresh canary with 128 random bits in lower-case hex.
[[nodiscard]] Canary make_canary(std::string_view run, std::string_view tenant,
                                 std::string_view sink);

/// A secret that must not be seen by other tenants; `secret` must have at least 16 bytes.
[[nodiscard]] Canary secret_canary(std::string_view tenant, std::string_view sink,
                                   std::string_view secret);

}  // namespace caisson::conformance
