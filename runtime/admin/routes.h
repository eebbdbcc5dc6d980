#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/admin/call.h"

namespace caisson::admin {

/// What a path and a method stand for, and how `caisson-runtime operator` calls it. A `*` stands
/// for one part that varies; calls with an action change something and are recorded under it.
struct Entry {
  std::string_view method;
  std::string_view path;
  std::string_view action;
  Route route;
  std::string_view command;        ///< "tenants create"
  std::string_view parameters;     ///< of the query or the body, as its help shows them
  bool queried = method == "GET";  ///< they are of the query
  bool lengthy = false;            ///< it copies or reads whole stores or logs
};

/// The operator API, whole.
[[nodiscard]] std::span<const Entry> entries();

/// The parts of a path that vary, in order.
using PathParts = std::array<std::string_view, 2>;

/// The parts of `path` that vary, when it is of the form `pattern`.
[[nodiscard]] std::optional<PathParts> match(std::string_view pattern, std::string_view path);

}  // namespace caisson::admin
