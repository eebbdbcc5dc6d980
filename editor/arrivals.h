#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "editor/hover.h"
#include "generator/spec/spec.h"

namespace caisson::editor {

/// Every place of the generated files that a value of a spec arrives at, by the value's pointer
/// into the merged spec.
class ArrivalIndex {
 public:
  /// Plans and renders a spec that is right. Nothing when a target refuses it: `caisson generate`
  /// says why.
  [[nodiscard]] static ArrivalIndex of(const spec::Loaded& loaded);

  /// Of the value itself, or of a map or list everything in it.
  [[nodiscard]] std::vector<Arrival> at(const std::string& pointer) const;

 private:
  std::map<std::string, std::vector<Arrival>> by_pointer_;
};

/// What `caisson generate` says of the patches of a spec that is right.
[[nodiscard]] std::vector<std::string> refused_patches(const spec::Loaded& loaded);

/// Beyond this many tenants the files are too many to be rendered for a hover.
inline constexpr std::size_t most_rendered_tenants = 500;

}  // namespace caisson::editor
