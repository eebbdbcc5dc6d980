#include "conformance/probe/runner.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/base64url.h"
#include "base/hex.h"
#include "conformance/scan/files.h"
#include "conformance/stack/interrupt.h"

namespace caisson::conformance {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t micros_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
}

ProbeResult result_of(const Probe& probe) {
  return {.id = std::string(probe.id),
          .title = std::string(probe.title),
          .resource = probe.resource,
          .level = probe.level};
}

void conclude(ProbeResult& result) {
  for (const Cell& cell : result.cells) {
    if (cell.verdict > result.verdict && !cell.reason.empty()) {
      result.reason = cell.accessor == cell.owner
                          ? cell.reason
                          : cell.accessor + " -> " + cell.owner + ": " + cell.reason;
    }
    if (!cell.control || cell.verdict > Verdict::pass)
      result.verdict = merge(result.verdict, cell.verdict);
  }
  if (result.verdict != Verdict::not_applicable || !result.reason.empty()) return;
  const auto said =
      std::ranges::find_if(result.cells, [](const Cell& c) { return !c.reason.empty(); });
  result.reason = said == result.cells.end() ? "no two tenants are placed so that it could happen"
                                             : said->accessor + ": " + said->reason;
}

/// What ran in the plan's own words: why a probe is left out though it exists.
std::optional<LeftOut> left_out(const Arena& arena, const Probe& probe) {
  for (const auto& exclusion : arena.plan().conformance.exclude) {
    if (exclusion.probe == probe.id) {
      return "excluded by the spec: " + exclusion.reason +
             (exclusion.until.empty() ? std::string() : " (until " + exclusion.until + ")");
    }
  }
  return probe.inapplicable == nullptr ? std::nullopt : probe.inapplicable(arena);
}

/// What the first run of a probe could not show stays in the report; only its verdict can be
/// resolved.
void keep_findings(const ProbeResult& first, ProbeResult& again) {
  for (const Cell& cell : first.cells) {
    const auto same = std::ranges::find_if(again.cells, [&](const Cell& other) {
      return other.accessor == cell.accessor && other.owner == cell.owner;
    });
    Cell& into = same == again.cells.end() ? again.cells.emplace_back() : *same;
    if (same == again.cells.end()) {
      into.accessor = cell.accessor;
      into.owner = cell.owner;
    }
    for (Evidence finding : cell.evidence) {
      if (finding.verdict == Verdict::pass) continue;
      finding.step.insert(0, "at the first try: ");
      into.evidence.push_back(std::move(finding));
    }
  }
}

/// A text as other programs write it, not as the scanner was told to look for it.
std::vector<std::pair<std::string_view, std::string>> written(const std::string& text) {
  std::string wide;
  for (const char c : text) wide += {c, '\0'};
  return {{"it is", "a" + text + "z"},
          {"base64", encode_base64("a" + text + "z")},
          {"base64url", encode_base64url("az" + text)},
          {"hex", hex({reinterpret_cast<const unsigned char*>(text.data()), text.size()})},
          {"UTF-16", wide}};
}

class Round {
 public:
  Round(const Arena& arena, const RunSettings& settings, RunReport& report)
      : arena_(arena), settings_(settings), report_(report), start_(Clock::now()) {}

  void run(const std::vector<const Probe*>& probes, unsigned threads) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next++; i < probes.size(); i = next++) add(one(*probes[i]));
    };
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
    for (std::thread& worker : workers) worker.join();
  }

 private:
  ProbeResult one(const Probe& probe) {
    const auto started = micros_since(start_);
    ProbeResult result = result_of(probe);
    if (const auto reason = left_out(arena_, probe)) {
      result.reason = reason->reason;
      if (reason->untested) result.verdict = Verdict::not_tested;
      return result;
    }
    if (interrupted()) {
      result.verdict = Verdict::inconclusive;
      result.reason = "the run was interrupted before this probe";
      return result;
    }
    if (Clock::now() - start_ > settings_.run_limit) {
      result.verdict = Verdict::inconclusive;
      result.reason = "the time of the run was over before this probe";
      return result;
    }
    result = run_probe(arena_, probe);
    if (result.verdict == Verdict::inconclusive && !interrupted()) {
      ProbeResult again = run_probe(arena_, probe);
      again.verdict = after_retry(result.verdict, again.verdict);
      again.retried = true;
      keep_findings(result, again);
      result = std::move(again);
    }
    result.started_us = started;
    result.elapsed_us = micros_since(start_) - started;
    if (result.elapsed_us >
        std::chrono::duration_cast<std::chrono::microseconds>(settings_.probe_limit).count()) {
      result.verdict = merge(result.verdict, Verdict::inconclusive);
      if (result.reason.empty()) result.reason = "it took longer than its time";
    }
    return result;
  }

  void add(ProbeResult result) {
    const std::scoped_lock lock(mutex_);
    if (settings_.finished) settings_.finished(result);
    report_.probes.push_back(std::move(result));
  }

  const Arena& arena_;
  const RunSettings& settings_;
  RunReport& report_;
  Clock::time_point start_;
  std::mutex mutex_;
};

}  // namespace

