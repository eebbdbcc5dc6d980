#include "conformance/commands.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <mutex>
#include <optional>
#include <ostream>
#include <sstream>

#include <unistd.h>

#include "base/files.h"
#include "conformance/attached.h"
#include "conformance/ground.h"
#include "conformance/journal/journal.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/report/report.h"
#include "conformance/stack/compose.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/local.h"
#include "conformance/stack/site.h"
#include "conformance/stack/state.h"
#include "conformance/stacks.h"
#include "generator/plan/planner.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

Status harness(const Output& output, const Failure& failure) {
  // Behind the end of a log the remedy has a line of its own.
  const bool lines = failure.what.find('\n') != std::string::npos && !failure.remedy.empty();
  output.error << "caisson: " << (lines ? failure.what + "\n  " + failure.remedy : failure.text())
               << '\n';
  return Status::harness;
}

/// The first word of a filter that names no probe; empty when each names some. What is misspelt
/// must not pass because nothing was looked at.
std::string idle_word(const std::string& filter) {
  std::istringstream words(filter);
  for (std::string word; std::getline(words, word, ',');) {
    if (!word.empty() && std::ranges::none_of(catalogue(), [&](const Probe* probe) {
          return matches(word, *probe);
        })) {
      return word;
    }
  }
  return {};
}

Status list_probes(const plan::Plan& plan, int level, const std::string& filter,
                   const Output& output) {
  std::size_t count = 0;
  for (const Probe* probe : catalogue()) {
    if (probe->level > level || !matches(filter, *probe)) continue;
    ++count;
    std::string id(probe->id);
    id.resize(6, ' ');
    output.out << id << "L" << probe->level << "  " << probe->title << '\n';
  }
  output.out << count << " probes at level " << level << " for " << plan.name.value << '\n';
  return Status::passed;
}

Result<SigningKey> report_key(const fs::path& path) {
  if (path.empty()) return SigningKey::generate(Algorithm::ed_dsa);
  const auto pem = read_file(path);
  if (!pem) return tl::unexpected(pem.error());
  auto key = SigningKey::from_pem(*pem);
  if (key && key->algorithm() != Algorithm::ed_dsa) {
    return fail(path.string() + " is no Ed25519 key",
                "make one with `openssl genpkey -algorithm ed25519`");
  }
  return key;
}

/// Every probe's evidence is on disk before the run goes on.
class EvidenceFile {
 public:
  explicit EvidenceFile(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    out_.open(directory / "evidence.ndjson", std::ios::trunc);
  }
  void add(const ProbeResult& result) { out_ << to_canonical_json(result) << '\n' << std::flush; }

 private:
  std::ofstream out_;
};

Status run_and_report(const plan::Plan& plan, const Subject& subject, const RunningStack& stack,
                      int level, const ConformOptions& options, const Output& output) {
  if (level >= 2 && !stack.disposable) {
    return harness(output, {"level " + std::to_string(level) +
                                " would damage this stack: it has no disposable marker",
                            "use --level 1, or a stack that `caisson up` started"});
  }
  const fs::path directory =
      options.report.empty() ? fs::path("conformance-report") : options.report;
  const auto key = report_key(options.key);
  if (!key) return harness(output, key.error());
  EvidenceFile evidence(directory);
  const auto report = run_on(plan, stack,
                             {.level = level,
                              .require_all = options.require_all,
                              .filter = options.filter,
                              .journal = stack.state / "journal",
                              .finished = [&](const ProbeResult& result) {
                                evidence.add(result);
                                std::string line(name_of(result.verdict));
                                line.resize(13, ' ');
                                output.progress << line << result.id << " " << result.title << '\n'
                                                << std::flush;
                              }});
  if (!report) return harness(output, report.error());
  if (auto written = write_reports(directory, *report, *key, subject.path); !written) {
    return harness(output, written.error());
  }
  output.out << '\n'
             << to_text(*report, output.colour)
             << "report: " << fs::absolute(directory / "index.html").lexically_normal().string()
             << '\n';
  if (interrupted()) {
    return harness(output, {"interrupted; the report says which probes had run", ""});
  }
  // Whoever does not read the report is told why that is no pass.
  if (const auto untested = report->count(Verdict::not_tested);
      report->require_all && untested > 0) {
    output.error << "caisson: " << untested << (untested == 1 ? " probe" : " probes")
                 << " could not be tested, and --require-all demands all; the report says why\n";
  }
  return static_cast<Status>(report->exit_status());
}

