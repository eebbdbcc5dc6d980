#pragma once

#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/node.h"
#include "generator/source/result.h"

namespace caisson::render {

/// The patches of a spec, applied to structured files before they are written.
class Patches {
 public:
  explicit Patches(const plan::Plan& plan)
      : patches_(plan.patches), used_(plan.patches.size(), false) {}

  /// Applies every patch of the file at `path` to its tree, in order. Fails when one does not match
  /// exactly the number of places that it says.
  [[nodiscard]] Result<void> apply(std::string_view path, Node& tree);

  /// Fails when a patch is for a file below `target` that is not a structured file of it.
  [[nodiscard]] Result<void> finish(std::string_view target) const;

 private:
  const std::vector<plan::Patch>& patches_;
  std::vector<bool> used_;
};

}  // namespace caisson::render
