#include <algorithm>
#include <string>

#include "conformance/report/escape.h"
#include "conformance/report/figures.h"
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

std::string figure(std::string_view name, std::string_view value, std::string_view css = {}) {
  return "<div class=\"figure\">" + element("dt", "", name) + element("dd", css, value) + "</div>";
}

std::string header(const RunReport& report) {
  std::uint64_t n = 0;
  for (const auto& [family, attempts] : report.attempts()) n += attempts;
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
         escape_markup(report.target) + "</strong>" +
         (report.attached.empty() ? "" : " attached by " + escape_markup(report.attached)) +
         " at level " + std::to_string(report.level) + ".";
  if (untested > 0) {
    out += " <strong>" + std::to_string(untested) +
           " were not tested</strong>, though the plan has what they are about: "
           "<a href=\"#unverified\">see why</a>.";
  }
  if (report.verdict() == Verdict::pass) {
    out += " In " + people_count(n) + " attempts no tenant reached another. " +
           bound_in_words(report.attempts());
  }
  out += "</p><dl class=\"figures\">";
  out += figure("passed", std::to_string(report.count(Verdict::pass)), "pass-text");
  out += figure("leaked", std::to_string(report.count(Verdict::leak)),
                report.count(Verdict::leak) > 0 ? "leak-text" : "");
  out += figure("invalid", std::to_string(report.count(Verdict::invalid)));
  out += figure("inconclusive", std::to_string(report.count(Verdict::inconclusive)));
  out += figure("not tested", std::to_string(untested), untested > 0 ? "leak-text" : "");
  out += figure("not applicable", std::to_string(report.count(Verdict::not_applicable)));
  out += figure("attempts", people_count(n));
  out += figure("canaries", people_count(report.canaries));
  out += figure("searched", people_bytes(report.scanned_bytes));
  out += figure("took", people_time(report.elapsed_us));
  return out + "</dl></header>";
}

/// Where the evidence of a probe's cell stands.
std::string anchor(std::string_view probe, std::size_t cell) {
  return "probe-" + escape_markup(probe) + "-" + std::to_string(cell + 1);
}

/// A link to the evidence of each probe that looked; more than a few are folded.
std::string probe_links(const TruthCell& cell) {
  constexpr std::size_t few = 3;
  std::string links;
  for (const TruthCell::Look& look : cell.looks) {
    links += "<a class=\"" + class_of(look.verdict) + "\" href=\"#" +
             anchor(look.probe, look.cell) + "\">" + escape_markup(look.probe) + "</a> ";
  }
  if (cell.looks.size() <= few) return "<p class=\"links\">" + links + "</p>";
  return "<details class=\"links\"><summary>" + std::to_string(cell.looks.size()) +
         " probes</summary>" + links + "</details>";
}

std::string truth_square(const TruthRow& row, const TruthCell& cell, Resource resource) {
  const std::string column = " data-column=\"" + escape_markup(name_of(resource)) + "\"";
  if (cell.verdict == Verdict::not_applicable) {
    return "<td role=\"cell\" class=\"none\"" + column +
           "><span aria-label=\"not looked at\">&ndash;</span></td>";
  }
  const bool own = row.accessor == row.owner;
  return "<td role=\"cell\" class=\"" + class_of(cell.verdict) + (own ? " own" : "") + "\"" +
         column + "><b>" + escape_markup(observed_in(row, cell)) + "</b><small>" +
         (own ? "given" : "refused") + "<br>N&nbsp;" + people_count(cell.observations) +
         "</small>" + probe_links(cell) + "</td>";
}

std::string truth_section(const RunReport& report) {
  const TruthTable table = truth_table(report);
  std::string out =
      "<section class=\"wide\" aria-labelledby=\"truth\"><h2 id=\"truth\">Truth table</h2><p>Who "
      "asked, whose it was, and what came of it. A tenant is given its own (the positive controls) "
      "and refused everything else. Below what came of it stand what was expected and the number N "
      "of observations. Every probe in a square leads to what it did with that pair. "
      "(newcomer) is a tenant made for the run and gone with it.</p><div class=\"scroll\" "
      "tabindex=\"0\" role=\"region\" aria-labelledby=\"truth\"><table role=\"table\" "
      "class=\"truth\"><caption>tenant &times; resource, expected against observed: " +
      std::to_string(table.rows.size()) + " pairs, " + std::to_string(table.columns.size()) +
      " resources</caption><thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" "
      "scope=\"col\">tenant</th><th role=\"columnheader\" scope=\"col\">owner</th>";
  for (const Resource column : table.columns) {
    out += "<th role=\"columnheader\" scope=\"col\">" + escape_markup(name_of(column)) + "</th>";
  }
  out += "</tr></thead><tbody role=\"rowgroup\">";
  std::string last;
  for (const TruthRow& row : table.rows) {
    out += row.accessor == last ? "<tr role=\"row\">" : "<tr role=\"row\" class=\"first\">";
    last = row.accessor;
    out += "<th role=\"rowheader\" scope=\"row\">" + escape_markup(row.accessor) +
           "</th><td role=\"cell\" class=\"owner\">" +
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
  return out + "</td><td data-column=\"expected\">" + escape_markup(piece.expected) +
         "</td><td data-column=\"observed\">" + escape_markup(piece.observed) + "</td></tr>";
}

std::string cell_block(const Cell& cell, const std::string& id) {
  std::string out = "<h4 id=\"" + id + "\">" + escape_markup(cell.accessor);
  out += cell.owner == cell.accessor ? " on its own" : " &rarr; " + escape_markup(cell.owner);
  out += " " + badge(cell.verdict) +
         " <span class=\"quiet\">N = " + people_count(cell.observations) + "</span></h4>";
  if (!cell.reason.empty()) out += element("p", "reason", cell.reason);
  if (cell.evidence.empty()) {
    return out + element("p", "quiet",
                         cell.verdict == Verdict::pass
                             ? "Each was as expected. Single steps are kept of what is refused and "
                               "of what goes wrong."
                             : "No single step was kept.");
  }
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
      people_time(probe.elapsed_us) + " &middot; N = " + people_count(probe.attempts()) +
      (probe.retried ? " &middot; run twice, the first time was inconclusive" : "") + "</p>";
  if (!probe.reason.empty()) out += element("p", "reason", probe.reason);
  for (std::size_t i = 0; i < probe.cells.size(); ++i) {
    out += cell_block(probe.cells[i], anchor(probe.id, i));
  }
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
    for (const auto* probe : report.with(verdict)) out += probe_block(*probe);
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