/// Removes what one journal names, wherever it is. Returns what is left.
std::vector<std::string> sweep_journal(const fs::path& state, const LeftJournal& journal) {
  if (const fs::path site = site_in(state); !site.empty()) {
    const auto stack = read_site(site);
    auto left = stack ? remove_all(*stack, journal.standing)
                      : std::vector{"run " + journal.run + "'s tenants: " + stack.error().text()};
    // By then the runtime has removed them itself, or does as it starts.
    if (journal.expires <= std::time(nullptr)) left.clear();
    return left;
  }
  if (fs::exists(state / "compose")) {
    const auto origin = read_origin(state);
    return {"run " + journal.run + "'s traces in the containers of " + state.string() +
            (origin ? "; `" + down_of(state, *origin) + "` removes the whole stack" : "")};
  }
  const auto runs = revive_local(state);
  if (!runs) return {state.string() + ": " + runs.error().text()};
  if (!*runs) return {};  // the stack is gone, and with it everything in it
  const auto stack = attach_local(state);
  return stack ? remove_all(*stack, journal.standing) : std::vector{stack.error().text()};
}

/// Removes what the journals of runs that were killed name. False when something is left.
bool sweep_journals(const fs::path& state, const Output& output, std::size_t& removed) {
  bool clean = true;
  for (const LeftJournal& journal : left_journals(state / "journal")) {
    if (journal.owner_alive && journal.expires > std::time(nullptr)) continue;
    const std::vector<std::string> left = sweep_journal(state, journal);
    for (const std::string& what : left) output.error << "caisson: cannot remove " << what << '\n';
    clean = clean && left.empty();
    if (!left.empty()) continue;
    std::error_code error;
    fs::remove(journal.path, error);
    removed += journal.standing.size();
    output.out << "run " << journal.run << ": removed " << journal.standing.size() << " things\n";
  }
  if (!site_in(state).empty()) drop_site(state);
  return clean;
}

/// Attacks a deployment that is in use with two tenants of its own, and leaves it as it was.
Status conform_site(const plan::Plan& plan, const Subject& subject, int level,
                    const ConformOptions& options, const Output& output) {
  auto stack = attach_site(plan, options.attach);
  if (!stack) return harness(output, stack.error());
  leave_out_closed_edge(*stack);
  std::size_t removed = 0;
  if (!sweep_journals(stack->state, output, removed)) {
    output.progress << "what an earlier run has left is still there; this one goes on\n";
  }
  if (auto kept = keep_site(stack->state, options.attach); !kept)
    return harness(output, kept.error());
  const Status status = run_and_report(plan, subject, *stack, level, options, output);
  drop_site(stack->state);
  return status;
}

}  // namespace

Status up(const Subject& subject, const StackOptions& options, const Output& output) {
  const InterruptGuard guard;
  const plan::Plan plan = plan::plan(subject.loaded);
  const auto stack = start_stack(plan, subject, options, output, false);
  if (!stack) return harness(output, stack.error());
  if (output.quiet) return Status::passed;
  output.out << stack->name << " runs at " << stack->url << '\n';
  for (const auto& tenant : plan.tenants) {
    if (plan.tenants.size() > 20) break;
    output.out << "  tenant " << tenant.slug << " at " << tenant.host << '\n';
  }
  output.out << "state, logs and secrets: " << stack->state.string() << '\n'
             << "stop it with: " << down_command(subject, options) << '\n';
  return Status::passed;
}

