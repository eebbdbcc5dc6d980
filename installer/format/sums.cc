#include "installer/format/sums.h"

#include <algorithm>

#include "base/hex.h"
#include "installer/format/path.h"

namespace caisson::installer {

Checked<std::vector<Sum>> read_sums(std::string_view name, std::string_view text,
                                    std::string_view first) {
  Lines lines(name, text);
  std::vector<Sum> sums;
  std::vector<std::string_view> paths;
  while (!lines.done() && lines.take()) {
    Sum sum{.digest = lines.digest(), .path = {}};
    // `sha256sum` writes a second blank, which says that the file is read as text.
    if (!lines.take_blank()) break;
    sum.path = lines.path();
    const bool leads = sums.empty() && !first.empty();
    if (leads && sum.path != first) {
      lines.refuse(Code::text_order, "the first line has to be that of " + std::string(first));
    } else if (!leads && sum.path == first) {
      lines.refuse(Code::text_order, std::string(first) + " stands twice");
    } else if (sums.size() > (first.empty() ? 0U : 1U) && sum.path <= sums.back().path) {
      lines.refuse(Code::text_order, "the lines are not sorted by path, or one stands twice");
    }
    sums.push_back(std::move(sum));
    if (sums.size() > kMostPaths) lines.refuse(Code::too_many, "more than 400,000 files");
  }
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  paths.reserve(sums.size());
  for (const auto& sum : sums) paths.push_back(sum.path);
  if (auto conflict = conflict_of(name, std::move(paths))) return tl::unexpected(*conflict);
  return sums;
}

std::string write_sums(std::vector<Sum> sums, std::string_view first) {
  std::ranges::sort(sums, [first](const Sum& left, const Sum& right) {
    if ((left.path == first) != (right.path == first)) return left.path == first;
    return left.path < right.path;
  });
  std::string text;
  for (const auto& sum : sums) text += hex(sum.digest) + "  " + sum.path + "\n";
  return text;
}

}  // namespace caisson::installer
