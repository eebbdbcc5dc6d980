#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::observe {

/// Every reason the runtime refuses a request for; docs/runtime.md, "Errors". The spelling with `-`
/// instead of `_` is the last part of the problem's type.
enum class Code : std::uint8_t {
  malformed_request,
  invalid_json,
  invalid_parameter,
  ambiguous_tenant,
  unknown_host,
  unauthenticated,
  invalid_credential,
  tenant_mismatch,
  tenant_suspended,
  tenant_deleted,
  insufficient_scope,
  foreign_origin,
  not_found,
  unknown_tenant,
  method_not_allowed,
  not_acceptable,
  request_timeout,
  conflict,
  foreign_snapshot,
  length_required,
  precondition_failed,
  body_too_large,
  target_too_long,
  unsupported_media_type,
  expectation_failed,
  invalid_record,
  idempotency_mismatch,
  upgrade_required,
  rate_limited,
  too_many_concurrent,
  too_many_sockets,
  header_too_large,
  internal,
  not_implemented,
  tenant_unavailable,
  overloaded,
  draining,
  deadline_exceeded,
  http_version,
  storage_full,
};

struct CodeInfo {
  std::string_view name;   ///< `tenant-mismatch`
  int status;              ///< of the response
  std::string_view title;  ///< the same for every occurrence
};

[[nodiscard]] const CodeInfo& info(Code code) noexcept;

/// The code of that name (`tenant-mismatch`); `internal` for any other text.
[[nodiscard]] Code code_named(std::string_view name) noexcept;

/// One thing that is wrong with a request; `pointer` is a JSON pointer into its body.
struct Fault {
  std::string pointer;
  std::string detail;
};

/// Why a request is refused. `detail` is for the client: what is wrong and what to do, never a
/// secret, a path, another tenant's name or an internal message.
struct Problem {
  Code code = Code::internal;
  std::string detail{};
  std::vector<Fault> errors{};
  int retry_after_s =
      0;  ///< of `Retry-After`; 0: the code's own default (1 for 429 and 503, else none)
};

inline constexpr std::string_view problem_type = "application/problem+json";

/// The RFC 9457 body of `problem`. A problem of code `internal` is told without any detail.
[[nodiscard]] std::string problem_body(const Problem& problem, std::string_view request_id);

/// Seconds for `Retry-After`; 0 when the field is not sent.
[[nodiscard]] int retry_after(const Problem& problem) noexcept;

}  // namespace caisson::observe
