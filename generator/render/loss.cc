#include "generator/render/loss.h"

#include <algorithm>

#include "generator/render/loss_table.h"

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
  const bool docker = targets.docker && plan.targets.docker;
  const bool compose = targets.compose && plan.targets.compose;
  const bool local = targets.local && plan.targets.local;
  std::vector<Loss> found;
  for (const auto& row : loss_table()) {
    if (row.uses == nullptr) continue;
    const auto uses = row.uses(plan);
    if (uses.empty()) continue;
    for (const auto& [on, target, cell] :
         {std::tuple{docker, "docker", row.docker}, std::tuple{compose, "compose", row.compose},
          std::tuple{local, "local", row.local}}) {
      if (!on || cell.support == Support::supported) continue;
      for (const auto& use : uses) {
        found.push_back({.target = target,
                         .field = std::string(row.field),
                         .pointer = use.pointer,
                         .support = cell.support,
                         .reason = std::string(cell.reason),
                         .written = use.kind != plan::Origin::Kind::defaulted,
                         .waiver = waiver_of(plan, row.field, target)});
      }
    }
  }
  for (const auto& [name, wanted] :
       {std::pair{"helm", plan.targets.helm}, std::pair{"systemd", plan.targets.systemd},
        std::pair{"bundle", plan.targets.bundle}}) {
    if (!wanted) continue;
    found.push_back({.target = name,
                     .field = std::string("targets.") + name,
                     .pointer = wanted.origin.pointer,
                     .reason = "not written by this version",
                     .written = false,
                     .waiver = {}});
  }
  return found;
}

std::string loss_text(const std::vector<Loss>& losses, const Locate& locate) {
  std::string out;
  std::string unwritten;
  for (const auto* target : {"docker", "compose", "local", "helm", "systemd", "bundle"}) {
    bool first = true;
    for (const auto& loss : losses) {
      if (loss.target != target) continue;
      if (loss.field == "targets." + loss.target) {
        unwritten += (unwritten.empty() ? "" : ", ") + loss.target;
        continue;
      }
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
      "| field | docker | compose | local |\n|---|---|---|---|\n";
  for (const auto& row : loss_table()) {
    out += "| `" + std::string(row.field) + "` | " + cell_text(row.docker) + " | " +
           cell_text(row.compose) + " | " + cell_text(row.local) + " |\n";
  }
  return out;
}

std::vector<std::string_view> table_fields() {
  std::vector<std::string_view> fields;
  for (const auto& row : loss_table()) fields.push_back(row.field);
  return fields;
}

}  // namespace caisson::render
