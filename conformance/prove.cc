#include <algorithm>
#include <fstream>
#include <ostream>

#include <boost/json.hpp>
#include <unistd.h>

#include "base/files.h"
#include "conformance/commands.h"
#include "conformance/ground.h"
#include "conformance/probe/probe.h"
#include "conformance/sabotage.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/state.h"
#include "generator/plan/planner.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// How one row of the matrix came out.
enum class Outcome : std::uint8_t { caught, held, missed, void_, unfit };

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::caught:
      return "CAUGHT";
    case Outcome::held:
      return "PASS";
    case Outcome::missed:
      return "MISSED";
    case Outcome::void_:
      return "VOID";
    case Outcome::unfit:
      return "N/A";
  }
  return "VOID";
}

/// One row: what was changed, which probes looked, and what they said.
struct Row {
  std::string change;
  bool harmless = false;
  Outcome outcome = Outcome::void_;
  std::string reason;
  std::vector<ProbeResult> probes;
  std::int64_t elapsed_ms = 0;
};

/// Everything a row needs to start its stack.
struct Ground {
  const Subject& subject;
  plan::Plan plan;
  fs::path root;  ///< state directories of the rows
  fs::path runtime;
};

/// The plan of the spec, with tokens where it has none: several walls are about tokens.
plan::Plan with_tokens(plan::Plan plan) {
  if (plan.auth.tokens) return plan;
  plan.auth.tokens = true;
  plan.auth.issuer = "https://issuer.caisson.localhost/";
  plan.auth.audience = "caisson";
  plan.auth.algorithms = {"EdDSA"};
  plan.auth.key_secret = "proving-key";
  plan.secrets.push_back({.name = plan.auth.key_secret, .internal = true});
  for (plan::Instance& instance : plan.instances) {
    if (instance.role != plan::Role::runtime) continue;
    instance.secrets.push_back({plan.auth.key_secret, "/run/secrets/" + plan.auth.key_secret});
  }
  return plan;
}

/// The plan with every limit that is enforced on each of its tenants, small enough to be hit soon:
/// a plan that has none has no wall there to take down.
plan::Plan with_limits(plan::Plan plan) {
  const plan::Origin origin;
  for (auto& tenant : plan.tenants) {
    auto& limits = tenant.limits;
    if (!limits.requests_per_second) limits.requests_per_second = {200, origin};
    if (!limits.concurrent) limits.concurrent = {16, origin};
    if (!limits.sockets) limits.sockets = {8, origin};
    limits.body_bytes = {256 << 10, origin};
    limits.storage_bytes = {8 << 20, origin};
  }
  return plan;
}

/// Starts the stack of a row, runs its probes, stops it. Fails when the stack did not start or
/// could not be attacked.
Result<RunReport> attack(const Ground& ground, plan::Plan plan, const std::string& filter,
                         const Sabotage* sabotage) {
  const auto port = free_ports(plan);
  if (!port) return tl::unexpected(port.error());
  plan.targets.local_port.value = *port;
  auto tree = local_tree(plan, ground.subject.blueprints);
  if (!tree) return tl::unexpected(tree.error());
  add_service(*tree, static_cast<std::uint16_t>(*port + ports_of(plan) - 1));
  LocalOptions options =
      local_options(plan, ground.subject, ground.root / ("prove-" + new_run_id()));
  options.programs["caisson-runtime"] = ground.runtime;
  options.owned = true;
  if (sabotage != nullptr) {
    if (sabotage->weaken != nullptr) sabotage->weaken(options);
    if (sabotage->rewrite != nullptr && !sabotage->rewrite(*tree)) {
      return fail("the generated files have nothing that this sabotage could change");
    }
    if (sabotage->weaken == nullptr && sabotage->rewrite == nullptr) {
      options.extra_env["CAISSON_SABOTAGE"] = std::string(sabotage->name);
    }
  }
  const auto stack = up_local(*tree, options);
  if (!stack) {
    static_cast<void>(down_local(options.state));
    return tl::unexpected(stack.error());
  }
  auto report =
      run_on(plan, *stack, {.level = 2, .filter = filter, .journal = options.state / "journal"});
  if (auto gone = down_local(options.state); !gone && report) return tl::unexpected(gone.error());
  return report;
}

void keep_looked(Row& row, const RunReport& report, const std::string& filter) {
  for (const ProbeResult& result : report.probes) {
    for (const Probe* probe : catalogue()) {
      if (probe->id == result.id && matches(filter, *probe)) row.probes.push_back(result);
    }
    if (result.id == "GUARD" && result.verdict != Verdict::pass) row.probes.push_back(result);
  }
}

