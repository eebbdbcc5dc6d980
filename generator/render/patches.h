#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render {

/// The patches of a spec, applied to structured files before they are written.
class Patches {
 public:
  explicit Patches(const plan::Plan& plan)
      : patches_(plan.patches), used_(plan.patches.size(), false) {}

  /// Says what is wrong with the file after a patch, as mistakes at that patch.
  using Check = std::function<Result<void>(const Node& tree, const plan::Patch& patch,
                                           std::vector<Mistake>& mistakes)>;

  /// Applies every patch of the file at `path` to its tree, in order. It is a mistake when one does
  /// not match exactly the number of places that it says, or when it leaves what the file's reader
  /// would refuse or not read (`format_fault`), a value of another kind (`misfit`) or, where there
  /// is one, what `check` refuses. A patch that is a mistake leaves the tree as it was.
  [[nodiscard]] Result<void> apply(std::string_view path, Node& tree, const Check& check = {});

  /// After `target` has been written: it is a mistake when a patch is for a file of it that is not
  /// among the `artifacts` or has no values.
  void finish(std::string_view target, const Artifacts& artifacts);

  /// All so far; a writer adds what its format cannot say.
  [[nodiscard]] std::vector<Mistake>& mistakes() { return mistakes_; }

  /// The files that have been changed so far.
  [[nodiscard]] PatchedFiles& files() { return files_; }

 private:
  [[nodiscard]] Result<void> apply(const plan::Patch& patch, Node& tree, const Check& check);

  /// Notes what the patch made of the file that its reader would refuse.
  void judge(const plan::Patch& patch, const Node& before, const Node& after);

  const std::vector<plan::Patch>& patches_;
  std::vector<bool> used_;
  std::vector<Mistake> mistakes_;
  PatchedFiles files_;
};

}  // namespace caisson::render
