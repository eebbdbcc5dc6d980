#pragma once

#include <memory>
#include <string>
#include <vector>

#include "generator/render/node.h"

namespace caisson::render {

/// A generated file.
struct Artifact {
  std::string path;  ///< relative to the output directory, with '/'
  std::string bytes;
  unsigned mode = 0644;  ///< 0644 or 0755
  std::string owner;     ///< pointer of the spec field that the file exists for
  /// What a structured file says, node by node with its origin; null for text.
  std::shared_ptr<const Node> tree;
};

/// Sorted by path, without duplicates.
using Artifacts = std::vector<Artifact>;

/// The targets that `render` can write.
struct TargetSet {
  bool docker = true;
  bool compose = true;
  bool local = true;
};

}  // namespace caisson::render
