#include "cli/hint.h"

#include "base/suggestion.h"

namespace caisson::cli {

std::string hint(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const auto best = closest(word, candidates);
  return best.empty() ? "" : "; did you mean '" + std::string(best) + "'?";
}

}  // namespace caisson::cli
