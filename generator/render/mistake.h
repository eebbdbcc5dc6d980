#pragma once

#include <string>
#include <string_view>

namespace caisson::render {

/// What is wrong with a spec and only shows when its artifacts are made.
struct Mistake {
  std::string_view code;  ///< from the table in source/codes.h
  std::string pointer;    ///< where, in the merged spec
  std::string message;
  std::string remedy;
};

}  // namespace caisson::render
