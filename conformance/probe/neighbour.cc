#include "conformance/probe/neighbour.h"

#include <algorithm>
#include <cstdio>

namespace caisson::conformance {
namespace {

std::string milliseconds(std::int64_t micros) {
  return std::to_string(micros / 1000) + "." + std::to_string(micros / 100 % 10) + " ms";
}

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::int64_t bound_of(std::int64_t base, double ratio) {
  return std::max(static_cast<std::int64_t>(static_cast<double>(base) * ratio),
                  base + neighbour_slack_us);
}

}  // namespace

NeighbourJudgement judge(const NeighbourFigures& figures) {
  const auto [least, base] = std::minmax(figures.before, figures.after);
  const std::int64_t everybodys =
      std::max<std::int64_t>(figures.nobodys_during - figures.nobodys_at_rest, 0);
  const std::int64_t bound = bound_of(base, figures.ratio) + everybodys;
  NeighbourJudgement out{.verdict = Verdict::pass,
                         .bound = "at most " + milliseconds(bound) + " (" + figure(figures.ratio) +
                                  " times, or 5 ms more, and the " + milliseconds(everybodys) +
                                  " by which requests of no tenant grew)",
                         .observed = "p95 " + milliseconds(figures.before) + " before, " +
                                     milliseconds(figures.during) + " during, " +
                                     milliseconds(figures.after) + " after: " +
                                     figure(static_cast<double>(figures.during) /
                                            static_cast<double>(std::max<std::int64_t>(base, 1))) +
                                     " times; the machine woke " +
                                     milliseconds(figures.late_at_rest) + " late at rest, " +
                                     milliseconds(figures.late_during) + " late during"};
  if (figures.during <= bound) return out;
  // A request is woken about four times: twice in the runtime, twice here.
  constexpr std::int64_t wakes = 4;
  if (base > bound_of(least, figures.ratio)) {
    out.verdict = Verdict::inconclusive;
    out.observed += "; the machine is too noisy to tell: without any noise it differs as much";
  } else if (wakes * (figures.late_during - figures.late_at_rest) >= figures.during - bound) {
    out.verdict = Verdict::inconclusive;
    out.observed += "; the machine is too noisy to tell: it wakes threads that late";
  } else {
    out.verdict = Verdict::leak;
  }
  return out;
}

}  // namespace caisson::conformance
