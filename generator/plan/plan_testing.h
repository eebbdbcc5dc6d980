#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "generator/plan/planner.h"
#include "generator/spec/spec.h"

namespace caisson::plan {

/// A spec and its plan, for tests. Throws with the diagnostics when the spec is wrong.
struct Planned {
  spec::Loaded loaded;
  Plan plan;
  source::SourceSet sources;
};

inline Planned plan_of(const std::string& yaml, const std::string& environment = {},
                       const std::string& directory = ".") {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  const spec::LoadOptions options{.environment = environment,
                                  .strict = false,
                                  .today = "2026-01-01",
                                  .read_file = [&](std::string_view path) -> Result<std::string> {
                                    std::ifstream file(directory + "/" + std::string(path),
                                                       std::ios::binary);
                                    if (!file) return fail("cannot read " + std::string(path));
                                    return std::string(std::istreambuf_iterator<char>(file), {});
                                  }};
  auto loaded = spec::load("deployment.yaml", yaml, options, sources, diagnostics);
  if (!loaded) throw std::runtime_error(source::render(diagnostics, sources, source::Format::text));
  auto plan = caisson::plan::plan(*loaded);
  return {.loaded = std::move(*loaded), .plan = std::move(plan), .sources = std::move(sources)};
}

/// One of examples/<name>/deployment.yaml.
inline Planned example(const std::string& name, const std::string& environment = {}) {
  const auto directory = std::string(CAISSON_SOURCE_DIR) + "/examples/" + name;
  std::ifstream file(directory + "/deployment.yaml", std::ios::binary);
  return plan_of(std::string(std::istreambuf_iterator<char>(file), {}), environment, directory);
}

}  // namespace caisson::plan
