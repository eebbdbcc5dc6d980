#include "generator/publish/unified_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace caisson::publish {
namespace {

constexpr std::ptrdiff_t kMostEdits = 2000;
constexpr std::size_t kContext = 3;

/// The lines of a text with their terminators, so that a missing last newline is a difference.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

/// Which lines of either side have no partner on the other.
struct Edits {
  std::vector<char> removed;
  std::vector<char> added;
};

/// E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b: find a point in
/// the middle of a shortest edit path from both ends at once, then solve the two halves.
class Comparison {
 public:
  using Ids = std::span<const std::uint32_t>;

  Comparison(Ids before, Ids after)
      : before_(before),
        after_(after),
        edits_{.removed = std::vector<char>(before.size()),
               .added = std::vector<char>(after.size())} {
    const auto reach = std::min<std::size_t>(before.size() + after.size(), kMostEdits) + 2;
    forward_.resize(2 * reach + 1);
    backward_.resize(2 * reach + 1);
    compare(0, size(before), 0, size(after));
  }

  [[nodiscard]] Edits take() && { return std::move(edits_); }

 private:
  using Index = std::ptrdiff_t;

  /// A run of equal lines on a shortest path, from (before, after) to (before_end, after_end).
  struct Snake {
    Index before;
    Index after;
    Index before_end;
    Index after_end;
  };

  static Index size(Ids ids) { return static_cast<Index>(ids.size()); }

  void compare(Index b, Index b_end, Index a, Index a_end) {
    while (b < b_end && a < a_end && before_[b] == after_[a]) ++b, ++a;
    while (b < b_end && a < a_end && before_[b_end - 1] == after_[a_end - 1]) --b_end, --a_end;
    const auto snake = b < b_end && a < a_end ? middle(b, b_end, a, a_end) : std::nullopt;
    if (!snake) {
      std::fill(edits_.removed.begin() + b, edits_.removed.begin() + b_end, 1);
      std::fill(edits_.added.begin() + a, edits_.added.begin() + a_end, 1);
      return;
    }
    compare(b, snake->before, a, snake->after);
    compare(snake->before_end, b_end, snake->after_end, a_end);
  }

  /// The middle snake of a stretch whose first and last lines differ; nothing when more than
  /// `kMostEdits` edits are needed.
  std::optional<Snake> middle(Index b, Index b_end, Index a, Index a_end) {
    const Index rows = b_end - b;
    const Index columns = a_end - a;
    const Index delta = rows - columns;
    auto* forward = forward_.data() + forward_.size() / 2;
    auto* backward = backward_.data() + backward_.size() / 2;
    forward[1] = 0;
    backward[1] = 0;
    for (Index d = 0; d <= std::min((rows + columns + 1) / 2, kMostEdits / 2); ++d) {
      const Index lowest = -(d - 2 * std::max<Index>(0, d - columns));
      const Index highest = d - 2 * std::max<Index>(0, d - rows);
      for (Index k = lowest; k <= highest; k += 2) {
        const Index start = furthest(forward, k, d);
        Index x = start;
        while (x < rows && x - k < columns && before_[b + x] == after_[a + x - k]) ++x;
        forward[k] = x;
        const Index met = delta - k;
        if (delta % 2 != 0 && met > -d && met < d && x + backward[met] >= rows) {
          return Snake{b + start, a + start - k, b + x, a + x - k};
        }
      }
      for (Index k = lowest; k <= highest; k += 2) {
        const Index start = furthest(backward, k, d);
        Index x = start;
        while (x < rows && x - k < columns && before_[b_end - 1 - x] == after_[a_end - 1 - x + k]) {
          ++x;
        }
        backward[k] = x;
        const Index met = delta - k;
        if (delta % 2 == 0 && met >= -d && met <= d && x + forward[met] >= rows) {
          return Snake{b_end - x, a_end - x + k, b_end - start, a_end - start + k};
        }
      }
    }
    return std::nullopt;
  }

  /// Where diagonal `k` can be entered with `d` edits, given how far `d - 1` edits reach.
  static Index furthest(const Index* reached, Index k, Index d) {
    const bool down = k == -d || (k != d && reached[k - 1] < reached[k + 1]);
    return down ? reached[k + 1] : reached[k - 1] + 1;
  }

