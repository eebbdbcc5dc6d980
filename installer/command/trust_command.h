#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "installer/command/command.h"

namespace caisson::installer {

/// Whose roots are meant: those of a product on this host, or those in a directory.
struct TrustRequest {
  std::string product;
  std::string roots;
  std::vector<std::string> files;       ///< of an update: root.N, signatures beside them
  std::optional<Digest> expected_root;  ///< what somebody was told
  bool json = false;
};

/// Tells which roots were kept, and which keys hold now.
[[nodiscard]] Said show_trust(const TrustRequest& request);

/// Takes roots without a bundle, and keeps each as soon as it has verified.
[[nodiscard]] Said update_trust(const TrustRequest& request);

}  // namespace caisson::installer
