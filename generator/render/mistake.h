#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/render/node.h"
#include "generator/source/diagnostics.h"

namespace caisson::render {

/// What is wrong with a spec and only shows when its artifacts are made.
struct Mistake {
  std::string_view code;  ///< from the table in source/codes.h
  std::string pointer;    ///< where, in the merged spec
  std::string message;
  std::string remedy;
  source::Severity severity = source::Severity::error;
};

/// Says of a value that a format cannot express it: a mistake of the spec when the value comes from
/// there, so that the writer goes on without it and finds the others; else a failure.
[[nodiscard]] Result<void> refuse(std::vector<Mistake>& mistakes, const Origin& origin,
                                  Failure why);

}  // namespace caisson::render
