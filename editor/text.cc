#include "editor/text.h"

#include <algorithm>
#include <utility>

namespace caisson::editor {
namespace {

constexpr std::size_t block = 1024;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Every byte but a continuation starts a character; those of four bytes are surrogate pairs.
std::uint32_t units_of(char c, Encoding encoding) {
  if (encoding == Encoding::utf8) return 1;
  if (continues(c)) return 0;
  return encoding == Encoding::utf16 && static_cast<unsigned char>(c) >= 0xF0U ? 2 : 1;
}

}  // namespace

Text::Text(std::string bytes) : bytes_(std::move(bytes)) { index(); }

void Text::index() {
  starts_.assign(1, 0);
  for (std::size_t at = bytes_.find_first_of("\r\n"); at != std::string::npos;
       at = bytes_.find_first_of("\r\n", at)) {
    at += bytes_.compare(at, 2, "\r\n") == 0 ? 2 : 1;
    starts_.push_back(static_cast<std::uint32_t>(at));
  }
  characters_.assign(1, 0);
  units_.assign(1, 0);
  for (std::size_t at = block; at <= bytes_.size(); at += block) {
    std::uint32_t characters = characters_.back();
    std::uint32_t units = units_.back();
    for (std::size_t i = at - block; i < at; ++i) {
      characters += units_of(bytes_[i], Encoding::utf32);
      units += units_of(bytes_[i], Encoding::utf16);
    }
    characters_.push_back(characters);
    units_.push_back(units);
  }
}

std::size_t Text::line_end(std::size_t number) const {
  if (number + 1 == starts_.size()) return bytes_.size();
  const std::size_t next = starts_[number + 1];
  return next - (next >= 2 && bytes_.compare(next - 2, 2, "\r\n") == 0 ? 2 : 1);
}

std::string_view Text::line(std::size_t number) const {
  if (number >= starts_.size()) return {};
  return std::string_view(bytes_).substr(starts_[number], line_end(number) - starts_[number]);
}

std::size_t Text::line_at(std::size_t offset) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin()) - 1;
}

std::size_t Text::units_before(std::size_t offset, Encoding encoding) const {
  if (encoding == Encoding::utf8) return offset;
  const std::size_t whole = offset / block;
  std::size_t count = (encoding == Encoding::utf16 ? units_ : characters_)[whole];
  for (std::size_t i = whole * block; i < offset; ++i) count += units_of(bytes_[i], encoding);
  return count;
}

std::uint32_t Text::offset(Position position, Encoding encoding) const {
  if (position.line >= starts_.size()) return static_cast<std::uint32_t>(bytes_.size());
  const std::size_t begin = starts_[position.line];
  const std::size_t end = line_end(position.line);
  const std::size_t wanted = units_before(begin, encoding) + position.character;
  std::size_t at = begin;
  if (encoding == Encoding::utf8) {
    at = std::min<std::size_t>(begin + position.character, end);
  } else {
    // The last block of the line that starts no later than the place.
    const auto& counts = encoding == Encoding::utf16 ? units_ : characters_;
    const auto first = counts.begin() + static_cast<std::ptrdiff_t>(begin / block + 1);
    const auto last = counts.begin() + static_cast<std::ptrdiff_t>(end / block + 1);
    const auto behind = first < last ? std::upper_bound(first, last, wanted) : first;
    at =
        std::max<std::size_t>(begin, static_cast<std::size_t>(behind - counts.begin() - 1) * block);
    std::size_t count = units_before(at, encoding);
    for (; at < end; ++at) {
      const std::uint32_t units = units_of(bytes_[at], encoding);
      if (units > 0 && count + units > wanted) break;
      count += units;
    }
  }
  while (at > begin && at < end && continues(bytes_[at])) --at;
  return static_cast<std::uint32_t>(at);
}

Position Text::position(std::size_t offset, Encoding encoding) const {
  offset = std::min(offset, bytes_.size());
  const std::size_t line = line_at(offset);
  const std::size_t begin = starts_[line];
  offset = std::min(offset, line_end(line));
  while (offset > begin && offset < bytes_.size() && continues(bytes_[offset])) --offset;
  return {.line = static_cast<std::uint32_t>(line),
          .character = static_cast<std::uint32_t>(units_before(offset, encoding) -
                                                  units_before(begin, encoding))};
}

Range Text::range(source::Span span, Encoding encoding) const {
  return {.start = position(span.begin, encoding), .end = position(span.end, encoding)};
}

void Text::replace(const Range& range, Encoding encoding, std::string_view replacement) {
  const auto [begin, end] =
      std::minmax({offset(range.start, encoding), offset(range.end, encoding)});
  bytes_.replace(begin, end - begin, replacement);
  index();
}

}  // namespace caisson::editor
