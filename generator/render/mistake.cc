#include "generator/render/mistake.h"

#include <utility>

namespace caisson::render {

Result<void> refuse(std::vector<Mistake>& mistakes, const Origin& origin, Failure why) {
  if (origin.at.empty()) return tl::unexpected(std::move(why));
  if (origin.kind == Origin::Kind::blueprint) {
    why.what = "blueprint " + origin.at + ": " + why.what;
    return tl::unexpected(std::move(why));
  }
  mistakes.push_back({.code = "E0308",
                      .pointer = origin.at,
                      .message = std::move(why.what),
                      .remedy = std::move(why.remedy)});
  return {};
}

}  // namespace caisson::render
