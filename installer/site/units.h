#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/manifest.h"
#include "installer/site/premises.h"

namespace caisson::installer {

/// The unit that finishes or undoes an interrupted change before any unit of the product starts.
[[nodiscard]] std::string recover_unit(std::string_view product);

/// The units of a release; none for "".
[[nodiscard]] Checked<std::vector<std::string>> units_of(const Premises& premises,
                                                         std::string_view release);

/// Brings the links, the unit files and the files about accounts, directories and logs to what a
/// release wants, from whatever state, and makes systemd read them; `release` is "" for none. Unit
/// files that another release on this disk brought are removed.
[[nodiscard]] Checked<void> apply_release(const Premises& premises, std::string_view release);

/// All that a release wants below /etc, text by path; nothing for "".
[[nodiscard]] Checked<std::map<std::string, std::string>> files_below_etc(const Premises& premises,
                                                                          std::string_view release);

/// The units that a manifest names, in a form.
[[nodiscard]] std::vector<std::string> units_in(const Manifest& manifest, Form form);

}  // namespace caisson::installer
