#include "installer/format/words.h"

namespace caisson::installer {

std::string read_slug(Lines& lines) {
  const auto word = lines.word();
  if (word.empty() || word.size() > 40 || word.front() < 'a' || word.front() > 'z' ||
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string_view::npos) {
    lines.refuse(Code::text_line,
                 "a name has 1 to 40 lower-case letters, digits and '-', and begins with a letter");
  }
  return std::string(word);
}

}  // namespace caisson::installer
