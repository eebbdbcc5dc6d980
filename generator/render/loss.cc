#include "generator/render/loss.h"

#include <algorithm>
#include <set>

#include "base/suggestion.h"
#include "generator/render/render.h"

namespace caisson::render {

namespace {

constexpr std::string_view rule_prefix = "loss/";
constexpr std::size_t places_told = 8;

bool is_loss(const plan::Waiver& waiver) { return waiver.rule.starts_with(rule_prefix); }

/// Whether a waiver of `waived` is one of `field`: the same, or what it is part of.
bool covers(std::string_view waived, std::string_view field) {
  return field.starts_with(waived) &&
         (field.size() == waived.size() || field[waived.size()] == '.');
}

bool accepts(const plan::Waiver& waiver, std::string_view field, std::string_view target) {
  return is_loss(waiver) &&
         covers(std::string_view(waiver.rule).substr(rule_prefix.size()), field) &&
         (waiver.where.empty() || waiver.where == target);
}

std::string waiver_of(const plan::Plan& plan, std::string_view field, std::string_view target) {
  const auto found = std::ranges::find_if(
      plan.waivers, [&](const plan::Waiver& waiver) { return accepts(waiver, field, target); });
  if (found == plan.waivers.end()) return {};
  return (found->until.empty() ? "" : "until " + found->until + ", ") + found->reason;
}

bool is_lossy(const Cell& cell) {
  return cell.support == Support::approximated || cell.support == Support::ignored;
}

/// It runs a service's local command, and a service without one not at all: nothing else of it
/// matters there.
bool runs_processes(Target target) { return target == Target::local; }

std::set<std::string> left_out(const plan::Plan& plan) {
  std::set<std::string> services;
  for (const auto& instance : plan.instances) {
    if (instance.role == plan::Role::service && instance.local_command.empty()) {
      services.insert(instance.origin.pointer + "/");
    }
  }
  return services;
}

/// Whether the place is below one of the sorted prefixes, which end with '/'.
bool is_below(const std::set<std::string>& prefixes, const std::string& pointer) {
  const auto after = prefixes.upper_bound(pointer);
  return after != prefixes.begin() && pointer.starts_with(*std::prev(after));
}

bool is_found(const Loss& loss, bool strict) {
  return loss.waiver.empty() && (strict || loss.support == Support::ignored);
}

std::string cell_text(const Row& row, const Cell& cell) {
  const std::string reason(cell.reason);
  switch (cell.support) {
    case Support::unsaid:
      break;
    case Support::honoured:
      return reason.empty() ? "yes" : "yes: " + reason;
    case Support::unconcerned:
      return "-";
    case Support::approximated:
      return "approximated: " + reason;
    case Support::ignored:
      return row.by.empty() ? "**no**: " + reason : "**no** beyond that: " + reason;
    case Support::refused:
      return "refused: " + reason;
  }
  return "?";
}

/// What to waive instead of a field that nothing is lost of. The beginning of several does not say
/// which of them.
std::string other_field(std::string_view field, const std::vector<std::string_view>& lossy) {
  std::vector<std::string_view> below;
  for (const auto each : lossy)
    if (each.starts_with(field) && std::ranges::find(below, each) == below.end())
      below.push_back(each);
  if (below.size() < 2) return suggest(field, lossy);
  return "give the whole field, as 'loss/" + std::string(below.front()) +
         "'; W0301 names the one that is lost";
}

}  // namespace

std::vector<Loss> losses(const Asked& asked, TargetSet targets) {
  std::vector<Loss> found;
  const auto absent = left_out(asked.plan);
  for (const auto& row : loss_table()) {
    for (std::size_t i = 0; i < target_names.size(); ++i) {
      const auto target = static_cast<Target>(i);
      const auto& cell = row.cell(target);
      if (!is_lossy(cell) || !targets.has(target) || !wanted(asked.plan.targets, target)) continue;
      const auto pick = cell.uses != nullptr ? cell.uses : row.uses;
      auto uses = pick != nullptr ? pick(asked) : written(asked.document, row.field);
      if (runs_processes(target)) {
        std::erase_if(uses, [&](const Use& use) { return is_below(absent, use.pointer); });
      }
      const auto more = uses.size() > places_told ? uses.size() - places_told : 0;
      uses.resize(uses.size() - more);
      for (const auto& use : uses) {
        found.push_back({.target = std::string(target_names.at(i)),
                         .field = std::string(row.field),
                         .pointer = use.pointer,
                         .support = cell.support,
                         .reason = std::string(cell.reason) + use.detail,
                         .leave_out = use.leave_out,
                         .waiver = waiver_of(asked.plan, row.field, target_names.at(i))});
      }
      if (more > 0) found.back().reason += " (so at " + std::to_string(more) + " more places)";
    }
  }
  return found;
}

std::vector<Mistake> waiver_mistakes(const plan::Plan& plan) {
  std::vector<std::string_view> lossy;
  for (const auto& row : loss_table()) {
    if (std::ranges::any_of(row.cells, is_lossy)) lossy.push_back(row.field);
  }
  /// The targets that lose what the waiver is about.
  const auto losers = [](std::string_view field) {
    std::vector<std::string_view> targets;
    for (std::size_t i = 0; i < target_names.size(); ++i) {
      if (std::ranges::any_of(loss_table(), [&](const Row& row) {
            return covers(field, row.field) && is_lossy(row.cell(static_cast<Target>(i)));
          })) {
        targets.push_back(target_names.at(i));
      }
    }
    return targets;
  };
  std::vector<Mistake> mistakes;
  const auto refuse_where = [&](const plan::Waiver& waiver, std::string message,
                                std::string remedy) {
    mistakes.push_back({.code = "E0306",
                        .pointer = waiver.origin.pointer + "/where",
                        .message = std::move(message),
                        .remedy = std::move(remedy)});
  };
  for (const auto& waiver : plan.waivers) {
    if (!is_loss(waiver)) continue;
    const auto field = std::string_view(waiver.rule).substr(rule_prefix.size());
    const auto losing = losers(field);
    if (losing.empty()) {
      mistakes.push_back({.code = "E0306",
                          .pointer = waiver.origin.pointer + "/rule",
                          .message = "no target loses '" + std::string(field) + "'",
                          .remedy = other_field(field, lossy)});
    } else if (!waiver.where.empty() &&
               std::ranges::find(target_names, waiver.where) == target_names.end()) {
      const std::vector<std::string_view> known(target_names.begin(), target_names.end());
      refuse_where(waiver, "'" + waiver.where + "' is no target", suggest(waiver.where, known));
    } else if (!waiver.where.empty() && std::ranges::find(losing, waiver.where) == losing.end()) {
      refuse_where(waiver,
                   "target '" + waiver.where + "' loses nothing of '" + std::string(field) + "'",
                   "remove the waiver, or name a target that does: " + any_of(losing));
    }
  }
  return mistakes;
}

std::vector<WaiverUse> waiver_uses(const Asked& asked) {
  std::vector<WaiverUse> uses;
  if (std::ranges::none_of(asked.plan.waivers, is_loss)) return uses;
  const auto lost = losses(asked, TargetSet::all());
  for (const auto& waiver : asked.plan.waivers) {
    if (!is_loss(waiver)) continue;
    uses.push_back({.waiver = &waiver, .used = std::ranges::any_of(lost, [&](const Loss& loss) {
                                         return accepts(waiver, loss.field, loss.target);
                                       })});
  }
  return uses;
}

Mistake idle_waiver(const plan::Waiver& waiver) {
  return {.code = "W0207",
          .pointer = waiver.origin.pointer + "/rule",
          .message = (waiver.where.empty() ? "no target" : "target '" + waiver.where + "' never") +
                     " loses '" + waiver.rule.substr(rule_prefix.size()) +
                     "' here, so this waiver accepts nothing",
          .remedy = "remove it, so that it does not hide a loss that comes later",
          .severity = source::Severity::warning};
}

std::vector<Mistake> findings(const std::vector<Loss>& losses, bool strict) {
  std::vector<const Loss*> first;  // of each place, field and reason
  std::vector<std::string> where;  // the targets of each
  std::vector<std::size_t> how_many;
  for (const auto& loss : losses) {
    if (!is_found(loss, strict)) continue;
    const auto same = std::ranges::find_if(first, [&](const Loss* other) {
      return other->pointer == loss.pointer && other->field == loss.field &&
             other->reason == loss.reason;
    });
    const auto at = static_cast<std::size_t>(same - first.begin());
    if (same == first.end()) {
      first.push_back(&loss);
      where.push_back("'" + loss.target + "'");
      how_many.push_back(1);
    } else {
      where[at] += ", '" + loss.target + "'";
      ++how_many[at];
    }
  }
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto& loss = *first[i];
    // Said as it is written: for one target where it is one, for all where it is several.
    const auto waiver = "waivers: [{ rule: loss/" + loss.field +
                        (how_many[i] == 1 ? ", where: " + loss.target : "") + ", reason: WHY }]";
    const auto targets = (how_many[i] == 1 ? "target " : "targets ") + where[i];
    if (loss.support == Support::ignored) {
      mistakes.push_back(
          {.code = "W0301",
           .pointer = loss.pointer,
           .message = loss.field + ": " + loss.reason + " (" + targets + ")",
           .remedy = "leave " + (loss.leave_out.empty() ? "it" : loss.leave_out) +
                     " out, or accept it: " + waiver,
           .severity = strict ? source::Severity::error : source::Severity::warning});
    } else {
      mistakes.push_back({.code = "E0308",
                          .pointer = loss.pointer,
                          .message = targets + " cannot express " + loss.field + ": " + loss.reason,
                          .remedy = "change it, switch the target off, or accept it: " + waiver});
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

std::string loss_text(const std::vector<Loss>& losses, bool strict, const Locate& locate) {
  std::string out;
  for (const auto target : target_names) {
    bool first = true;
    for (const auto& loss : losses) {
      if (loss.target != target || is_found(loss, strict)) continue;
      if (first)
        out += "target " + loss.target + " does not do everything that the spec asks for:\n";
      first = false;
      const auto place = locate ? locate(loss.pointer) : std::string{};
      out += "  " + loss.field + (place.empty() ? "" : " (" + place + ")") + ": " + loss.reason;
      if (!loss.waiver.empty()) out += " [waived: " + loss.waiver + "]";
      out += '\n';
    }
  }
  return out;
}

std::string support_table() {
  std::string out =
      "# What each target does with each field of the spec\n\n"
      "## The limits that decide\n\n"
      "* One process serves a tenant. The runtime stores in SQLite, so `runtime.replicas` is 1 "
      "(E0213): a deployment grows with its machine, or by\n  tenants with `isolation: "
      "deployment`, "
      "each with a process of its own. While a process is away its tenants are.\n"
      "* PostgreSQL and Redis are words of the language that nothing makes good (E0309). `row` and "
      "`schema` are kept as `database`: a file a tenant.\n"
      "* The runtime keeps JSON records, a change feed and nothing more: no queues, no files, no "
      "outgoing connections, no code of yours. That runs in `services`,\n  which are confined, "
      "serve "
      "every tenant, and have to keep tenants apart inside by themselves.\n"
      "* Backups stay on the machine: nothing sends or encrypts them (`backup.to`, "
      "`backup.encrypt`). Nothing sends traces.\n"
      "* Target `local` is for development and for attacks: no limits of processor and memory, "
      "plain "
      "HTTP, and without root one user for all processes.\n\n"
      "## Every field\n\n"
      "Generated from the one table in `generator/render/loss_*.cc`, which has every field that "
      "holds a value. `yes`: what the second\ncolumn names keeps the promise. `-`: the target "
      "writes nothing that the field is about. `approximated`: something else happens,\nwhich "
      "`caisson generate` reports. **no**: nothing does it, which is a warning at its place "
      "(W0301). `refused`: nothing is generated\nfrom a spec with it (E0309), and no waiver "
      "changes that. Under `--strict` what is approximated or not done is an error where the\nspec "
      "writes it, unless a waiver with the rule `loss/<field>` accepts it; the rule may name what "
      "a field is part of, and `where` a target.\n\n"
      "| field | kept by |";
  for (const auto name : target_names) out += " " + std::string(name) + " |";
  out += "\n|---|---|";
  for (std::size_t i = 0; i < target_names.size(); ++i) out += "---|";
  out += '\n';
  for (const auto& row : loss_table()) {
    out += "| `" + std::string(row.field) + "` | " + (row.by.empty() ? "-" : std::string(row.by)) +
           " |";
    for (const auto& cell : row.cells) out += " " + cell_text(row, cell) + " |";
    out += '\n';
  }
  return out;
}

}  // namespace caisson::render
