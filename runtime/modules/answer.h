#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runtime/modules/records.h"

namespace caisson::modules {

[[nodiscard]] inline RecordsAnswer problem(std::string_view code, std::string detail,
                                           observe::Faults faults = {}) {
  return {.problem = std::string(code), .detail = std::move(detail), .faults = std::move(faults)};
}

/// One answer for every id that cannot be had, whether it never existed, was deleted or is another
/// tenant's: nobody learns which.
[[nodiscard]] inline RecordsAnswer no_such_record() {
  return problem("not-found", "there is no such record");
}

[[nodiscard]] inline RecordsAnswer no_more_versions() {
  return problem("conflict",
                 "the record's version cannot grow any more; delete it and create another");
}

}  // namespace caisson::modules
