#include "conformance/verdict/verdict.h"

#include <algorithm>

namespace caisson::conformance {

Verdict merge(Verdict a, Verdict b) { return std::max(a, b); }

Verdict after_retry(Verdict first, Verdict second) {
  return first == Verdict::inconclusive ? second : first;
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::not_applicable:
      return "N/A";
    case Verdict::not_tested:
      return "NOT TESTED";
    case Verdict::pass:
      return "PASS";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    case Verdict::invalid:
      return "INVALID";
    case Verdict::leak:
      return "LEAK";
  }
  return "INVALID";
}

int exit_status(Verdict merged) {
  switch (merged) {
    case Verdict::pass:
      return 0;
    case Verdict::leak:
      return 1;
    case Verdict::not_applicable:
    case Verdict::not_tested:
    case Verdict::inconclusive:
      return 2;
    case Verdict::invalid:
      return 3;
  }
  return 3;
}

}  // namespace caisson::conformance
