#include <algorithm>

#include "conformance/report/figures.h"
#include "conformance/report/report.h"
#include "conformance/report/truth.h"

namespace caisson::conformance {
namespace {

constexpr std::string_view reset = "\x1b[0m";

std::string_view paint_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "\x1b[32m";
    case Verdict::not_tested:
    case Verdict::inconclusive:
      return "\x1b[33m";
    case Verdict::invalid:
      return "\x1b[35m";
    case Verdict::leak:
      return "\x1b[1;31m";
    case Verdict::not_applicable:
      return "\x1b[2m";
  }
  return "";
}

/// `text` padded to `width`, painted without counting the paint.
std::string cell(std::string_view text, std::size_t width, Verdict verdict, bool colour) {
  std::string out;
  if (colour) out += paint_of(verdict);
  out += text;
  if (colour) out += reset;
  out.append(width > text.size() ? width - text.size() : 0, ' ');
  return out;
}

std::string table(const RunReport& report, bool colour) {
  const TruthTable truth = truth_table(report);
  std::size_t first = std::string_view("tenant -> owner").size();
  for (const TruthRow& row : truth.rows) {
    first = std::max(first, row.accessor.size() + row.owner.size() + 4);
  }
  std::string head = "tenant -> owner";
  head.resize(first, ' ');
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < truth.columns.size(); ++column) {
    const std::string_view name = name_of(truth.columns[column]);
    std::size_t width = name.size();
    for (const TruthRow& row : truth.rows) {
      const TruthCell& square = row.cells[column];
      width = std::max(
          width, observed_in(row, square).size() + 1 + std::to_string(square.observations).size());
    }
    widths.push_back(width);
    head += "  " + std::string(name) + std::string(width - name.size(), ' ');
  }
  std::string out = head + "\n";
  for (const TruthRow& row : truth.rows) {
    std::string line = row.accessor + " -> " + row.owner;
    line.resize(first, ' ');
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const TruthCell& square = row.cells[column];
      std::string text = observed_in(row, square);
      if (square.observations > 0) text += " " + std::to_string(square.observations);
      line += "  " + cell(text, widths[column], square.verdict, colour);
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

void list(std::string& out, const RunReport& report, Verdict verdict, bool colour) {
  const auto found = report.with(verdict);
  std::string aftermath;
  for (const auto* each : found) {
    const ProbeResult& probe = *each;
    if (probe.is_aftermath() && !found.front()->is_aftermath()) {
      aftermath += (aftermath.empty() ? "" : ", ") + probe.id;
      continue;
    }
    out += "  " + cell(name_of(verdict), 12, verdict, colour) + "  " + probe.id + " " +
           probe.title + "\n";
    if (!probe.reason.empty()) out += "                " + probe.reason + "\n";
    for (const Cell& square : probe.cells) {
      if (square.verdict != verdict || square.reason.empty() || verdict == Verdict::not_applicable)
        continue;
      if (square.reason == probe.reason) continue;
      out += "                " + square.accessor + " -> " + square.owner + ": " + square.reason +
             "\n";
    }
  }
  if (!aftermath.empty()) {
    out += "  " + cell(name_of(verdict), 12, verdict, colour) + "  " + aftermath +
           ": a tenant's state changed while they ran, as the above may have changed it\n";
  }
}

}  // namespace

std::string to_text(const RunReport& report, bool colour) {
  std::string out = report.deployment + " " + report.version + " on " + report.target +
                    (report.attached.empty() ? "" : " attached by " + report.attached) +
                    ", level " + std::to_string(report.level) + ", run " + report.run + "\n\n";
  out += table(report, colour) + "\n";
  if (out.find("(newcomer") != std::string::npos) {
    out += "(newcomer): a tenant made for the run and gone with it\n\n";
  }
  for (const Verdict bad :
       {Verdict::leak, Verdict::invalid, Verdict::inconclusive, Verdict::not_tested}) {
    list(out, report, bad, colour);
  }
  std::size_t skipped = report.count(Verdict::not_applicable);
  if (skipped > 0) {
    out += "not verified, because it does not apply or the spec excludes it:\n";
    for (const ProbeResult& probe : report.probes) {
      if (probe.verdict != Verdict::not_applicable) continue;
      out += "  " + probe.id + " " + probe.title + ": " + probe.reason + "\n";
    }
  }
  for (const std::string& note : report.notes) out += "note: " + note + "\n";

  std::uint64_t n = 0;
  for (const auto& [family, attempts] : report.attempts()) n += attempts;
  std::string retried;
  for (const ProbeResult& probe : report.probes) {
    if (probe.retried) retried += " " + probe.id;
  }
  if (!retried.empty())
    out += "run twice because the first time was inconclusive:" + retried + "\n";
  const std::size_t untested = report.count(Verdict::not_tested);
  out += "\n" + cell(name_of(report.verdict()), 0, report.verdict(), colour);
  if (untested > 0) {
    out +=
        ", and " + cell(std::to_string(untested) + " NOT TESTED", 0, Verdict::not_tested, colour);
  }
  out += ": " + std::to_string(report.count(Verdict::pass)) + " passed, " +
         std::to_string(report.count(Verdict::leak)) + " leaked, " +
         std::to_string(report.count(Verdict::invalid)) + " invalid, " +
         std::to_string(report.count(Verdict::inconclusive)) + " inconclusive, " +
         std::to_string(untested) + " not tested, " + std::to_string(skipped) + " not applicable\n";
  if (untested > 0) {
    out +=
        report.require_all
            ? "not all was tested, as --require-all demands\n"
            : "what was not tested may leak; the reasons stand above, --require-all fails then\n";
  }
  if (report.verdict() == Verdict::pass) {
    out += "N = " + people_count(n) + " attempts without a leak. " +
           bound_in_words(report.attempts()) + "\n";
  }
  return out;
}

}  // namespace caisson::conformance
