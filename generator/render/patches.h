#pragma once

#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/mistake.h"
#include "generator/render/node.h"
#include "generator/source/result.h"

namespace caisson::render {

/// The patches of a spec, applied to structured files before they are written.
class Patches {
 public:
  explicit Patches(const plan::Plan& plan)
      : patches_(plan.patches), used_(plan.patches.size(), false) {}

  /// Applies every patch of the file at `path` to its tree, in order. It is a mistake when one does
  /// not match exactly the number of places that it says.
  [[nodiscard]] Result<void> apply(std::string_view path, Node& tree);

  /// After `target` has been written: it is a mistake when a patch is for a file of it that is not
  /// among the `artifacts` or has no values.
  void finish(std::string_view target, const Artifacts& artifacts);

  /// All so far; a writer adds what its format cannot say.
  [[nodiscard]] std::vector<Mistake>& mistakes() { return mistakes_; }

 private:
  const std::vector<plan::Patch>& patches_;
  std::vector<bool> used_;
  std::vector<Mistake> mistakes_;
};

}  // namespace caisson::render
