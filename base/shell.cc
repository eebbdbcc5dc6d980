#include "base/shell.h"

#include <algorithm>

namespace caisson {

std::string shell_word(std::string_view word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string typed_word(std::string_view word) {
  constexpr std::string_view plain_marks = "/._-+=:@%,";
  const bool plain = !word.empty() && std::ranges::all_of(word, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           plain_marks.find(c) != std::string_view::npos;
  });
  return plain ? std::string(word) : shell_word(word);
}

}  // namespace caisson
