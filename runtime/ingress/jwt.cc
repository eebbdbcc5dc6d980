#include "runtime/ingress/jwt.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/json/value.hpp>

#include "base/base64url.h"
#include "runtime/context/strict_json.h"
#include "runtime/observe/walls.h"

namespace caisson::ingress {
namespace {

namespace json = boost::json;
using context::Algorithm;
template <class T>
using Verified = tl::expected<T, std::string_view>;

tl::unexpected<std::string_view> refuse(std::string_view reason) { return tl::unexpected(reason); }

/// The JSON object that a part of a token encodes.
Verified<json::object> decode_object(std::string_view part) {
  const auto text = decode_base64url(part);
  if (!text) return refuse("a part is no canonical base64url");
  auto value = context::parse_strict(*text);
  if (!value || !value->is_object()) return refuse("a part is no JSON object with unique keys");
  return std::move(value->get_object());
}

/// The string that member `key` is; null when it is absent or anything else.
const json::string* text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_string();
}

/// A NumericDate (RFC 7519 section 2) in milliseconds.
std::optional<std::int64_t> numeric_date(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  json::error_code error;
  const double seconds = value.is_double() ? value.get_double() : value.to_number<double>(error);
  constexpr double most = 1e11;  // about the year 5000
  if (!(std::abs(seconds) <= most)) return std::nullopt;
  return static_cast<std::int64_t>(std::floor(seconds * 1000));
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// What the header says, after everything in it that could lead astray was refused.
struct Header {
  std::string algorithm;
  std::optional<std::string> key_id;
};

Verified<Header> read_header(const json::object& object) {
  for (const std::string_view foreign : {"crit", "jwk", "jku", "x5c", "x5u", "zip"}) {
    if (object.contains(foreign))
      return refuse("the header brings a key or an extension of its own");
  }
  const json::string* algorithm = text(object, "alg");
  if (algorithm == nullptr) return refuse("the header names no algorithm");
  if (object.contains("typ")) {
    const json::string* type = text(object, "typ");
    if (type == nullptr ||
        !(same_ignoring_case(*type, "JWT") || same_ignoring_case(*type, "at+jwt"))) {
      return refuse("the header names another type of token");
    }
  }
  Header header{.algorithm = std::string(*algorithm), .key_id = std::nullopt};
  if (object.contains("kid")) {
    const json::string* id = text(object, "kid");
    if (id == nullptr || id->size() > 256) return refuse("the key id is unusable");
    header.key_id = std::string(*id);
  }
  return header;
}

bool signed_by_us(const Header& header, std::string_view signed_text, std::string_view signature,
                  const KeySet& keys, const std::set<Algorithm>& allowed) {
  if (is_down(Wall::accept_alg_none) && same_ignoring_case(header.algorithm, "none")) return true;
  if (is_down(Wall::hmac_with_public_key) && header.algorithm == "HS256") {
    return std::ranges::any_of(keys.keys(), [&](const VerificationKey& key) {
      return verify_hmac(key.pem(), signed_text, signature);
    });
  }
  const auto algorithm = context::algorithm_named(header.algorithm);
  if (!algorithm || !allowed.contains(*algorithm)) return false;
  const VerificationKey* key = keys.find(*algorithm, header.key_id);
  return key != nullptr && key->verify(signed_text, signature);
}

bool meant_for(const json::object& claims, std::string_view audience) {
  const json::value* value = claims.if_contains("aud");
  if (value == nullptr) return false;
  if (const json::string* one = value->if_string()) return std::string_view(*one) == audience;
  const json::array* several = value->if_array();
  return several != nullptr &&
         std::ranges::all_of(*several, [](const json::value& v) { return v.is_string(); }) &&
         std::ranges::any_of(*several, [&](const json::value& v) {
           return std::string_view(v.get_string()) == audience;
         });
}

std::vector<std::string> split_scopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    if (blank > 0) scopes.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return scopes;
}

Verified<Token> read_claims(const json::object& claims, const context::TokenSettings& settings) {
  const json::string* issuer = text(claims, "iss");
  if (issuer == nullptr || std::string_view(*issuer) != settings.issuer)
    return refuse("another issuer");
  if (!meant_for(claims, settings.audience)) return refuse("another audience");

  Token token;
  const auto time = [&](std::string_view key) -> Verified<std::optional<std::int64_t>> {
    const json::value* value = claims.if_contains(key);
    if (value == nullptr) return std::nullopt;
    const auto date = numeric_date(*value);
    if (!date) return refuse("a time is unusable");
    return date;
  };
  const auto expires = time("exp");
  const auto begins = time("nbf");
  const auto issued = time("iat");
  if (!expires || !begins || !issued) return refuse("a time is unusable");
  if (!*expires) return refuse("it never expires");
  token.expires_ms = **expires;
  token.issued_ms = *issued;
  token.begins_ms = std::max(begins->value_or(0), issued->value_or(0));

  const json::string* tenant = text(claims, settings.tenant_claim);
  if (tenant == nullptr || tenant->empty()) return refuse("it names no tenant");
  token.tenant = std::string(*tenant);

  context::Caller caller{
      .credential = context::Credential::token, .subject = {}, .scopes = {"read", "write"}};
  if (const json::string* subject = text(claims, "sub")) caller.subject = std::string(*subject);
  if (claims.contains("scope")) {
    const json::string* scope = text(claims, "scope");
    if (scope == nullptr) return refuse("the scope is unusable");
    caller.scopes = split_scopes(*scope);
  }
  caller.expires_ms = token.expires_ms + settings.leeway_ms;
  token.caller = std::make_shared<const context::Caller>(std::move(caller));
  return token;
}

}  // namespace

Verified<Token> verify_token(std::string_view token, const KeySet& keys,
                             const context::TokenSettings& settings, std::int64_t now_ms) {
  if (token.size() > max_token_bytes) return refuse("it is too long");
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    return refuse("it has not three parts");
  }
  const auto header_object = decode_object(token.substr(0, first));
  if (!header_object) return refuse(header_object.error());
  const auto header = read_header(*header_object);
  if (!header) return refuse(header.error());
  const auto signature = decode_base64url(token.substr(second + 1));
  if (!signature) return refuse("a part is no canonical base64url");

  // Claims are not looked at before the signature is known to be good.
  if (!signed_by_us(*header, token.substr(0, second), *signature, keys, settings.algorithms)) {
    return refuse("the signature is not of an accepted key");
  }
  const auto claims = decode_object(token.substr(first + 1, second - first - 1));
  if (!claims) return refuse(claims.error());
  auto read = read_claims(*claims, settings);
  if (read && !read->holds_at(now_ms, settings.leeway_ms))
    return refuse("it has expired or does not hold yet");
  return read;
}

}  // namespace caisson::ingress
