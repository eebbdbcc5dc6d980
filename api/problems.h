#pragma once

#include <cstdint>
#include <string_view>

namespace caisson::api {

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

inline constexpr std::string_view problem_media_type = "application/problem+json";
/// What a problem's `type` begins with; the code's name follows.
inline constexpr std::string_view problem_type_prefix = "urn:caisson:problem:";

}  // namespace caisson::api
