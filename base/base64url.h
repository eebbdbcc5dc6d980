#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caisson {

/// The bytes of unpadded base64url (RFC 4648 section 5). Nothing for any spelling but the one that
/// an encoder writes: no padding, no other character, unused bits zero.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

/// The other alphabet (RFC 4648 section 4), with padding. Reading is as strict.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace caisson
