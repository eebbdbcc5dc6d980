#include "base/suggestion.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace caisson {
namespace {

// Beyond this a word is no typing mistake, and the quadratic comparison would cost too much.
constexpr std::size_t longest_word = 64;
constexpr std::size_t shortest_prefix = 3;
constexpr std::size_t words_worth_listing = 8;

char fold(char c) {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, fold, fold);
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + replaced});
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

bool abbreviates(std::string_view shorter, std::string_view longer) {
  return shorter.size() >= shortest_prefix && longer.starts_with(shorter);
}

/// Whether `shorter` is the first words of `longer`: "requests" of "requests-per-second".
bool begins(std::string_view shorter, std::string_view longer) {
  return abbreviates(shorter, longer) && longer.size() > shorter.size() &&
         std::string_view("-_.").find(longer[shorter.size()]) != std::string_view::npos;
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [word](std::string_view each) { return same(word, each); });
}

}  // namespace

bool says_all(std::string_view word) {
  constexpr std::array<std::string_view, 10> words{"true",  "yes", "on",  "enable",     "enabled",
                                                   "allow", "all", "any", "everything", "*"};
  return is_one_of(word, words);
}

bool says_nothing(std::string_view word) {
  constexpr std::array<std::string_view, 8> words{"false",    "no",   "off",  "disable",
                                                  "disabled", "deny", "none", "nothing"};
  return is_one_of(word, words);
}

std::string_view closest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > longest_word) return {};
  if (says_all(word) || says_nothing(word)) {
    const auto itself = std::ranges::find_if(
        candidates, [word](std::string_view candidate) { return same(word, candidate); });
    return itself == candidates.end() ? std::string_view{} : *itself;
  }
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  // One slip of the hand is likelier than words that were left out, and those than two slips.
  if (!best.empty() && best_distance <= 1) return best;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() <= longest_word && (begins(word, candidate) || begins(candidate, word)))
      return candidate;
  }
  if (!best.empty()) return best;
  for (const std::string_view candidate : candidates) {
    const bool related = abbreviates(candidate, word) || abbreviates(word, candidate);
    if (related && candidate.size() > best.size()) best = candidate;
  }
  return best;
}

std::string any_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  if (const std::string_view best = closest(word, candidates); !best.empty()) {
    return "did you mean '" + std::string(best) + "'?";
  }
  if (candidates.empty() || candidates.size() > words_worth_listing) return {};
  return "use " + any_of(candidates);
}

}  // namespace caisson
