#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/render/node.h"
#include "generator/render/text.h"

namespace caisson::render {

/// A generated file.
struct Artifact {
  std::string path;  ///< relative to the output directory, with '/'
  std::string bytes;
  unsigned mode = 0644;  ///< 0644 or 0755
  std::string owner;     ///< pointer of the spec field that the file exists for
  /// What a structured file says, node by node with its origin; null for text.
  std::shared_ptr<const Node> tree;
  std::vector<LineOrigins> lines{};  ///< of a text file: where each line came from
};

/// A text file.
[[nodiscard]] inline Artifact text_file(std::string path, Text text, std::string owner,
                                        unsigned mode = 0644) {
  return {.path = std::move(path),
          .bytes = std::move(text.bytes),
          .mode = mode,
          .owner = std::move(owner),
          .tree = nullptr,
          .lines = std::move(text.lines)};
}

/// Sorted by path, without duplicates.
using Artifacts = std::vector<Artifact>;

/// What the patches of a spec made of a structured file.
struct PatchedFile {
  std::string path;
  Node before;
  Node after;
};
using PatchedFiles = std::vector<PatchedFile>;

/// What `render` can write. A target's files are below the directory of its name.
enum class Target : std::uint8_t { docker, compose, helm, systemd, local, sdk };

/// By `Target`.
inline constexpr std::array<std::string_view, 6> target_names{"docker",  "compose", "helm",
                                                              "systemd", "local",   "sdk"};

class TargetSet {
 public:
  constexpr TargetSet() = default;
  constexpr TargetSet(std::initializer_list<Target> targets) {
    for (const auto target : targets) add(target);
  }
  [[nodiscard]] static constexpr TargetSet all() {
    TargetSet every;
    every.bits_ = ~0U;
    return every;
  }
  [[nodiscard]] constexpr bool has(Target target) const { return (bits_ & bit(target)) != 0; }
  constexpr void add(Target target) { bits_ |= bit(target); }

 private:
  static constexpr unsigned bit(Target target) { return 1U << static_cast<unsigned>(target); }
  unsigned bits_ = 0;
};

}  // namespace caisson::render
