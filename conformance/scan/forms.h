#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caisson::conformance {

/// One way in which a text may appear in bytes.
struct Form {
  std::string_view name;  ///< "raw", "base64", "hex", "percent", "utf-16"
  std::string bytes;
};

/// Every form in which `text` is searched for, without duplicates: raw (and with its case turned),
/// base64 at the three alignments in both alphabets (only the characters that do not depend on the
/// neighbours), hex and full percent-encoding in both cases, UTF-16 in both byte orders.
/// Compression is the scanner's business.
[[nodiscard]] std::vector<Form> forms_of(std::string_view text);

}  // namespace caisson::conformance
