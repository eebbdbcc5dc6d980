#pragma once

#include <string>
#include <string_view>

#include "runtime/http/message.h"

namespace caisson::http {

/// Compares what our parser understood with what Boost.Beast makes of the same bytes. Empty when
/// both agree on method, target, fields and body; else the difference. For tests and fuzzing only.
[[nodiscard]] std::string difference_to_beast(std::string_view bytes, const Request& request);

}  // namespace caisson::http
