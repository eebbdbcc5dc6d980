#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "generator/plan/plan_testing.h"
#include "generator/render/render.h"

namespace caisson::render {

/// The artifacts of a plan. Throws when they cannot be made.
inline Artifacts rendered(const plan::Plan& plan, TargetSet targets = TargetSet::all()) {
  auto artifacts = render(plan, Blueprints{}, targets);
  if (!artifacts) throw std::runtime_error(artifacts.error().text());
  return std::move(*artifacts);
}

/// The artifact at `path`; throws when there is none.
inline const Artifact& artifact(const Artifacts& artifacts, const std::string& path) {
  for (const auto& candidate : artifacts) {
    if (candidate.path == path) return candidate;
  }
  throw std::runtime_error("no artifact " + path);
}

/// A directory of its own for one test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "caisson-render-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void write(const Artifacts& artifacts) const {
    for (const auto& file : artifacts) {
      const auto path = path_ / file.path;
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << file.bytes;
      std::filesystem::permissions(path, static_cast<std::filesystem::perms>(file.mode));
    }
  }

 private:
  std::filesystem::path path_;
};

}  // namespace caisson::render
