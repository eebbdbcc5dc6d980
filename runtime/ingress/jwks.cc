#include <boost/json/value.hpp>

#include "base/base64url.h"
#include "runtime/context/secret_file.h"
#include "runtime/context/strict_json.h"
#include "runtime/ingress/keys.h"

namespace caisson::ingress {
namespace {

namespace json = boost::json;
using context::Algorithm;

constexpr std::size_t max_keys = 64;
constexpr std::size_t max_id = 256;

/// The string that member `key` is; empty when it is absent or anything else.
std::string_view text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

/// Decoded bytes of a member; empty when it is no canonical base64url.
std::string octets(const json::object& object, std::string_view key) {
  return decode_base64url(text(object, key)).value_or("");
}

/// The algorithm that a key is for; nothing when it is for none of ours.
std::optional<Algorithm> algorithm_of(const json::object& key) {
  const std::string_view type = text(key, "kty");
  const std::string_view curve = text(key, "crv");
  if (type == "OKP" && curve == "Ed25519") return Algorithm::eddsa;
  if (type == "EC" && curve == "P-256") return Algorithm::es256;
  if (type == "RSA") return Algorithm::rs256;
  if (type == "oct") return Algorithm::hs256;
  return std::nullopt;
}

Result<VerificationKey> make_key(Algorithm algorithm, const json::object& key) {
  switch (algorithm) {
    case Algorithm::eddsa:
      return VerificationKey::ed25519(octets(key, "x"));
    case Algorithm::es256:
      return VerificationKey::p256(octets(key, "x"), octets(key, "y"));
    case Algorithm::rs256:
      return VerificationKey::rsa(octets(key, "n"), octets(key, "e"));
    case Algorithm::hs256:
      return VerificationKey::secret(octets(key, "k"));
  }
  return fail("unknown algorithm");
}

/// Whether RFC 7517 says that this key is not for verifying with `algorithm`.
bool for_something_else(const json::object& key, Algorithm algorithm) {
  const bool other_use = key.contains("use") && text(key, "use") != "sig";
  const bool other_algorithm = key.contains("alg") && text(key, "alg") != name(algorithm) &&
                               !(algorithm == Algorithm::eddsa && text(key, "alg") == "Ed25519");
  return other_use || other_algorithm;
}

}  // namespace

Result<KeySet> parse_jwks(std::string_view document, const std::set<Algorithm>& allowed) {
  const auto parsed = context::parse_strict(document);
  if (!parsed) return fail("the key set is " + parsed.error().what);
  const json::value* list =
      parsed->is_object() ? parsed->get_object().if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array()) return fail("the key set has no list 'keys'");
  if (list->get_array().size() > max_keys) return fail("the key set has more than 64 keys");
  std::vector<VerificationKey> keys;
  for (const json::value& item : list->get_array()) {
    const std::string where =
        "key " + std::to_string(&item - list->get_array().data()) + " of the key set: ";
    if (!item.is_object()) return fail(where + "must be an object");
    const json::object& object = item.get_object();
    const auto algorithm = algorithm_of(object);
    if (!algorithm || !allowed.contains(*algorithm) || for_something_else(object, *algorithm))
      continue;
    if (object.contains("d"))
      return fail(where + "is a private key; give the runtime the public part alone");
    auto key = make_key(*algorithm, object);
    if (!key) return fail(where + key.error().what);
    if (text(object, "kid").size() > max_id) return fail(where + "'kid' is longer than 256 bytes");
    key->set_id(std::string(text(object, "kid")));
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return fail("the key set has no key of an allowed algorithm");
  return KeySet(std::move(keys));
}

Result<KeySet> load_keys(const context::TokenSettings& settings) {
  const bool secret = settings.algorithms.contains(Algorithm::hs256);
  const std::filesystem::path& file =
      settings.key_file.empty() ? settings.jwks_file : settings.key_file;
  const auto content = secret ? context::read_secret_file(file) : context::read_small_file(file);
  if (!content) return tl::unexpected(content.error());
  const auto about = [&](const Failure& failure) {
    return fail(file.string() + ": " + failure.what, failure.remedy);
  };
  if (settings.key_file.empty()) {
    auto keys = parse_jwks(*content, settings.algorithms);
    if (!keys) return about(keys.error());
    return keys;
  }
  auto key = secret ? VerificationKey::secret(*content) : VerificationKey::from_pem(*content);
  if (!key) return about(key.error());
  if (!settings.algorithms.contains(key->algorithm())) {
    return fail(file.string() + ": the key is for " + std::string(name(key->algorithm())) +
                    ", which 'algorithms' does not list",
                "list it, or give a key of a listed algorithm");
  }
  return KeySet({std::move(*key)});
}

}  // namespace caisson::ingress
