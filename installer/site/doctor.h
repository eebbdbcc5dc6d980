#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/site/store.h"

namespace caisson::installer {

/// One thing that was looked at.
struct Finding {
  enum class Level {
    ok,
    note,   ///< worth knowing; nothing has to be done
    fault,  ///< something has to be done
  };
  Level level = Level::ok;
  std::string what;    ///< "unit acme-edge.service"
  std::string is;      ///< what was found; fit for a terminal
  std::string remedy;  ///< of a fault: what to do
};

/// Looks at everything that an install has made, and at the host around it. Reads only. Whatever
/// cannot be read is a finding too; while a change is in flight most of it is not looked at.
[[nodiscard]] std::vector<Finding> examine(const Premises& premises);

/// Findings as lines for a person: "fault  unit acme-edge.service: it is failed", and what to do in
/// the next line.
[[nodiscard]] std::string findings_text(const std::vector<Finding>& findings);

/// "ok", "note" or "fault".
[[nodiscard]] std::string_view to_text(Finding::Level level);

}  // namespace caisson::installer
