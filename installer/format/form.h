#pragma once

#include <optional>
#include <string_view>

namespace caisson::installer {

/// How a release runs on a host.
enum class Form {
  systemd,  ///< programs as units
  compose,  ///< containers of Docker, which units start and stop
  helm,     ///< a chart in a cluster
};

/// "compose": as MANIFEST and the journal write it, and what the release has below its tree.
[[nodiscard]] std::string_view to_text(Form form);

/// The form of that word.
[[nodiscard]] std::optional<Form> form_of(std::string_view word);

}  // namespace caisson::installer