ProbeResult run_probe(const Arena& arena, const Probe& probe) {
  ProbeResult result = result_of(probe);
  // A bug of a probe must not end the run, and is neither PASS nor LEAK.
  try {
    if (probe.once != nullptr) probe.once(arena, result.cells);
    if (probe.each != nullptr) {
      for (const auto& [attacker, victim] : arena.pairs()) {
        Examination examination(arena, *attacker, *victim);
        examination.begin();
        probe.each(examination);
        examination.finish();
        result.cells.push_back(examination.control_cell());
        result.cells.push_back(examination.cell());
      }
    }
    // One that mutates runs alone: what changed meanwhile it has changed.
    for (Cell& cell : result.cells) cell.aftermath &= !probe.mutates;
  } catch (const std::exception& problem) {
    result.verdict = interrupted() ? Verdict::inconclusive : Verdict::invalid;
    result.reason = std::string("the probe itself failed: ") + problem.what();
  }
  conclude(result);
  return result;
}

ProbeResult guard(const Arena& arena) {
  ProbeResult result{.id = "GUARD",
                     .title = "every tenant's own canaries are found where they were planted",
                     .resource = Resource::supply,
                     .level = 1};
  for (const Actor& actor : arena.actors()) {
    Cell cell{.accessor = actor.slug, .owner = actor.slug, .verdict = Verdict::pass};
    const auto look = [&](const std::string& where, const std::string& sink, bool found) {
      ++cell.observations;
      cell.evidence.push_back({.step = where,
                               .expected = "the " + sink + " canary of " + actor.slug,
                               .observed = found ? "found" : "not found",
                               .verdict = found ? Verdict::pass : Verdict::invalid});
      if (found) return;
      cell.verdict = Verdict::invalid;
      cell.reason = "the " + sink + " canary of " + actor.slug + " was not found in " + where +
                    ": the scanner or the sink is blind";
    };
    const auto sees = [&](const std::vector<Sighting>& seen, const std::string& sink) {
      return std::ranges::any_of(seen, [&](const Sighting& sighting) {
        const Canary& canary = arena.scanner().canaries()[sighting.canary];
        return canary.tenant == actor.slug && canary.sink == sink;
      });
    };
    for (const Canary& canary : actor.canaries) {
      for (const auto& [form, bytes] : written(canary.text))
        look("what is written as " + std::string(form), canary.sink,
             sees(arena.scanner().scan(bytes), canary.sink));
    }
    const auto row = arena.send(
        &actor,
        arena.request_of(actor, "GET",
                         "/v1/records/" + actor.collection + "/" + actor.records.front()),
        Way::direct);
    look("its own record", "row", row && sees(arena.scanner().scan(row->raw), "row"));

    const auto& directory = actor.instance->data_directory;
    if (std::ranges::any_of(actor.canaries, [](const Canary& c) { return c.sink == "file"; })) {
      const FileScan files = scan_files(arena.scanner(), directory);
      arena.count_scanned(files.bytes);
      std::vector<Sighting> seen;
      for (const auto& hit : files.hits) seen.push_back(hit.sighting);
      if (!files.unread.empty() && cell.verdict < Verdict::inconclusive) {
        cell.verdict = Verdict::inconclusive;
        cell.reason = files.unread.front().string() + " cannot be read";
      }
      look("the data directory of " + actor.instance->name, "row", sees(seen, "row"));
      look("the data directory of " + actor.instance->name, "file", sees(seen, "file"));
    }
    if (std::ranges::any_of(actor.canaries, [](const Canary& c) { return c.sink == "label"; })) {
      const auto tenant =
          arena.operator_of(*actor.instance).call("GET", "/v1/tenants/" + actor.slug);
      look("its metadata", "label", tenant && sees(arena.scanner().scan(tenant->raw), "label"));
    }
    result.cells.push_back(std::move(cell));
  }
  conclude(result);
  return result;
}

void run_probes(const Arena& arena, const RunSettings& settings, RunReport& report) {
  std::vector<const Probe*> reading;
  std::vector<const Probe*> mutating;
  for (const Probe* probe : catalogue()) {
    if (probe->level > settings.level || !matches(settings.filter, *probe)) continue;
    (probe->mutates ? mutating : reading).push_back(probe);
  }
  report.probes.push_back(guard(arena));
  Round round(arena, settings, report);
  round.run(reading, settings.parallel);
  round.run(mutating, 1);

  std::vector<std::string> order{"GUARD"};
  for (const Probe* probe : catalogue()) order.emplace_back(probe->id);
  std::ranges::sort(report.probes, {}, [&](const ProbeResult& result) {
    return std::ranges::find(order, result.id) - order.begin();
  });
  // What a probe could not look at for one tenant does not pass with what it saw of the others.
  for (const ProbeResult& result : report.probes) {
    if (result.verdict <= Verdict::not_tested) continue;
    for (const Cell& cell : result.cells) {
      if (cell.verdict != Verdict::not_applicable || cell.reason.empty()) continue;
      const auto pair =
          cell.accessor == cell.owner ? cell.accessor : cell.accessor + " -> " + cell.owner;
      report.notes.push_back(result.id + " was not verified for " + pair + ": " + cell.reason);
    }
  }
  report.canaries = arena.scanner().canaries().size();
  report.scanned_bytes = arena.scanned();
  for (const Actor& actor : arena.actors()) {
    report.tenants.push_back({.slug = actor.slug,
                              .tier = actor.tier,
                              .instance = actor.instance->name,
                              .isolation = actor.isolation,
                              .synthetic = actor.synthetic});
  }
}

}  // namespace caisson::conformance
