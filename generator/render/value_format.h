#pragma once

#include <string_view>

namespace caisson::render {

/// How a text is written that a reader makes something else of: what the word `format` of our
/// schemas names (JSON Schema, validation vocabulary, section 7).
struct ValueFormat {
  std::string_view name;    ///< "duration"
  std::string_view fault;   ///< "is no time"
  std::string_view remedy;  ///< "write 30s, 500ms or 1m30s"
  bool (*fits)(std::string_view text);
};

/// The format `name`; null when there is none.
[[nodiscard]] const ValueFormat* value_format(std::string_view name);

/// Whether `text` is an address of IPv4 or IPv6, or a network: one with a prefix, as 10.0.0.0/8.
[[nodiscard]] bool is_network(std::string_view text);

/// Whether all of `text` is what the regular expression `form` describes (ECMA 262). A text above
/// 1,024 bytes is not: nothing that is held to a form is longer, and the engine recurses.
[[nodiscard]] bool matches_all(std::string_view text, std::string_view form,
                               bool ignore_case = false);

/// Whether `text` is a domain name as `caisson-runtime` takes it: RFC 1123, in lower case.
[[nodiscard]] bool is_domain_name(std::string_view text);

}  // namespace caisson::render
