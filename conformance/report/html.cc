#include <algorithm>
#include <array>
#include <string>

#include "conformance/report/escape.h"
#include "conformance/report/report.h"
#include "conformance/report/style.h"
#include "conformance/report/truth.h"

namespace caisson::conformance {
namespace {

std::string class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::leak:
      return "leak";
    case Verdict::invalid:
      return "invalid";
    case Verdict::inconclusive:
    case Verdict::not_tested:
      return "open";
    case Verdict::not_applicable:
      return "none";
  }
  return "none";
}

std::string element(std::string_view tag, std::string_view css, std::string_view text) {
  std::string out = "<";
  out.append(tag);
  if (!css.empty()) out.append(" class=\"").append(css).append("\"");
  return out.append(">").append(escape_markup(text)).append("</").append(tag).append(">");
}

std::string badge(Verdict verdict) {
  return element("span", "badge " + class_of(verdict), name_of(verdict));
}

std::string percent(std::uint64_t n) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.3g %%", 100.0 * rule_of_three(n));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string milliseconds(std::int64_t micros) {
  return micros >= 10'000'000 ? std::to_string(micros / 1'000'000) + " s"
                              : std::to_string(micros / 1000) + " ms";
}

/// "86.6 MB": three digits and a unit of ten.
std::string people_bytes(std::uint64_t count) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  if (count < 1000) return std::to_string(count) + " B";
  auto amount = static_cast<double>(count);
  std::size_t unit = 0;
  // What would be written as 1000 of a unit is 1 of the next.
  for (; amount >= 999.5 && unit + 1 < units.size(); ++unit) amount /= 1000;
  std::array<char, 32> text{};
  const int digits = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
  const int size =
      std::snprintf(text.data(), text.size(), "%.*f %s", digits, amount, units.at(unit));
  return {text.data(), static_cast<std::size_t>(size)};
}

