#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/render/node.h"

namespace caisson::render {

/// Where a line came from: the line of a blueprint or the field it is written for, then the values
/// that were filled into it.
using LineOrigins = std::vector<Origin>;

/// A text file on its way: whole lines, each with its origins.
struct Text {
  std::string bytes;
  std::vector<LineOrigins> lines;  ///< one for every line of `bytes`

  /// Appends `text`, which ends with a line break unless it is empty; all its lines share
  /// `origins`.
  void add(std::string_view text, const LineOrigins& origins);
};

}  // namespace caisson::render
