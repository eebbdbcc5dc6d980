#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "runtime/context/object_reader.h"
#include "runtime/tenancy/registry.h"

namespace caisson::context {

/// Reads `limits` of a tier or a tenant.
[[nodiscard]] tenancy::Limits read_limits(const boost::json::value& value, std::string pointer,
                                          ObjectReader::Faults& faults);

/// Reads member `limits`; none when it is absent.
[[nodiscard]] tenancy::Limits read_limits(ObjectReader& object);

/// Reads member `limits` of a change: a limit that is null is withdrawn, absent ones stay.
[[nodiscard]] tenancy::LimitsChange read_limits_change(ObjectReader& object);

/// Reads member `domains`: own domains of a tenant, none inside `domain`.
[[nodiscard]] std::vector<std::string> read_domains(ObjectReader& object, std::string_view domain);

/// `limits` as JSON, with the keys that `read_limits` reads.
[[nodiscard]] boost::json::object limits_json(const tenancy::Limits& limits);

}  // namespace caisson::context
