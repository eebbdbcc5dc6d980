#pragma once

#include <string_view>

#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include "api/schema.h"
#include "runtime/modules/records.h"

namespace caisson::modules {

/// What about `value` is not as `schema` says, each with its JSON pointer.
[[nodiscard]] observe::Faults check(const api::Schema& schema, const boost::json::value& value);

/// Reads a JSON text as the schema says; of values that are kept as they are written there is an
/// outline alone (context::parse_outline). The error is the refusal.
[[nodiscard]] tl::expected<boost::json::value, RecordsAnswer> read_body(const api::Schema& schema,
                                                                        std::string_view body);

}  // namespace caisson::modules
