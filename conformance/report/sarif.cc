#include <boost/json.hpp>

#include "conformance/report/report.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;

std::string message_of(const ProbeResult& probe) {
  std::string out = probe.id + " " + std::string(name_of(probe.verdict)) + ": " +
                    (probe.reason.empty() ? probe.title : probe.reason);
  for (const Cell& cell : probe.cells) {
    if (cell.verdict <= Verdict::pass) continue;
    out += "\n" + cell.accessor + " -> " + cell.owner + ": " + cell.reason;
  }
  return out;
}

/// What nobody could look at is said, and fails nothing unless all has to be looked at.
std::string_view level_of(Verdict verdict, bool require_all) {
  if (verdict == Verdict::not_tested) return require_all ? "error" : "note";
  return verdict == Verdict::leak ? "error" : "warning";
}

}  // namespace

std::string to_sarif(const RunReport& report, std::string_view spec) {
  json::array rules;
  json::array results;
  for (const ProbeResult& probe : report.probes) {
    if (probe.verdict == Verdict::pass || probe.verdict == Verdict::not_applicable) continue;
    const json::object location{
        {"physicalLocation",
         {{"artifactLocation", {{"uri", spec}}}, {"region", {{"startLine", 1}}}}}};
    results.push_back(json::object{{"ruleId", probe.id},
                                   {"ruleIndex", rules.size()},
                                   {"level", level_of(probe.verdict, report.require_all)},
                                   {"message", {{"text", message_of(probe)}}},
                                   {"locations", json::array{location}},
                                   {"partialFingerprints", {{"caissonProbe/v1", probe.id}}}});
    rules.push_back(json::object{{"id", probe.id},
                                 {"name", probe.id},
                                 {"shortDescription", {{"text", probe.title}}},
                                 {"properties", {{"resource", name_of(probe.resource)}}}});
  }
  const json::object driver{
      {"name", "caisson conform"}, {"version", report.tool_version}, {"rules", std::move(rules)}};
  const json::object run{
      {"tool", {{"driver", driver}}},
      {"invocations",
       json::array{json::object{{"executionSuccessful", report.verdict() != Verdict::invalid},
                                {"exitCode", exit_status(report.verdict())}}}},
      {"results", std::move(results)}};
  const json::object log{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                         {"version", "2.1.0"},
                         {"runs", json::array{run}}};
  return json::serialize(log) + "\n";
}

}  // namespace caisson::conformance
