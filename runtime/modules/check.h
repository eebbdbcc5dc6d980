#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include "api/schema.h"
#include "runtime/modules/records.h"

namespace caisson::modules {

/// Everything about `value` that is not as `schema` says, each with its JSON pointer.
[[nodiscard]] std::vector<Defect> check(const api::Schema& schema, const boost::json::value& value);

/// Reads the request's body as its operation's schema says. The error is the refusal.
[[nodiscard]] tl::expected<boost::json::value, RecordsAnswer> read_body(
    const RecordsRequest& request);

}  // namespace caisson::modules
