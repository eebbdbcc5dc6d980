#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/mistake.h"
#include "generator/render/plan_report.h"

namespace caisson::render {

enum class Support : std::uint8_t { supported, approximated, refused };

/// Something that a deployment asks for and a target does not do exactly.
struct Loss {
  std::string target;  ///< "compose"
  std::string field;   ///< "runtime.replicas", "services.*.egress": also the rule id, after "loss/"
  std::string pointer;  ///< where this deployment asks for it, in the merged spec
  Support support = Support::approximated;
  std::string reason;  ///< what happens instead
  bool written =
      true;            ///< false: the language's default asks for it; never an error under --strict
  std::string waiver;  ///< until when and why the spec waives "loss/<field>"; empty: it does not
};

/// What this deployment loses on the targets, in the order of the table. A waiver of the spec with
/// rule `loss/<field>` and the target (or nothing) as `where` is noted.
[[nodiscard]] std::vector<Loss> losses(const plan::Plan& plan, TargetSet targets);

/// Waivers with a rule "loss/..." that no row of the table has, or for a target that there is not.
[[nodiscard]] std::vector<Mistake> waiver_mistakes(const plan::Plan& plan);

/// What the spec's patches change in the files of the targets, and why; empty without patches.
[[nodiscard]] std::string patch_text(const plan::Plan& plan, TargetSet targets,
                                     const Locate& locate);

/// The report for people, grouped by target; empty when nothing is lost.
[[nodiscard]] std::string loss_text(const std::vector<Loss>& losses, const Locate& locate);

/// The whole table, spec field x target, as the Markdown of docs/support.md.
[[nodiscard]] std::string support_table();

/// The fields of the table, for the check that the whole language is in it. A field covers what is
/// below it.
[[nodiscard]] std::vector<std::string_view> table_fields();

}  // namespace caisson::render
