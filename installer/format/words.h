#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "installer/format/lines.h"

namespace caisson::installer {

/// A word of a text and what it stands for. A reader and its writer share one table.
template <class Value>
struct Word {
  std::string_view text;
  Value value;
};

/// The word that stands for a value.
template <class Value, std::size_t N>
std::string_view word_of(const Word<Value> (&words)[N], Value value) {
  return std::ranges::find(words, value, &Word<Value>::value)->text;
}

/// Takes a word of the table.
template <class Value>
Value read_one_of(Lines& lines, std::span<const Word<Value>> words) {
  const auto text = lines.word();
  const auto word = std::ranges::find(words, text, &Word<Value>::text);
  if (word != words.end()) return word->value;
  std::string known;
  for (const auto& each : words) known.append(known.empty() ? "" : ", ").append(each.text);
  lines.refuse(Code::text_line, "expected one of: " + known);
  return words.front().value;
}

/// Takes a name: 1 to 40 lower-case letters, digits and '-', the first one a letter.
[[nodiscard]] std::string read_slug(Lines& lines);

}  // namespace caisson::installer
