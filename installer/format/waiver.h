#pragma once

#include <string>
#include <string_view>

#include "installer/format/lines.h"

namespace caisson::installer {

/// Says that a release may run though it leaks, where the installed one leaks as well. It counts
/// with the signature of a release key alone.
struct Waiver {
  std::string product;
  std::string release;  ///< as its directory is called (`release_name`)
  std::string reason;   ///< for people
};

/// The most bytes of a waiver.
inline constexpr std::size_t kMostOfWaiver = 4096;

[[nodiscard]] Checked<Waiver> read_waiver(std::string_view text);

/// Writes what `read_waiver` reads, in its one form.
[[nodiscard]] std::string write_waiver(const Waiver& waiver);

}  // namespace caisson::installer
