#include "conformance/report/truth.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace caisson::conformance {

namespace {

/// Tenants made for the run share a line: their names say nothing to the reader.
std::pair<std::string, std::string> line_of(const RunReport& report, const Cell& cell) {
  const std::string prefix = "cz" + report.run + "-";
  const bool accessor = cell.accessor.starts_with(prefix);
  const bool owner = cell.owner.starts_with(prefix);
  if (accessor && owner && cell.accessor != cell.owner) return {"(newcomer)", "(newcomer 2)"};
  return {accessor ? "(newcomer)" : cell.accessor, owner ? "(newcomer)" : cell.owner};
}

}  // namespace

TruthTable truth_table(const RunReport& report) {
  std::map<std::tuple<std::string, std::string, Resource>, TruthCell> squares;
  std::set<Resource> columns;
  std::set<std::tuple<std::string, bool, std::string>> pairs;  // own row first
  for (const ProbeResult& probe : report.probes) {
    for (std::size_t i = 0; i < probe.cells.size(); ++i) {
      const Cell& cell = probe.cells[i];
      if (cell.verdict == Verdict::not_applicable) continue;
      const auto [accessor, owner] = line_of(report, cell);
      TruthCell& square = squares[{accessor, owner, probe.resource}];
      square.verdict = merge(square.verdict, cell.verdict);
      square.observations += cell.observations;
      if (square.looks.empty() || square.looks.back().probe != probe.id) {
        square.looks.push_back({.probe = probe.id, .cell = i});
      }
      // Several cells may be about one square: the heaviest is what there is to see.
      TruthCell::Look& look = square.looks.back();
      if (merge(look.verdict, cell.verdict) != look.verdict) {
        look = {.probe = probe.id, .cell = i, .verdict = cell.verdict};
      }
      columns.insert(probe.resource);
      pairs.insert({accessor, accessor != owner, owner});
    }
  }
  TruthTable table{.columns = {columns.begin(), columns.end()}};
  for (const auto& [accessor, foreign, owner] : pairs) {
    TruthRow row{.accessor = accessor, .owner = owner};
    for (const Resource column : table.columns)
      row.cells.push_back(squares[{accessor, owner, column}]);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string observed_in(const TruthRow& row, const TruthCell& cell) {
  switch (cell.verdict) {
    case Verdict::not_applicable:
    case Verdict::not_tested:
      return "-";
    case Verdict::pass:
      return row.accessor == row.owner ? "given" : "held";
    case Verdict::inconclusive:
      return "unproven";
    case Verdict::invalid:
      return "INVALID";
    case Verdict::leak:
      return "LEAK";
  }
  return "-";
}

}  // namespace caisson::conformance
