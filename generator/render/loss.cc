#include "generator/render/loss.h"

#include <algorithm>

#include "generator/render/loss_table.h"
#include "generator/render/render.h"
#include "generator/spec/suggestion.h"

namespace caisson::render {

namespace {

std::string waiver_of(const plan::Plan& plan, std::string_view field, std::string_view target) {
  const auto found = std::ranges::find_if(plan.waivers, [&](const plan::Waiver& waiver) {
    return waiver.rule == "loss/" + std::string(field) &&
           (waiver.where.empty() || waiver.where == target);
  });
  if (found == plan.waivers.end()) return {};
  return (found->until.empty() ? "" : "until " + found->until + ", ") + found->reason;
}

std::string cell_text(const Cell& cell) {
  switch (cell.support) {
    case Support::supported:
      return "yes";
    case Support::approximated:
      return "approximated: " + std::string(cell.reason);
    case Support::refused:
      break;
  }
  return "refused: " + std::string(cell.reason);
}

}  // namespace

std::vector<Loss> losses(const plan::Plan& plan, TargetSet targets) {
  std::vector<Loss> found;
  for (const auto& row : loss_table()) {
    if (row.uses == nullptr) continue;
    const auto uses = row.uses(plan);
    if (uses.empty()) continue;
    for (std::size_t i = 0; i < target_names.size(); ++i) {
      const auto target = static_cast<Target>(i);
      const auto& cell = row.cell(target);
      const bool on = targets.has(target) && wanted(plan.targets, target);
      if (!on || cell.support == Support::supported) continue;
      for (const auto& use : uses) {
        found.push_back({.target = std::string(target_names.at(i)),
                         .field = std::string(row.field),
                         .pointer = use.pointer,
                         .support = cell.support,
                         .reason = std::string(cell.reason),
                         .written = use.kind != plan::Origin::Kind::defaulted,
                         .waiver = waiver_of(plan, row.field, target_names.at(i))});
      }
    }
  }
  if (plan.targets.bundle) {
    found.push_back({.target = "bundle",
                     .field = "targets.bundle",
                     .pointer = plan.targets.bundle.origin.pointer,
                     .reason = "not written by this version",
                     .written = false,
                     .waiver = {}});
  }
  return found;
}

std::vector<Mistake> waiver_mistakes(const plan::Plan& plan) {
  constexpr std::string_view prefix = "loss/";
  // Those of the table, and those that this version does not write.
  std::vector<std::string_view> targets(target_names.begin(), target_names.end());
  for (const std::string_view name : {"helm", "systemd", "bundle"}) {
    if (std::ranges::find(targets, name) == targets.end()) targets.push_back(name);
  }
  const auto fields = table_fields();
  std::vector<Mistake> mistakes;
  for (const auto& waiver : plan.waivers) {
    if (!waiver.rule.starts_with(prefix)) continue;
    const auto field = std::string_view(waiver.rule).substr(prefix.size());
    if (std::ranges::find(fields, field) == fields.end()) {
      mistakes.push_back({.code = "E0306",
                          .pointer = waiver.origin.pointer + "/rule",
                          .message = "no target loses '" + std::string(field) + "'",
                          .remedy = spec::suggest(field, fields)});
    } else if (!waiver.where.empty() && std::ranges::find(targets, waiver.where) == targets.end()) {
      mistakes.push_back({.code = "E0306",
                          .pointer = waiver.origin.pointer + "/where",
                          .message = "'" + waiver.where + "' is no target",
                          .remedy = spec::suggest(waiver.where, targets)});
    }
  }
  return mistakes;
}

std::string patch_text(const plan::Plan& plan, TargetSet targets, const Locate& locate) {
  std::string out;
  for (const auto& patch : plan.patches) {
    const auto name = std::string_view(patch.file).substr(0, patch.file.find('/'));
    const auto at = std::ranges::find(target_names, name) - target_names.begin();
    if (at == std::ssize(target_names) || !targets.has(static_cast<Target>(at))) continue;
    const auto place = locate ? locate(patch.origin.pointer) : std::string{};
    out += "  " + patch.file + " at " + patch.at + (place.empty() ? "" : " (" + place + ")") +
           ": " + patch.reason + '\n';
  }
  return out.empty() ? out : "changed by patches of the spec:\n" + out;
}

std::string loss_text(const std::vector<Loss>& losses, const Locate& locate) {
  std::string out;
  std::string unwritten;
  for (const auto& loss : losses) {
    if (loss.field == "targets." + loss.target)
      unwritten += (unwritten.empty() ? "" : ", ") + loss.target;
  }
  for (const auto target : target_names) {
    bool first = true;
    for (const auto& loss : losses) {
      if (loss.target != target) continue;
      if (first)
        out += "target " + loss.target + " does not do everything that the spec asks for:\n";
      first = false;
      const auto place = locate ? locate(loss.pointer) : std::string{};
      out += "  " + loss.field + (place.empty() ? "" : " (" + place + ")") +
             (loss.support == Support::refused ? " is refused: " : ": ") + loss.reason;
      if (!loss.waiver.empty()) out += " [waived: " + loss.waiver + "]";
      if (!loss.written) out += " [default]";
      out += '\n';
    }
  }
  if (!unwritten.empty()) out += "not written by this version: " + unwritten + '\n';
  return out;
}

std::string support_table() {
  std::string out =
      "# What each target does with each field of the spec\n\n"
      "Generated from the one table in `generator/render/loss_table.cc`. `caisson generate` "
      "reports what a "
      "deployment loses; under\n`--strict` an approximation of something that the spec writes is "
      "an error unless a "
      "waiver with the rule `loss/<field>` accepts it.\nA field covers everything below it that "
      "has no row of "
      "its own.\n\n"
      "| field |";
  for (const auto name : target_names) out += " " + std::string(name) + " |";
  out += "\n|---|";
  for (std::size_t i = 0; i < target_names.size(); ++i) out += "---|";
  out += '\n';
  for (const auto& row : loss_table()) {
    out += "| `" + std::string(row.field) + "` |";
    for (std::size_t i = 0; i < target_names.size(); ++i)
      out += " " + cell_text(row.cell(static_cast<Target>(i))) + " |";
    out += '\n';
  }
  return out;
}

std::vector<std::string_view> table_fields() {
  std::vector<std::string_view> fields;
  for (const auto& row : loss_table()) fields.push_back(row.field);
  return fields;
}

}  // namespace caisson::render
