#include "runtime/ingress/api_key.h"

#include "base/base64url.h"
#include "base/digest.h"

namespace caisson::ingress {
namespace {

constexpr std::size_t id_chars = 22;
constexpr std::size_t secret_chars = 43;

}  // namespace

std::optional<std::string_view> api_key_id(std::string_view text) {
  if (!text.starts_with(api_key_prefix)) return std::nullopt;
  text.remove_prefix(api_key_prefix.size());
  if (text.size() != id_chars + 1 + secret_chars || text[id_chars] != '_') return std::nullopt;
  const std::string_view id = text.substr(0, id_chars);
  if (!decode_base64url(id) || !decode_base64url(text.substr(id_chars + 1))) return std::nullopt;
  return id;
}

bool matches(const tenancy::ApiKeyPtr& key, std::string_view text) {
  const Digest digest = sha256(text);
  const Digest kept = key ? key->hash : Digest{};
  const auto view = [](const Digest& d) {
    return std::string_view(reinterpret_cast<const char*>(d.data()), d.size());
  };
  return equal_constant_time(view(digest), view(kept)) && key != nullptr;
}

}  // namespace caisson::ingress
