#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace caisson::editor {

/// A part of a text that begins at the beginning of a line.
struct Piece {
  /// Whether items of a list begin at its own column, and of which: "- x" or, in brackets, "{ x }".
  enum class Kind : std::uint8_t { rest, block, flow };
  Kind kind = Kind::rest;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Takes a text apart, all of it and in order: at the keys of the top level, and what has long
/// lists below these at some of the lines that begin an item. Tells by the looks of the lines
/// alone; where a piece begins depends only on what stands before it, so that a change moves few of
/// them.
[[nodiscard]] std::vector<Piece> take_apart(std::string_view text);

}  // namespace caisson::editor