Row sabotaged(const Ground& ground, const Sabotage& sabotage) {
  Row row{.change = std::string(sabotage.name)};
  if (sabotage.needs_root && geteuid() != 0) {
    row.outcome = Outcome::unfit;
    row.reason = "without root this wall does not stand in the first place";
    return row;
  }
  const auto runtimes =
      std::ranges::count(ground.plan.instances, plan::Role::runtime, &plan::Instance::role);
  if (sabotage.needs_two_runtimes && runtimes < 2) {
    row.outcome = Outcome::unfit;
    row.reason = "one runtime serves every tenant: there is no such wall";
    return row;
  }
  const auto report =
      attack(ground, with_limits(ground.plan), std::string(sabotage.probes), &sabotage);
  if (!report) {
    row.reason = report.error().text();
    return row;
  }
  keep_looked(row, *report, std::string(sabotage.probes));
  row.outcome = row.probes.empty() ? Outcome::void_ : Outcome::caught;
  for (const ProbeResult& probe : row.probes) {
    const bool leaked = probe.verdict == Verdict::leak;
    const bool rightly = probe.reason.find(sabotage.reason) != std::string::npos;
    if (leaked && rightly) {
      row.reason = probe.id + ": " + probe.reason;
      continue;
    }
    row.outcome = probe.verdict == Verdict::invalid ? Outcome::void_ : Outcome::missed;
    row.reason = probe.id + " reported " + std::string(conformance::name_of(probe.verdict)) +
                 (leaked ? ", but not for '" + std::string(sabotage.reason) + "'" : "") +
                 (probe.reason.empty() ? "" : ": " + probe.reason);
    break;
  }
  return row;
}

/// Probes that look at every family, quickly: what harmless changes must not disturb.
constexpr const char* harmless_probes = "ID1,ID3,ID6,ID15,DB1,DB2,DB5,FS6,NW8,OB1,SC1,SE2";

Row harmless(const Ground& ground, const std::string& name, const Result<plan::Plan>& plan,
             const std::string& filter = harmless_probes) {
  Row row{.change = name, .harmless = true};
  if (!plan) {
    row.reason = plan.error().text();
    return row;
  }
  const auto report = attack(ground, with_tokens(*plan), filter, nullptr);
  if (!report) {
    row.reason = report.error().text();
    return row;
  }
  keep_looked(row, *report, filter);
  row.outcome = row.probes.empty() ? Outcome::void_ : Outcome::held;
  for (const ProbeResult& probe : row.probes) {
    if (probe.verdict <= Verdict::pass) continue;
    row.outcome = Outcome::missed;
    row.reason = probe.id + " reported " + std::string(conformance::name_of(probe.verdict)) + ": " +
                 probe.reason;
    break;
  }
  return row;
}

/// The top-level blocks of the document in the opposite order: the same spec, differently written.
std::string reordered(const std::string& text) {
  std::vector<std::string> blocks;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size() - 1);
    const bool key = std::isalpha(static_cast<unsigned char>(text[line])) != 0;
    if (key || blocks.empty()) blocks.emplace_back();
    blocks.back().append(text, line, end - line + 1);
    line = end + 1;
  }
  std::ranges::reverse(blocks);
  std::string out;
  for (const std::string& block : blocks) {
    out += block;
    if (!out.ends_with('\n')) out += '\n';
  }
  return out;
}

Result<plan::Plan> plan_of_text(const Subject& subject, const std::string& text) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  const fs::path directory = fs::path(subject.path).parent_path();
  const auto loaded =
      spec::load(subject.path, text,
                 {.environment = subject.environment,
                  .answers = subject.answers,
                  .read_file = [&](std::string_view path) { return read_file(directory / path); }},
                 sources, diagnostics);
  if (!loaded) return fail("the changed spec is not right any more");
  return plan::plan(*loaded);
}

Result<plan::Plan> plan_with_another_tenant(const Subject& subject) {
  spec::Loaded loaded = subject.loaded;
  if (loaded.deployment.tenants.empty()) return fail("the spec has no tenant to copy");
  auto another = loaded.deployment.tenants.front();
  another.slug = "proving-newcomer";
  another.domains.clear();
  loaded.deployment.tenants.push_back(std::move(another));
  return plan::plan(loaded);
}

Result<plan::Plan> plan_under_another_name(const Subject& subject) {
  spec::Loaded loaded = subject.loaded;
  loaded.deployment.name += "-b";
  return plan::plan(loaded);
}

std::string matrix_text(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.change.size());
  std::string out;
  for (const Row& row : rows) {
    std::string change = row.change;
    change.resize(width, ' ');
    std::string outcome(name_of(row.outcome));
    outcome.resize(7, ' ');
    std::string probes;
    for (const ProbeResult& probe : row.probes) {
      probes += " " + probe.id + "=" + std::string(conformance::name_of(probe.verdict));
    }
    out +=
        outcome + " " + (row.harmless ? "harmless " : "sabotage ") + change + " " + probes + "\n";
    if (row.outcome != Outcome::held) out += "        " + row.reason + "\n";
  }
  return out;
}

