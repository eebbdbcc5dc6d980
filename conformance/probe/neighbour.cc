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

/// What a request that took `base` may take, of which nothing shortens the distance.
std::int64_t bound_of(std::int64_t base, const NeighbourFigures& figures) {
  const std::int64_t distance = std::min(figures.nobodys_least, base);
  return std::max(
      distance + static_cast<std::int64_t>(static_cast<double>(base - distance) * figures.ratio),
      base + neighbour_slack_us);
}

}  // namespace

NeighbourJudgement judge(const NeighbourFigures& figures) {
  const auto [least, most] = std::minmax(figures.before, figures.after);
  // What comes after the flood may be its work as well: it counts as far as it differs by no more
  // than noise from what was before.
  const std::int64_t base = std::min(most, bound_of(figures.before, figures));
  const std::int64_t everybodys =
      std::max<std::int64_t>(figures.nobodys_during - figures.nobodys_at_rest, 0);
  const std::int64_t bound = bound_of(base, figures) + everybodys;
  NeighbourJudgement out{
      .verdict = Verdict::pass,
      .bound = "at most " + milliseconds(bound) + " (" + figure(figures.ratio) +
               " times what is no distance, or 5 ms more, and the " + milliseconds(everybodys) +
               " by which requests of no tenant grew)",
      .observed = "p95 " + milliseconds(figures.before) + " before, " +
                  milliseconds(figures.during) + " during, " + milliseconds(figures.after) +
                  " after: " +
                  figure(static_cast<double>(figures.during) /
                         static_cast<double>(std::max<std::int64_t>(base, 1))) +
                  " times; it is " + milliseconds(figures.nobodys_least) +
                  " away; the machine woke " + milliseconds(figures.late_at_rest) +
                  " late at rest, " + milliseconds(figures.late_during) + " late during"};
  if (figures.during <= bound) return out;
  // A request is woken about four times: twice in the runtime, twice here.
  constexpr std::int64_t wakes = 4;
  if (most > bound_of(least, figures)) {
    out.verdict = Verdict::inconclusive;
    out.observed +=
        "; the machine is too noisy to tell, or the flood lasts: before and after it "
        "differ as much";
  } else if (wakes * (figures.late_during - figures.late_at_rest) >= figures.during - bound) {
    out.verdict = Verdict::inconclusive;
    out.observed += "; the machine is too noisy to tell: it wakes threads that late";
  } else if (figures.late_at_rest > busy_late_us ||
             figures.nobodys_at_rest - figures.nobodys_least > busy_nobodys_us) {
    out.verdict = Verdict::inconclusive;
    out.observed += "; the machine is too busy to tell: without any noise it woke threads " +
                    milliseconds(figures.late_at_rest) +
                    " late, and answered requests of no tenant in " +
                    milliseconds(figures.nobodys_at_rest) + ", the fastest in " +
                    milliseconds(figures.nobodys_least);
  } else {
    out.verdict = Verdict::leak;
  }
  return out;
}

std::size_t askers_for(double per_second, std::int64_t micros) {
  constexpr double least = 3;
  constexpr double most = 32;
  return static_cast<std::size_t>(
      std::clamp(per_second * static_cast<double>(micros) / 1e6, least, most));
}

Verdict judge_flood(double per_second, double burst, double seconds, std::size_t sent,
                    std::size_t refused) {
  if (refused > 0) return Verdict::pass;
  // A second more: the bucket of whoever has just come may be fuller than its burst says.
  const double may = burst + per_second * (seconds + 1);
  return static_cast<double>(sent) > may ? Verdict::leak : Verdict::inconclusive;
}

}  // namespace caisson::conformance
