#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/loss_table.h"
#include "generator/render/mistake.h"
#include "generator/render/plan_report.h"

namespace caisson::render {

/// Something that a spec writes and a target does not do exactly, or not at all.
struct Loss {
  std::string target;   ///< "compose"
  std::string field;    ///< "services.*.egress": also the rule id, after "loss/"
  std::string pointer;  ///< where this deployment asks for it, in the merged spec
  Support support = Support::approximated;  ///< or ignored
  std::string reason;                       ///< what happens instead
  std::string leave_out{};                  ///< as in `Use`
  std::string waiver;  ///< until when and why the spec waives it; empty: it does not
};

/// What this deployment loses on the targets, in the order of the table. Waivers are noted: rule
/// `loss/<field>`, which may also name what the field is part of, with the target (or nothing) as
/// `where`. Of one field on one target at most eight places are told.
[[nodiscard]] std::vector<Loss> losses(const Asked& asked, TargetSet targets);

/// Waivers with a rule "loss/..." of what no target loses or a waiver cannot accept, or for a
/// target that there is not.
[[nodiscard]] std::vector<Mistake> waiver_mistakes(const plan::Plan& plan);

/// A waiver of a loss, and whether the deployment loses on any target what it accepts.
struct WaiverUse {
  const plan::Waiver* waiver = nullptr;  ///< of the plan that was asked for
  bool used = false;
};

/// Every waiver with a rule "loss/...".
[[nodiscard]] std::vector<WaiverUse> waiver_uses(const Asked& asked);

/// The warning about a waiver that no environment uses.
[[nodiscard]] Mistake idle_waiver(const plan::Waiver& waiver);

/// What a run has to say of losses that no waiver accepts, at their places and for all targets in
/// one: what nothing does is a warning, and under --strict an error as an approximation is.
[[nodiscard]] std::vector<Mistake> findings(const std::vector<Loss>& losses, bool strict);

/// What the spec's patches change in the files of the targets, and why; empty without patches.
[[nodiscard]] std::string patch_text(const plan::Plan& plan, TargetSet targets,
                                     const Locate& locate);

/// What targets do instead, and what was waived, for people and grouped by target; empty when
/// nothing is lost. What `findings` tells is not in it.
[[nodiscard]] std::string loss_text(const std::vector<Loss>& losses, bool strict,
                                    const Locate& locate);

/// The whole table, spec field x target, as the Markdown of docs/support.md.
[[nodiscard]] std::string support_table();

}  // namespace caisson::render
