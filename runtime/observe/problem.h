#pragma once

#include <string>
#include <string_view>

#include "api/problems.h"
#include "runtime/observe/faults.h"

namespace caisson::observe {

using api::Code;
using api::code_named;
using api::CodeInfo;
using api::info;

/// Why a request is refused. `detail` is for the client: what is wrong and what to do, never a
/// secret, a path, another tenant's name or an internal message.
struct Problem {
  Code code = Code::internal;
  std::string detail{};
  Faults errors{};
  int retry_after_s =
      0;  ///< of `Retry-After`; 0: the code's own default (1 for 429 and 503, else none)
};

/// The RFC 9457 body of `problem`, bounded however much is wrong and however long its texts are. A
/// problem of code `internal` is told without any detail.
[[nodiscard]] std::string problem_body(const Problem& problem, std::string_view request_id);

/// Seconds for `Retry-After`; 0 when the field is not sent.
[[nodiscard]] int retry_after(const Problem& problem) noexcept;

}  // namespace caisson::observe
