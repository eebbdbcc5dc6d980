#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/base64url.h"
#include "base/digest.h"
#include "runtime/ingress/jwt.h"

namespace {

using namespace caisson;

constexpr std::string_view secret = "an HMAC secret of more than 32 bytes";
constexpr std::int64_t now_ms = 1'700'000'000'000;

const ingress::KeySet& keys() {
  static const ingress::KeySet set({ingress::VerificationKey::secret(secret).value()});
  return set;
}

context::TokenSettings settings() {
  return {.issuer = "i",
          .audience = "a",
          .key_file = {},
          .jwks_file = {},
          .algorithms = {context::Algorithm::hs256},
          .tenant_claim = "tid",
          .leeway_ms = 0};
}

}  // namespace

/// The first byte chooses: the rest is a token, the claims of a well signed one, or a JWKS
/// document.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  static const context::TokenSettings rules = settings();
  if (*data % 3 == 0) {
    const auto token = ingress::verify_token(text, keys(), rules, now_ms);
    // Whatever is accepted is spelled in the one way that its signer wrote it.
    if (token &&
        text.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != text.npos) {
      std::abort();
    }
  } else if (*data % 3 == 1) {
    const std::string signed_text =
        encode_base64url(R"({"alg":"HS256"})") + "." + encode_base64url(text);
    static const auto sign = [](std::string_view of) {
      return encode_base64url(bytes_of(hmac_sha256(secret, of)));
    };
    const auto token =
        ingress::verify_token(signed_text + "." + sign(signed_text), keys(), rules, now_ms);
    if (token && (token->tenant.empty() || !token->caller || !token->holds_at(now_ms, 0)))
      std::abort();
  } else {
    const auto set =
        ingress::parse_jwks(text, {context::Algorithm::eddsa, context::Algorithm::es256,
                                   context::Algorithm::rs256, context::Algorithm::hs256});
    if (set && (set->keys().empty() || set->keys().size() > 64)) std::abort();
  }
  return 0;
}
