// Edits in any encoding at any place: the text stays what its bytes say, places stay inside of it,
// and whatever is made of it, it can be outlined, folded and laid out.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "editor/format.h"
#include "editor/outline.h"
#include "editor/symbols.h"
#include "editor/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::editor;
  if (size < 6) return 0;
  const auto encoding = static_cast<Encoding>(data[0] % 3);
  const Range range{{data[1], data[2]}, {data[3], data[4]}};
  const std::string_view input(reinterpret_cast<const char*>(data + 6), size - 6);
  const std::size_t cut = input.empty() ? 0 : data[5] % (input.size() + 1);
  Text text{std::string(input.substr(0, cut))};
  text.replace(range, encoding, input.substr(cut));
  const Text again(text.bytes());
  if (again.lines() != text.lines()) std::abort();
  for (std::size_t offset = 0; offset <= text.bytes().size(); ++offset) {
    const auto position = text.position(offset, encoding);
    if (position != again.position(offset, encoding)) std::abort();
    const auto back = text.offset(position, encoding);
    if (back > text.bytes().size() || text.position(back, encoding) != position) std::abort();
  }
  const Part part{.tree = outline(text.bytes(), 0)};
  for (const Fold& fold : folds_of(part, text.bytes()))
    if (fold.first > fold.last || fold.last > text.lines()) std::abort();
  const auto once = caisson::editor::apply(text.bytes(), format(text.bytes()));
  if (caisson::editor::apply(once, format(once)) != once) std::abort();
  return 0;
}
