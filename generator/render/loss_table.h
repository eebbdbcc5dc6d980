#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/loss.h"

namespace caisson::render {

/// What a target does with a field.
struct Cell {
  Support support = Support::supported;
  std::string_view reason{};  ///< what happens instead, when it is not supported
};

/// A field of the spec and what the targets do with it.
struct Row {
  std::string_view field;  ///< "services.*.egress"; covers what is below it and has no row
  Cell docker{};
  Cell compose{};
  Cell helm{};
  Cell systemd{};
  Cell local{};
  Cell sdk{};
  /// Where a deployment asks for it in a way that matters; null when every target does it.
  std::vector<plan::Origin> (*uses)(const plan::Plan& plan) = nullptr;

  [[nodiscard]] const Cell& cell(Target target) const;
};

/// Every field of the language, once.
[[nodiscard]] std::span<const Row> loss_table();

}  // namespace caisson::render
