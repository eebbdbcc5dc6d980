#pragma once

#include <span>
#include <string_view>

namespace caisson::source {

/// A diagnostic's stable code, what it is called and what to do about it (`caisson explain E0204`).
struct Code {
  std::string_view code;
  std::string_view title;
  std::string_view explanation;  ///< a paragraph: why it is refused and how to mend it
};

/// Every code, sorted. E00xx documents, E01xx keys and values, E02xx checks across fields, E03xx
/// environments, patches, waivers and what cannot be generated; W0xxx warnings; `--strict` turns
/// those about unpinned images and about what nothing does into errors.
[[nodiscard]] std::span<const Code> codes();

/// The code's entry, or null.
[[nodiscard]] const Code* find_code(std::string_view code);

}  // namespace caisson::source
