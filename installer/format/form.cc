#include "installer/format/form.h"

#include <algorithm>
#include <iterator>

#include "installer/format/words.h"

namespace caisson::installer {
namespace {

constexpr Word<Form> kWords[] = {
    {"systemd", Form::systemd}, {"compose", Form::compose}, {"helm", Form::helm}};

}  // namespace

std::string_view to_text(Form form) { return word_of(kWords, form); }

std::optional<Form> form_of(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &Word<Form>::text);
  if (found == std::end(kWords)) return std::nullopt;
  return found->value;
}

}  // namespace caisson::installer
