#include "conformance/stack/secrets.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "base/base64url.h"
#include "base/files.h"
#include "base/random.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {
namespace {

constexpr std::size_t largest_secret = std::size_t{1} << 20U;

Algorithm algorithm_of(const std::string& name) {
  if (name == name_of(Algorithm::es256)) return Algorithm::es256;
  if (name == name_of(Algorithm::rs256)) return Algorithm::rs256;
  return Algorithm::ed_dsa;
}

Result<std::string> value_of(const StackDescription::Secret& secret,
                             const std::filesystem::path& directory,
                             std::vector<std::string>& stand_ins) {
  if (secret.source == "file") {
    const auto path = directory / secret.reference;
    if (std::filesystem::exists(path)) return read_file(path, largest_secret, Links::follow);
    stand_ins.push_back("the secret " + secret.name + " is a random one: there is no file " +
                        path.lexically_normal().string());
  } else if (secret.source == "env") {
    if (const char* value = std::getenv(secret.reference.c_str())) return std::string(value);
    stand_ins.push_back("the secret " + secret.name + " is a random one: " + secret.reference +
                        " is not set");
  }
  return encode_base64url(random_bytes(secret.bytes == 0 ? 32 : secret.bytes));
}

}  // namespace

TokenKey token_key_of(const plan::Plan& plan) {
  if (!plan.auth.tokens) return {};
  return {.secret = plan.auth.key_secret,
          .algorithm = plan.auth.algorithms.empty() ? "EdDSA" : plan.auth.algorithms.front(),
          .in_set = !plan.auth.jwks.empty()};
}

Result<SecretValues> make_secrets(const StackDescription& stack, const SecretSources& sources) {
  SecretValues made;
  for (const auto& secret : stack.secrets) {
    if (secret.name == sources.token_key.secret) {
      if (sources.token_key.algorithm == "HS256") {
        made.signing_key = encode_base64url(random_bytes(48));
        made.values[secret.name] = made.signing_key;
        continue;
      }
      const auto key = SigningKey::generate(algorithm_of(sources.token_key.algorithm));
      if (!key) return tl::unexpected(key.error());
      made.signing_key = key->private_pem();
      made.values[secret.name] =
          sources.token_key.in_set ? R"({"keys":[)" + key->jwk() + "]}" : key->public_pem();
      continue;
    }
    auto value = value_of(secret, sources.spec_directory, made.stand_ins);
    if (!value) return tl::unexpected(value.error());
    made.values[secret.name] = std::move(*value);
  }
  return made;
}

}  // namespace caisson::conformance
