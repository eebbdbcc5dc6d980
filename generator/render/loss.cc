#include "generator/render/loss.h"

#include <algorithm>

#include "generator/render/loss_table.h"
#include "generator/render/render.h"

namespace caisson::render {

namespace {

std::string waiver_of(const plan::Plan& plan, std::string_view field, std::string_view target) {
  const auto found = std::ranges::find_if(plan.waivers, [&](const plan::Waiver& waiver) {
    return waiver.rule == "loss/" + std::string(field) &&
           (waiver.where.empty() || waiver.where == target);
  });
  return found == plan.waivers.end() ? std::string{} : found->reason;
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
  for (const auto& [name, asked] :
       {std::pair{"helm", plan.targets.helm}, std::pair{"systemd", plan.targets.systemd},
        std::pair{"bundle", plan.targets.bundle}}) {
    if (!asked) continue;
    found.push_back({.target = name,
                     .field = std::string("targets.") + name,
                     .pointer = asked.origin.pointer,
                     .reason = "not written by this version",
                     .written = false,
                     .waiver = {}});
  }
  return found;
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
