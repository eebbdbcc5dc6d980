#include "api/problems.h"

#include <array>

namespace caisson::api {
namespace {

constexpr std::size_t codes = static_cast<std::size_t>(Code::storage_full) + 1;

constexpr std::array<CodeInfo, codes> table{{
    {"malformed-request", 400, "The request is malformed"},
    {"invalid-json", 400, "The body is not valid JSON"},
    {"invalid-parameter", 400, "A parameter is invalid"},
    {"ambiguous-tenant", 400, "The tenant is ambiguous"},
    {"unknown-host", 400, "The host is unknown"},
    {"unauthenticated", 401, "A credential is required"},
    {"invalid-credential", 401, "The credential is invalid"},
    {"tenant-mismatch", 403, "The request names different tenants"},
    {"tenant-suspended", 403, "The tenant is suspended"},
    {"tenant-deleted", 403, "The tenant is deleted"},
    {"insufficient-scope", 403, "The credential's scopes do not allow this"},
    {"foreign-origin", 403, "The page's origin is not the tenant's"},
    {"not-found", 404, "Not found"},
    {"unknown-tenant", 404, "The tenant is unknown"},
    {"method-not-allowed", 405, "The method is not allowed here"},
    {"not-acceptable", 406, "No acceptable representation"},
    {"request-timeout", 408, "The request did not arrive in time"},
    {"conflict", 409, "The request conflicts with what is stored"},
    {"foreign-snapshot", 409, "The snapshot belongs to another tenant"},
    {"length-required", 411, "A length is required"},
    {"precondition-failed", 412, "The precondition failed"},
    {"body-too-large", 413, "The body is too large"},
    {"target-too-long", 414, "The request target is too long"},
    {"unsupported-media-type", 415, "The media type is not supported"},
    {"expectation-failed", 417, "The expectation cannot be met"},
    {"invalid-record", 422, "The record is invalid"},
    {"idempotency-mismatch", 422, "The idempotency key was used for another request"},
    {"upgrade-required", 426, "An upgrade is required"},
    {"rate-limited", 429, "Too many requests"},
    {"too-many-concurrent", 429, "Too many concurrent requests"},
    {"too-many-sockets", 429, "Too many open sockets"},
    {"header-too-large", 431, "The header is too large"},
    {"internal", 500, "Internal error"},
    {"not-implemented", 501, "Not implemented"},
    {"tenant-unavailable", 503, "The tenant is unavailable"},
    {"overloaded", 503, "The server is overloaded"},
    {"draining", 503, "The server is shutting down"},
    {"deadline-exceeded", 504, "The deadline has passed"},
    {"http-version", 505, "The HTTP version is not supported"},
    {"storage-full", 507, "The storage is full"},
}};

}  // namespace

const CodeInfo& info(Code code) noexcept { return table[static_cast<std::size_t>(code)]; }

Code code_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == name) return static_cast<Code>(i);
  }
  return Code::internal;
}

}  // namespace caisson::api