std::string matrix_json(const std::vector<Row>& rows) {
  json::array list;
  for (const Row& row : rows) {
    json::object probes;
    for (const ProbeResult& probe : row.probes) {
      probes[probe.id] = {{"verdict", conformance::name_of(probe.verdict)},
                          {"reason", probe.reason},
                          {"observations", probe.attempts()}};
    }
    list.push_back(json::object{{"change", row.change},
                                {"harmless", row.harmless},
                                {"outcome", name_of(row.outcome)},
                                {"reason", row.reason},
                                {"elapsed-ms", row.elapsed_ms},
                                {"probes", std::move(probes)}});
  }
  return json::serialize(json::object{{"format", "caisson-prove/1"}, {"rows", std::move(list)}}) +
         "\n";
}

Status status_of(const std::vector<Row>& rows) {
  Status status = Status::passed;
  for (const Row& row : rows) {
    if (row.outcome == Outcome::void_) return Status::harness;
    if (row.outcome == Outcome::missed) status = Status::leak;
  }
  return status;
}

bool selected(const std::string& filter, std::string_view name) {
  const Probe as_probe{.id = name, .title = ""};
  return matches(filter, as_probe);
}

}  // namespace

Status prove(const Subject& subject, const ProveOptions& options, const Output& output) {
  const InterruptGuard guard;
  if (options.list) {
    for (const Sabotage& sabotage : sabotages())
      output.out << sabotage.name << " -> " << sabotage.probes << '\n';
    return Status::passed;
  }
  const auto runtime = options.sabotaged_runtime.empty()
                           ? find_program("caisson-runtime-sabotaged")
                           : Result<fs::path>(options.sabotaged_runtime);
  if (!runtime) {
    output.error << "caisson: " << runtime.error().text() << '\n';
    return Status::harness;
  }
  const Ground ground{.subject = subject,
                      .plan = with_tokens(plan::plan(subject.loaded)),
                      .root = default_state("x").parent_path(),
                      .runtime = fs::absolute(*runtime)};

  std::vector<std::pair<std::string, std::function<Row()>>> steps;
  if (selected(options.filter, "every-wall-stands")) {
    std::string all;
    for (const Sabotage& sabotage : sabotages())
      all += std::string(all.empty() ? "" : ",") + std::string(sabotage.probes);
    steps.emplace_back("every-wall-stands", [&ground, all] {
      return harmless(ground, "every-wall-stands", with_limits(ground.plan), all);
    });
  }
  for (const Sabotage& sabotage : sabotages()) {
    if (!selected(options.filter, sabotage.name)) continue;
    steps.emplace_back(sabotage.name, [&ground, &sabotage] { return sabotaged(ground, sabotage); });
  }
  const std::vector<std::pair<std::string, Result<plan::Plan> (*)(const Subject&)>> changes{
      {"reordered-yaml", [](const Subject& s) { return plan_of_text(s, reordered(s.text)); }},
      {"another-tenant", plan_with_another_tenant},
      {"another-name", plan_under_another_name}};
  for (const auto& [name, change] : changes) {
    if (!selected(options.filter, name)) continue;
    steps.emplace_back(name, [&, what = name, changed = change] {
      return harmless(ground, what, changed(subject));
    });
  }

  std::vector<Row> rows;
  for (const auto& [name, step] : steps) {
    if (interrupted()) break;
    const auto started = std::chrono::steady_clock::now();
    Row row = step();
    if (interrupted()) break;
    row.elapsed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::steady_clock::now() - started)
                         .count();
    output.progress << name_of(row.outcome) << " " << row.change << " (" << row.elapsed_ms << " ms)"
                    << '\n'
                    << std::flush;
    rows.push_back(std::move(row));
  }
  if (interrupted() || rows.empty()) {
    output.error << (interrupted() ? "caisson: interrupted\n"
                                   : "caisson: no sabotage of that name; `--list` shows them\n");
    return Status::harness;
  }

  const fs::path directory =
      options.report.empty() ? fs::path("conformance-report") : options.report;
  output.out << matrix_text(rows);
  if (auto made = make_directory(directory, 0755); !made) {
    output.error << "caisson: " << made.error().text() << '\n';
    return Status::harness;
  }
  for (const auto& [name, bytes] :
       {std::pair{"prove.json", matrix_json(rows)}, {"prove.txt", matrix_text(rows)}}) {
    if (auto written = write_file(directory / name, bytes, 0644); !written) {
      output.error << "caisson: " << written.error().text() << '\n';
      return Status::harness;
    }
  }
  output.out << "matrix: " << fs::absolute(directory / "prove.json").lexically_normal().string()
             << '\n';
  return status_of(rows);
}

}  // namespace caisson::conformance
