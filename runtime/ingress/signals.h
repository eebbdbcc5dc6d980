#pragma once

#include <optional>
#include <string_view>

#include <tl/expected.hpp>

#include "runtime/http/message.h"

namespace caisson::ingress {

/// What a host says about the tenant.
struct HostSignal {
  enum class Kind {
    none,        ///< the bare domain, an address or localhost
    slug,        ///< `<slug>.<domain>`
    own_domain,  ///< anything else that is a domain; a tenant may own it
    unknown,     ///< no domain, or more labels under `domain` than a slug
  };
  Kind kind = Kind::none;
  std::string_view name;  ///< the slug or the domain
};

/// `host` without port and in lower case.
[[nodiscard]] HostSignal read_host(std::string_view host, std::string_view domain);

/// The slug that `Caisson-Tenant` names; none when it was not sent. The error says why it is
/// unusable: sent twice, several values in one, spelled with an underscore (which some hops take
/// for the same field), or no slug.
[[nodiscard]] tl::expected<std::optional<std::string_view>, std::string_view> read_tenant_header(
    const http::Request& request);

/// The credential of `Authorization: Bearer`; none when the field was not sent. The error is the
/// reason for the log.
[[nodiscard]] tl::expected<std::optional<std::string_view>, std::string_view> read_bearer(
    const http::Request& request);

}  // namespace caisson::ingress
