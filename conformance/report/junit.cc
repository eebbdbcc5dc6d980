#include <map>

#include "conformance/report/escape.h"
#include "conformance/report/report.h"

namespace caisson::conformance {
namespace {

std::string seconds(std::int64_t micros) {
  std::string millis = std::to_string(micros / 1000 % 1000);
  millis.insert(0, 3 - millis.size(), '0');
  return std::to_string(micros / 1'000'000) + "." + millis;
}

/// What went wrong, for the reader of a CI log.
std::string details(const ProbeResult& probe) {
  std::string out;
  for (const Cell& cell : probe.cells) {
    if (cell.verdict <= Verdict::pass) continue;
    out += cell.accessor + " -> " + cell.owner + ": " + cell.reason + "\n";
    for (const Evidence& piece : cell.evidence) {
      if (piece.verdict == Verdict::pass) continue;
      out += "  " + piece.step + ": expected " + piece.expected + ", observed " + piece.observed +
             "\n";
    }
  }
  return out;
}

std::string to_case(const ProbeResult& probe, bool require_all) {
  std::string out = R"(    <testcase classname="caisson.)" + escape_markup(probe.id) +
                    R"(" name=")" + escape_markup(probe.id + " " + probe.title) + R"(" time=")" +
                    seconds(probe.elapsed_us) + "\">\n";
  const std::string message = "message=\"" + escape_markup(probe.reason) + "\"";
  switch (probe.verdict) {
    case Verdict::leak:
      out += "      <failure type=\"LEAK\" " + message + ">" + escape_markup(details(probe)) +
             "</failure>\n";
      break;
    case Verdict::invalid:
    case Verdict::inconclusive:
      out += "      <error type=\"" + std::string(name_of(probe.verdict)) + "\" " + message + ">" +
             escape_markup(details(probe)) + "</error>\n";
      break;
    case Verdict::not_tested:
      out += require_all
                 ? "      <error type=\"NOT TESTED\" " + message + "/>\n"
                 : "      <skipped message=\"NOT TESTED: " + escape_markup(probe.reason) + "\"/>\n";
      break;
    case Verdict::not_applicable:
      out += "      <skipped " + message + "/>\n";
      break;
    case Verdict::pass:
      break;
  }
  return out + "    </testcase>\n";
}

}  // namespace

std::string to_junit(const RunReport& report) {
  std::map<std::string, std::vector<const ProbeResult*>> families;
  for (const ProbeResult& probe : report.probes) {
    families[probe.id.substr(0, probe.id.find_first_of("0123456789"))].push_back(&probe);
  }
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"caisson conform " +
      escape_markup(report.deployment) + "\">\n";
  for (const auto& [family, probes] : families) {
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
    std::int64_t elapsed = 0;
    std::string cases;
    for (const ProbeResult* probe : probes) {
      failures += probe->verdict == Verdict::leak ? 1 : 0;
      const bool untested = probe->verdict == Verdict::not_tested;
      errors += probe->verdict == Verdict::invalid || probe->verdict == Verdict::inconclusive ||
                        (untested && report.require_all)
                    ? 1
                    : 0;
      skipped +=
          probe->verdict == Verdict::not_applicable || (untested && !report.require_all) ? 1 : 0;
      elapsed += probe->elapsed_us;
      cases += to_case(*probe, report.require_all);
    }
    out += "  <testsuite name=\"" + family + "\" tests=\"" + std::to_string(probes.size()) +
           "\" failures=\"" + std::to_string(failures) + "\" errors=\"" + std::to_string(errors) +
           "\" skipped=\"" + std::to_string(skipped) + "\" time=\"" + seconds(elapsed) +
           "\" timestamp=\"" + escape_markup(report.started) + "\">\n" + cases + "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace caisson::conformance
