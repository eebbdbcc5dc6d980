#include "generator/render/text.h"

#include <algorithm>

namespace caisson::render {

void Text::add(std::string_view text, const LineOrigins& origins) {
  bytes += text;
  lines.insert(lines.end(), static_cast<std::size_t>(std::ranges::count(text, '\n')), origins);
}

}  // namespace caisson::render
