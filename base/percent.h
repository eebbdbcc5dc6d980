#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caisson {

/// Percent-encoding (RFC 3986, section 2.1) of everything but unreserved characters and those in
/// `kept`, with upper-case digits.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view kept = {});

/// The bytes that `text` stands for; nothing where a '%' has not two hexadecimal digits behind it.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace caisson