  Ids before_;
  Ids after_;
  Edits edits_;
  std::vector<Index> forward_;
  std::vector<Index> backward_;
};

Edits compare_lines(const std::vector<std::string_view>& before,
                    const std::vector<std::string_view>& after) {
  std::unordered_map<std::string_view, std::uint32_t> known;
  const auto number = [&](const std::vector<std::string_view>& lines) {
    std::vector<std::uint32_t> ids;
    ids.reserve(lines.size());
    for (const auto line : lines) {
      ids.push_back(
          known.try_emplace(line, static_cast<std::uint32_t>(known.size())).first->second);
    }
    return ids;
  };
  const auto before_ids = number(before);
  const auto after_ids = number(after);
  return Comparison(before_ids, after_ids).take();
}

class Printer {
 public:
  explicit Printer(bool colour) : colour_(colour) {}

  void header(std::string_view mark, std::string_view side, std::string_view name) {
    std::string text(mark);
    text.append(name.empty() ? "/dev/null" : side).append(name);
    line("\x1b[1m", text);
  }

  void line(std::string_view style, std::string_view text) {
    if (!colour_) {
      out_.append(text).append("\n");
      return;
    }
    out_.append(style);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
        out_.append({'^', static_cast<char>(byte ^ 0x40)});
      } else {
        out_ += c;
      }
    }
    if (!style.empty()) out_.append("\x1b[0m");
    out_ += '\n';
  }

  void content(char mark, std::string_view text) {
    const bool ended = text.ends_with('\n');
    if (ended) text.remove_suffix(1);
    line(mark == '-' ? "\x1b[31m" : mark == '+' ? "\x1b[32m" : "", mark + std::string(text));
    if (!ended) line("", "\\ No newline at end of file");
  }

  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  bool colour_;
  std::string out_;
};

/// One `@@` section: half-open line ranges of both sides.
struct Hunk {
  std::size_t before;
  std::size_t before_end;
  std::size_t after;
  std::size_t after_end;
};

/// Runs of changes with their context; runs whose contexts touch are one hunk.
std::vector<Hunk> hunks_of(const Edits& edits) {
  std::vector<Hunk> hunks;
  std::size_t b = 0;
  std::size_t a = 0;
  const auto b_size = edits.removed.size();
  const auto a_size = edits.added.size();
  while (b < b_size || a < a_size) {
    const auto b_start = b;
    const auto a_start = a;
    while (b < b_size && edits.removed[b]) ++b;
    while (a < a_size && edits.added[a]) ++a;
    if (b == b_start && a == a_start) {
      ++b, ++a;
      continue;
    }
    const auto lead = std::min(kContext, b_start);
    const auto trail = std::min(kContext, b_size - b);
    if (!hunks.empty() && hunks.back().before_end + lead >= b_start) {
      hunks.back().before_end = b + trail;
      hunks.back().after_end = a + trail;
    } else {
      hunks.push_back({b_start - lead, b + trail, a_start - lead, a + trail});
    }
  }
  return hunks;
}

std::string range(std::size_t begin, std::size_t end) {
  const auto count = end - begin;
  auto text = std::to_string(count == 0 ? begin : begin + 1);
  return count == 1 ? text : text + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, DiffNames names,
                         bool colour) {
  if (before == after) return {};
  Printer out(colour);
  if (before.find('\0') != std::string_view::npos || after.find('\0') != std::string_view::npos) {
    out.line("", "binary files " + std::string(names.before.empty() ? "/dev/null" : names.before) +
                     " and " + std::string(names.after.empty() ? "/dev/null" : names.after) +
                     " differ");
    return std::move(out).take();
  }
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  const auto edits = compare_lines(old_lines, new_lines);

  out.header("--- ", "a/", names.before);
  out.header("+++ ", "b/", names.after);
  for (const auto& hunk : hunks_of(edits)) {
    out.line("\x1b[36m", "@@ -" + range(hunk.before, hunk.before_end) + " +" +
                             range(hunk.after, hunk.after_end) + " @@");
    auto b = hunk.before;
    auto a = hunk.after;
    while (b < hunk.before_end || a < hunk.after_end) {
      if (b < hunk.before_end && edits.removed[b]) {
        out.content('-', old_lines[b++]);
      } else if (a < hunk.after_end && edits.added[a]) {
        out.content('+', new_lines[a++]);
      } else {
        out.content(' ', old_lines[b++]);
        ++a;
      }
    }
  }
  return std::move(out).take();
}

}  // namespace caisson::publish
