#include "cli/judge.h"

#include "generator/render/blueprints.h"

namespace caisson::cli {

Result<void> judge(const SpecSource& source, const Rendering& rendering, LoadedSpec& spec) {
  if (!spec.loaded) return {};
  const auto generated = generate(source, spec, rendering, render::Blueprints{}, spec.diagnostics);
  if (!generated) return tl::unexpected(generated.error());
  if (*generated) {
    add(findings(source, spec, **generated, rendering.strict), spec.loaded->document,
        spec.diagnostics);
  }
  return {};
}

}  // namespace caisson::cli
