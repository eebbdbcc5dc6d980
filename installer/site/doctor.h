#pragma once

#include <string>
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

}  // namespace caisson::installer
