#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/spec/document.h"

namespace caisson::render {

/// How far a target keeps what a field promises.
enum class Support : std::uint8_t {
  unsaid,        ///< nobody has said it: no row may be so
  honoured,      ///< by what the row names
  unconcerned,   ///< the target writes nothing that the field is about
  approximated,  ///< it does something else instead
  ignored,       ///< nothing does it: the field has no effect
  refused,       ///< no target takes it, see unbuilt.h
};

/// Where a deployment asks for something, and what there is to say about that place.
struct Use {
  std::string pointer;   ///< into the merged spec
  std::string detail{};  ///< follows the reason of the cell
  /// What to leave out when nothing does it; empty: the field alone, which the rest can do without.
  std::string leave_out{};
};

/// A deployment as the table looks at it.
struct Asked {
  const plan::Plan& plan;
  const spec::Node& document;  ///< the merged spec that the plan was made from
};

using Uses = std::vector<Use> (*)(const Asked& asked);

/// What a target does with a field.
struct Cell {
  Support support = Support::unsaid;
  std::string_view reason{};  ///< what happens instead; of a kept promise, how
  Uses uses = nullptr;        ///< where that matters; null: as the row says
};

/// A field of the spec, which has a value of its own, and what each target does with it.
struct Row {
  std::string_view field;                         ///< "services.*.egress"
  std::string_view by;                            ///< what honours it; empty when nothing does
  std::array<Cell, target_names.size()> cells{};  ///< by `Target`
  Uses uses = nullptr;  ///< where a lossy cell matters; null: wherever the spec writes the field

  [[nodiscard]] const Cell& cell(Target target) const {
    return cells.at(static_cast<std::size_t>(target));
  }
};

/// Every field of the language that holds a value, once.
[[nodiscard]] std::span<const Row> loss_table();

// The parts of the table, each with the fields of a subject.
[[nodiscard]] std::span<const Row> tenancy_rows();
[[nodiscard]] std::span<const Row> workload_rows();
[[nodiscard]] std::span<const Row> access_rows();
[[nodiscard]] std::span<const Row> operation_rows();

/// Whether no target takes the field.
[[nodiscard]] bool is_refused(const Row& row);

/// The places of the merged spec at which a field is written: `*` stands for any key, and the items
/// of lists are gone through.
[[nodiscard]] std::vector<Use> written(const spec::Node& document, std::string_view field);

/// `written` of a field that its section cannot do without: the whole section is to be left out.
[[nodiscard]] std::vector<Use> written_in(const spec::Node& document, std::string_view section,
                                          std::string_view field);

/// Whether a destination ("api.stripe.com:443", "10.0.0.0/8", "[2001:db8::1]:443") is a name.
[[nodiscard]] bool has_name(std::string_view destination);

// What rows are made of.

constexpr Cell yes{Support::honoured};
constexpr Cell none{Support::unconcerned};
constexpr std::string_view no_names =
    "a NetworkPolicy knows no names: the port is open to every public address, or for a name that "
    "ends in .internal and the like to every private one; what is private under another name needs "
    "its address";
constexpr Cell honoured(std::string_view how) { return {Support::honoured, how}; }
constexpr Cell approximated(std::string_view reason, Uses uses = nullptr) {
  return {Support::approximated, reason, uses};
}
constexpr Cell ignored(std::string_view reason, Uses uses = nullptr) {
  return {Support::ignored, reason, uses};
}

using Cells = std::array<Cell, target_names.size()>;
/// By the targets that run something: compose, helm, systemd, local.
constexpr Cells stack{none, yes, yes, yes, yes, none};
/// By caisson itself, whatever is generated.
constexpr Cells itself{yes, yes, yes, yes, yes, yes};
/// By nobody: no target takes it.
constexpr Cells refused(std::string_view reason) {
  const Cell cell{Support::refused, reason};
  return {cell, cell, cell, cell, cell, cell};
}
constexpr Cells on_stack(const Cell& cell) { return {none, cell, cell, cell, cell, none}; }

/// Of a field beside which another row reports the same.
inline std::vector<Use> told_elsewhere(const Asked&) { return {}; }

}  // namespace caisson::render