Status down(const Subject& subject, const StackOptions& options, const Output& output) {
  const InterruptGuard guard;
  const plan::Plan plan = plan::plan(subject.loaded);
  if (auto stopped = stop_stack(plan, subject, options, output); !stopped)
    return harness(output, stopped.error());
  if (!output.quiet) output.out << plan.name.value << " is down\n";
  return Status::passed;
}

Status down_unread(const std::string& path, const std::string& environment,
                   const StackOptions& options, const Output& output) {
  const InterruptGuard guard;
  if (auto stopped = stop_unread(path, environment, options, output); !stopped)
    return harness(output, stopped.error());
  if (!output.quiet) output.out << "what " << path << " started is down\n";
  return Status::passed;
}

Status conform(const Subject& subject, const ConformOptions& options, const Output& output) {
  const InterruptGuard guard;
  const plan::Plan plan = plan::plan(subject.loaded);
  const int level = options.level >= 0        ? options.level
                    : !options.attach.empty() ? 1
                                              : static_cast<int>(plan.conformance.level);
  if (const std::string word = idle_word(options.filter); !word.empty()) {
    return harness(output, {"no probe is called '" + word + "'", "--list shows them"});
  }
  for (const auto& excluded : plan.conformance.exclude) {
    const auto named = [&](const Probe* probe) { return probe->id == excluded.probe; };
    if (std::ranges::none_of(catalogue(), named)) {
      return harness(output,
                     {"conformance.exclude names '" + excluded.probe + "', which is no probe",
                      "--list shows them"});
    }
  }
  if (options.list) return list_probes(plan, level, options.filter, output);

  if (!options.attach.empty()) return conform_site(plan, subject, level, options, output);
  const fs::path state = state_of(plan, subject, options.stack);
  if (stands(state)) {
    const auto stack = attach_stack(plan, subject, options.stack);
    if (!stack) return harness(output, stack.error());
    return run_and_report(plan, subject, *stack, level, options, output);
  }
  output.progress << "no stack is in " << state.string() << "; starting one for this run" << '\n'
                  << std::flush;
  const auto stack = start_stack(plan, subject, options.stack, output, true);
  if (!stack) return harness(output, stack.error());
  const Status status = run_and_report(plan, subject, *stack, level, options, output);
  const auto stopped = stop_stack(plan, subject, options.stack, output);
  return stopped ? status : harness(output, stopped.error());
}

Status sweep(const SweepOptions& options, const Output& output) {
  const InterruptGuard guard;
  const fs::path root = options.root.empty() ? default_state("x").parent_path() : options.root;
  std::size_t removed = 0;
  bool clean = true;
  std::error_code error;
  if (!options.attach.empty()) {
    const auto stack = read_site(options.attach);
    if (!stack) return harness(output, stack.error());
    clean = sweep_journals(state_of_site(stack->name, options.attach), output, removed);
    if (removed == 0 && clean) output.out << "nothing was left behind\n";
    return clean ? Status::passed : Status::harness;
  }
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const fs::path& state = entry.path();
    const auto owner = read_file(state / "owner");
    if (!owner) {
      clean = sweep_journals(state, output, removed) && clean;
    } else if (!owner_lives(*owner)) {
      const auto gone = fs::exists(state / "compose") ? down_compose(state) : sweep_local(state);
      clean = clean && gone.has_value();
      removed += gone ? 1 : 0;
      if (gone) {
        output.out << "stopped and removed " << state.string() << '\n';
      } else {
        output.error << "caisson: " << gone.error().text() << '\n';
      }
    }
  }
  if (removed == 0 && clean) output.out << "nothing was left behind\n";
  return clean ? Status::passed : Status::harness;
}

}  // namespace caisson::conformance
