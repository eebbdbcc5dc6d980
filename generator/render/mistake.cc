#include "generator/render/mistake.h"

#include <utility>

namespace caisson::render {

Result<void> refuse(std::vector<Mistake>& mistakes, const Origin& origin, Failure why) {
  if (origin.kind == Origin::Kind::blueprint || origin.at.empty()) {
    return tl::unexpected(std::move(why));
  }
  mistakes.push_back({.code = "E0308",
                      .pointer = origin.at,
                      .message = std::move(why.what),
                      .remedy = std::move(why.remedy)});
  return {};
}

}  // namespace caisson::render
