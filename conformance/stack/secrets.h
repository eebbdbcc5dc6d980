#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/stack/description.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

/// The key that a stack verifies tokens with.
struct TokenKey {
  std::string secret{};     ///< name of the secret that holds it; empty without tokens
  std::string algorithm{};  ///< "EdDSA", "ES256", "RS256", "HS256"
  bool in_set = false;      ///< as a JSON Web Key Set (RFC 7517), else as PEM
};

/// What the plan says of it; of several algorithms the first.
[[nodiscard]] TokenKey token_key_of(const plan::Plan& plan);

/// What a stack's secrets are made from.
struct SecretSources {
  std::filesystem::path spec_directory{};  ///< `file` references are relative to it
  TokenKey token_key{};
};

struct SecretValues {
  std::map<std::string, std::string> values{};  ///< by secret name
  std::string signing_key{};  ///< private PEM, or the shared secret of HS256; empty without tokens
  /// A line about each value of a file or variable that is not there: a random one stands in for
  /// it.
  std::vector<std::string> stand_ins{};
};

/// Values for every secret: random ones for `generate` and for sources that this machine has no
/// access to, the real ones for `file` and `env` where they are there. The key that verifies tokens
/// is always made here: the harness must own its private half, and a disposable stack has no
/// business trusting the product's identity provider.
[[nodiscard]] Result<SecretValues> make_secrets(const StackDescription& stack,
                                                const SecretSources& sources);

}  // namespace caisson::conformance