/// "2,847": digits in groups of three.
std::string people_count(std::uint64_t count) {
  auto text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string figure(std::string_view name, std::string_view value, std::string_view css = {}) {
  return "<div class=\"figure\">" + element("dt", "", name) + element("dd", css, value) + "</div>";
}

std::string header(const RunReport& report) {
  std::uint64_t n = 0;
  for (const ProbeResult& probe : report.probes) n += probe.observations();
  const std::size_t untested = report.count(Verdict::not_tested);
  std::string out = "<header><p class=\"eyebrow\">Caisson conformance</p><h1>" +
                    escape_markup(report.deployment) + " <span class=\"version\">" +
                    escape_markup(report.version) + "</span> " + badge(report.verdict());
  if (untested > 0) {
    out += " " + element("span", "badge open", std::to_string(untested) + " not tested");
  }
  out += "</h1>";
  out += "<p class=\"lead\">" + std::to_string(report.count(Verdict::pass)) + " of " +
         std::to_string(report.probes.size()) + " probes passed on target <strong>" +
         escape_markup(report.target) + "</strong> at level " + std::to_string(report.level) + ".";
  if (untested > 0) {
    out += " <strong>" + std::to_string(untested) +
           " were not tested</strong>, though the plan has what they are about: "
           "<a href=\"#unverified\">see why</a>.";
  }
  if (report.verdict() == Verdict::pass) {
    out += " In " + people_count(n) +
           " observations no tenant reached another: with 95 % confidence at most " + percent(n) +
           " of such attempts succeed (3/N).";
  }
  out += "</p><dl class=\"figures\">";
  out += figure("passed", std::to_string(report.count(Verdict::pass)), "pass-text");
  out += figure("leaked", std::to_string(report.count(Verdict::leak)),
                report.count(Verdict::leak) > 0 ? "leak-text" : "");
  out += figure("invalid", std::to_string(report.count(Verdict::invalid)));
  out += figure("inconclusive", std::to_string(report.count(Verdict::inconclusive)));
  out += figure("not tested", std::to_string(untested), untested > 0 ? "leak-text" : "");
  out += figure("not applicable", std::to_string(report.count(Verdict::not_applicable)));
  out += figure("observations", people_count(n));
  out += figure("canaries", people_count(report.canaries));
  out += figure("searched", people_bytes(report.scanned_bytes));
  out += figure("took", milliseconds(report.elapsed_us));
  return out + "</dl></header>";
}

std::string truth_square(const TruthRow& row, const TruthCell& cell, Resource resource) {
  if (cell.verdict == Verdict::not_applicable) {
    return "<td class=\"none\"><span aria-label=\"not looked at\">&ndash;</span></td>";
  }
  const bool own = row.accessor == row.owner;
  std::string probes;
  for (const std::string& id : cell.probes) probes += (probes.empty() ? "" : ", ") + id;
  // The square has room for two; its label names all.
  const auto more = cell.probes.size() > 2 ? cell.probes.size() - 1 : 0;
  const auto shown = more == 0 ? probes : cell.probes.front() + " and " + std::to_string(more);
  std::string label = row.accessor + " on " + std::string(name_of(resource)) + " of " + row.owner +
                      ": expected " + (own ? "given" : "refused") + ", observed " +
                      observed_in(row, cell) + " in " + std::to_string(cell.observations) +
                      " observations (" + probes + ")";
  return "<td class=\"" + class_of(cell.verdict) + (own ? " own" : "") + "\"><a href=\"#probe-" +
         escape_markup(cell.probes.front()) + "\" title=\"" + escape_markup(label) +
         "\" aria-label=\"" + escape_markup(label) + "\"><b>" +
         escape_markup(observed_in(row, cell)) + "</b><small>expected " +
         (own ? "given" : "refused") + "<br>N&nbsp;" + people_count(cell.observations) +
         " &middot; " + escape_markup(shown) + "</small></a></td>";
}

std::string truth_section(const RunReport& report) {
  const TruthTable table = truth_table(report);
  std::string out =
      "<section aria-labelledby=\"truth\"><h2 id=\"truth\">Truth table</h2><p>Who asked, whose it "
      "was, and what "
      "came of it. A tenant is given its own (the positive controls) and refused everything else. "
      "Every square leads to its "
      "evidence. (newcomer) is a tenant made for the run and gone with it.</p><div "
      "class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-labelledby=\"truth\"><table "
      "class=\"truth\"><caption>tenant &times; resource, expected against "
      "observed</caption><thead><tr><th "
      "scope=\"col\">tenant</th><th scope=\"col\">owner</th>";
  for (const Resource column : table.columns)
    out += "<th scope=\"col\">" + escape_markup(name_of(column)) + "</th>";
  out += "</tr></thead><tbody>";
  std::string last;
  for (const TruthRow& row : table.rows) {
    out += row.accessor == last ? "<tr>" : "<tr class=\"first\">";
    last = row.accessor;
    out += "<th scope=\"row\">" + escape_markup(row.accessor) + "</th><td class=\"owner\">" +
           (row.owner == row.accessor ? "its own" : escape_markup(row.owner)) + "</td>";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      out += truth_square(row, row.cells[i], table.columns[i]);
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div></section>";
}

std::string evidence_row(const Evidence& piece) {
  std::string out =
      "<tr class=\"" + class_of(piece.verdict) + "\"><td>" + escape_markup(piece.step);
  if (!piece.sent.empty() || !piece.received.empty()) {
    out += "<details class=\"bytes\"><summary>bytes</summary>";
    if (!piece.sent.empty()) out += "<h5>sent</h5><pre>" + escape_markup(piece.sent) + "</pre>";
    if (!piece.received.empty())
      out += "<h5>received</h5><pre>" + escape_markup(piece.received) + "</pre>";
    out += "</details>";
  }
  return out + "</td><td>" + escape_markup(piece.expected) + "</td><td>" +
         escape_markup(piece.observed) + "</td></tr>";
}

std::string cell_block(const Cell& cell) {
  std::string out = "<h4>" + escape_markup(cell.accessor);
  out += cell.owner == cell.accessor ? " on its own" : " &rarr; " + escape_markup(cell.owner);
  out += " " + badge(cell.verdict) +
         " <span class=\"quiet\">N = " + std::to_string(cell.observations) + "</span></h4>";
  if (!cell.reason.empty()) out += element("p", "reason", cell.reason);
  if (cell.evidence.empty()) return out;
  out +=
      "<table class=\"evidence\"><thead><tr><th scope=\"col\">step</th><th "
      "scope=\"col\">expected</th><th "
      "scope=\"col\">observed</th></tr></thead><tbody>";
  for (const Evidence& piece : cell.evidence) out += evidence_row(piece);
  return out + "</tbody></table>";
}

std::string probe_block(const ProbeResult& probe) {
  const bool bad = probe.verdict > Verdict::pass;
  std::string out =
      "<details class=\"probe\" id=\"probe-" + escape_markup(probe.id) + "\"" +
      (bad ? " open" : "") + "><summary><span class=\"id\">" + escape_markup(probe.id) +
      "</span> " + element("span", "title", probe.title) + " " + badge(probe.verdict) +
      "</summary><p class=\"quiet\">" + escape_markup(name_of(probe.resource)) +
      " &middot; level " + std::to_string(probe.level) + " &middot; " +
      milliseconds(probe.elapsed_us) + " &middot; N = " + std::to_string(probe.observations()) +
      (probe.retried ? " &middot; run twice, the first time was inconclusive" : "") + "</p>";
  if (!probe.reason.empty()) out += element("p", "reason", probe.reason);
  for (const Cell& cell : probe.cells) out += cell_block(cell);
  return out + "</details>";
}

std::string unverified_row(const ProbeResult& probe) {
  return "<tr id=\"probe-" + escape_markup(probe.id) + "\"><td><span class=\"id\">" +
         escape_markup(probe.id) + "</span> " + escape_markup(probe.title) + " " +
         badge(probe.verdict) + "</td><td>" + escape_markup(probe.reason) + "</td></tr>";
}

std::string probe_sections(const RunReport& report) {
  std::string out =
      "<section aria-labelledby=\"probes\"><h2 id=\"probes\">Probes and evidence</h2>";
  for (const Verdict verdict :
       {Verdict::leak, Verdict::invalid, Verdict::inconclusive, Verdict::pass}) {
    for (const ProbeResult& probe : report.probes) {
      if (probe.verdict == verdict) out += probe_block(probe);
    }
  }
  out +=
      "</section><section aria-labelledby=\"unverified\"><h2 id=\"unverified\">Not verified</h2>";
  if (report.count(Verdict::not_applicable) + report.count(Verdict::not_tested) == 0 &&
      report.notes.empty()) {
    return out + "<p>Everything in the catalogue applied.</p></section>";
  }
  out +=
      "<table class=\"plain\"><thead><tr><th scope=\"col\">probe</th><th "
      "scope=\"col\">why</th></tr></thead><tbody>";
  for (const Verdict verdict : {Verdict::not_tested, Verdict::not_applicable}) {
    for (const ProbeResult& probe : report.probes) {
      if (probe.verdict == verdict) out += unverified_row(probe);
    }
  }
  for (const std::string& note : report.notes) {
    out += "<tr><td>note</td><td>" + escape_markup(note) + "</td></tr>";
  }
  return out + "</tbody></table></section>";
}

std::string tenants_section(const RunReport& report) {
  std::string out =
      "<section aria-labelledby=\"tenants\"><h2 id=\"tenants\">Tenants</h2><table "
      "class=\"plain\"><thead><tr><th "
      "scope=\"col\">slug</th><th scope=\"col\">tier</th><th scope=\"col\">isolation</th><th "
      "scope=\"col\">served "
      "by</th><th scope=\"col\">made for the run</th></tr></thead><tbody>";
  for (const ReportedTenant& tenant : report.tenants) {
    out += "<tr>" + element("td", "", tenant.slug) + element("td", "", tenant.tier) +
           element("td", "", tenant.isolation) + element("td", "", tenant.instance) +
           element("td", "", tenant.synthetic ? "yes" : "no") + "</tr>";
  }
  return out + "</tbody></table></section>";
}

std::string footer(const RunReport& report) {
  return "<footer><p>run " + escape_markup(report.run) + " &middot; started " +
         escape_markup(report.started) + " &middot; caisson " + escape_markup(report.tool_version) +
         " &middot; plan <code>" + escape_markup(report.plan_digest) +
         "</code></p><p>The signed, canonical report is <code>report.json</code> "
         "beside this page.</p></footer>";
}

}  // namespace

std::string to_html(const RunReport& report) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><meta "
      "http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"><meta "
      "name=\"color-scheme\" "
      "content=\"light dark\"><title>" +
      escape_markup(report.deployment) + ": " + std::string(name_of(report.verdict())) +
      " - Caisson conformance</title><style>";
  out.append(report_style)
      .append(
          "</style></head><body><a class=\"skip\" href=\"#truth\">skip to the truth "
          "table</a><main>");
  out += header(report) + truth_section(report) + probe_sections(report) + tenants_section(report);
  out += "</main>" + footer(report) + "<script>";
  out.append(report_script).append("</script></body></html>\n");
  return out;
}

}  // namespace caisson::conformance
