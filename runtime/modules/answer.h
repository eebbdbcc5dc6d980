#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/modules/records.h"

namespace caisson::modules {

[[nodiscard]] inline RecordsAnswer problem(std::string_view code, std::string detail,
                                           std::vector<Defect> defects = {}) {
  return {.problem = std::string(code), .detail = std::move(detail), .defects = std::move(defects)};
}

/// One answer for every id that cannot be had, whether it never existed, was deleted or is another
/// tenant's: nobody learns which.
[[nodiscard]] inline RecordsAnswer no_such_record() {
  return problem("not-found", "there is no such record");
}

}  // namespace caisson::modules
