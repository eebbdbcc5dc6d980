#include "cli/judge.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <tuple>

#include "generator/render/blueprints.h"
#include "generator/source/diagnostics.h"
#include "generator/spec/document.h"

namespace caisson::cli {
namespace {

/// Whether the place is in a file of the spec; then it is one in that.
bool move_into(const LoadedSpec& spec, const LoadedSpec& other, source::Span& where) {
  const auto& name = other.sources[where.file].name();
  const auto same = std::ranges::find(spec.sources, name, &source::SourceFile::name);
  if (same == spec.sources.end()) return false;
  where.file = static_cast<std::uint32_t>(same - spec.sources.begin());
  return true;
}

/// Adds what `generate` would say of the spec as `rendering` asks for it, and of nothing else.
Result<void> judge_alone(const SpecSource& source, const Rendering& rendering, LoadedSpec& spec) {
  if (!spec.loaded) return {};
  const auto generated = generate(source, spec, rendering, render::Blueprints{}, spec.diagnostics);
  if (!generated) return tl::unexpected(generated.error());
  if (*generated) {
    add(findings(source, spec, **generated, rendering.strict), spec.loaded->document,
        spec.diagnostics);
  }
  return {};
}

/// Adds what each environment has to say and the spec has not.
void judge_environments(const SpecSource& source, const Rendering& rendering, LoadedSpec& spec) {
  if (!spec.loaded || !rendering.environment.empty()) return;
  const auto* environments = spec::find(spec.loaded->document, "/environments");
  if (environments == nullptr) return;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string_view>> known;
  for (const auto& each : spec.diagnostics.sorted())
    known.emplace(each.where.file, each.where.begin, each.code);
  for (const auto& environment : environments->fields) {
    auto other = load_spec(source, environment.key, rendering.strict);
    auto asked = rendering;
    asked.environment = environment.key;
    if (const auto generated = judge_alone(source, asked, other); !generated) {
      other.diagnostics.report({.code = "E0308",
                                .where = environment.key_span,
                                .message = generated.error().what,
                                .remedy = generated.error().remedy,
                                .related = {}});
    }
    for (auto& each : other.diagnostics.sorted()) {
      if (!move_into(spec, other, each.where)) each.where = environment.key_span;
      std::erase_if(each.related,
                    [&](source::Span& place) { return !move_into(spec, other, place); });
      if (known.contains({each.where.file, each.where.begin, each.code})) continue;
      each.message += ", with --env " + environment.key;
      spec.diagnostics.report(std::move(each));
    }
  }
}

}  // namespace

Result<void> judge(const SpecSource& source, const Rendering& rendering, LoadedSpec& spec) {
  auto judged = judge_alone(source, rendering, spec);
  judge_environments(source, rendering, spec);
  return judged;
}

}  // namespace caisson::cli
