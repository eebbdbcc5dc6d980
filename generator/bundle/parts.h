#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caisson::bundle {

/// A package of somebody else that is linked into a program or lies in an image.
struct Part {
  std::string name;
  std::string version;
  std::string purl;     ///< package URL
  std::string licence;  ///< names as the package gives them; may be empty
  std::string text;     ///< its copyright file; may be empty

  friend auto operator<=>(const Part&, const Part&) = default;
};

/// The section of a program that names its parts: gzip of JSON, a list of objects with the members
/// of `Part`. scripts/program-parts writes it.
inline constexpr std::string_view kPartsSection = ".caisson.parts";

/// The parts of a program that was built with such a section; none of any other.
[[nodiscard]] Result<std::vector<Part>> parts_of(std::string_view program);

/// The packages that a dpkg status file names, of the distribution that os-release describes.
[[nodiscard]] std::vector<Part> dpkg_parts(std::string_view status, std::string_view os_release);

/// The same of apk's list of installed packages.
[[nodiscard]] std::vector<Part> apk_parts(std::string_view installed, std::string_view os_release);

}  // namespace caisson::bundle
