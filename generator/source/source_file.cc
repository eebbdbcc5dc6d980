#include "generator/source/source_file.h"

#include <algorithm>
#include <utility>

namespace caisson::source {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t block = 4096;

/// Every byte but the continuation bytes of UTF-8 starts a scalar value.
std::size_t count_scalars(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {}

const std::vector<std::uint32_t>& SourceFile::line_starts() const {
  if (line_starts_.empty()) {
    line_starts_.push_back(0);
    for (std::size_t at = text_.find('\n'); at != std::string::npos;
         at = text_.find('\n', at + 1)) {
      line_starts_.push_back(static_cast<std::uint32_t>(at + 1));
    }
  }
  return line_starts_;
}

Position SourceFile::position(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto line = line_at(offset);
  const std::uint32_t start = line_starts()[line - 1];

  // A byte order mark is no column: editors do not show it.
  const bool marked = start == 0 && offset >= 3 && text_.starts_with(byte_order_mark);
  const std::size_t column = 1 + scalars_before(offset) - scalars_before(start) - (marked ? 1 : 0);
  return {.line = line, .column = column};
}

std::size_t SourceFile::line_at(std::uint32_t offset) const {
  const auto& starts = line_starts();
  return static_cast<std::size_t>(std::ranges::upper_bound(starts, offset) - starts.begin());
}

std::size_t SourceFile::scalars_before(std::size_t offset) const {
  if (scalar_counts_.empty()) {
    scalar_counts_.push_back(0);
    for (std::size_t at = block; at <= text_.size(); at += block) {
      const auto count = count_scalars(std::string_view(text_).substr(at - block, block));
      scalar_counts_.push_back(scalar_counts_.back() + static_cast<std::uint32_t>(count));
    }
  }
  const std::size_t start = offset / block * block;
  return scalar_counts_[offset / block] +
         count_scalars(std::string_view(text_).substr(start, offset - start));
}

std::string_view SourceFile::line(std::size_t number) const {
  const auto& starts = line_starts();
  if (number == 0 || number > starts.size()) return {};
  const std::size_t begin = starts[number - 1];
  const std::size_t end = number < starts.size() ? starts[number] - 1 : text_.size();
  auto line = std::string_view(text_).substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (begin == 0 && line.starts_with(byte_order_mark)) line.remove_prefix(3);
  return line;
}

}  // namespace caisson::source
