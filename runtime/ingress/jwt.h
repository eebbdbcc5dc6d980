#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "runtime/context/request_context.h"
#include "runtime/ingress/keys.h"

namespace caisson::ingress {

/// A token whose signature and claims were verified.
struct Token {
  std::shared_ptr<const context::Caller> caller;
  std::string tenant;           ///< slug or id, as the tenant claim says
  std::int64_t expires_ms = 0;  ///< Unix time
  std::int64_t begins_ms = 0;   ///< later of `nbf` and `iat`
  std::optional<std::int64_t> issued_ms;

  [[nodiscard]] bool holds_at(std::int64_t now_ms, std::int64_t leeway_ms) const {
    return now_ms < expires_ms + leeway_ms && now_ms >= begins_ms - leeway_ms;
  }
};

/// Longest token that is looked at.
inline constexpr std::size_t max_token_bytes = 8192;

/// Verifies a JWT in compact serialisation (RFC 7519, 7515, 8725). The key decides about the
/// algorithm and the header only names a key: `alg` must be the key's, `kid` is a look-up key, and
/// headers that bring keys or extensions of their own (`jwk`, `jku`, `x5c`, `x5u`, `crit`, `zip`)
/// are refused. Base64url must be canonical, JSON keys unique. `exp` and the tenant claim are
/// required, `iss` and `aud` must be the configured ones, `nbf` and `iat` must have passed. `scope`
/// is a list separated by blanks; a token without it may read and write. The error is the reason
/// for the log; a caller is never told more than that the credential is invalid.
[[nodiscard]] tl::expected<Token, std::string_view> verify_token(
    std::string_view token, const KeySet& keys, const context::TokenSettings& settings,
    std::int64_t now_ms);

}  // namespace caisson::ingress
