#include "runtime/observe/faults.h"

namespace caisson::observe {

Faults::Faults(std::initializer_list<Fault> faults) {
  for (const Fault& fault : faults) note(fault.pointer, fault.detail);
}

void Faults::note(std::string_view pointer, std::string_view detail) {
  if (++noted_ <= most_told) {
    told_.push_back({.pointer = shortened(pointer, longest_pointer),
                     .detail = shortened(detail, longest_detail)});
    return;
  }
  if (told_.size() == most_told) told_.emplace_back();
  told_.back().detail = "and " + std::to_string(noted_ - most_told) + " more, which are not told";
}

std::string shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return std::string(text);
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  // A character has at most three bytes behind its first one.
  std::size_t end = longest;
  for (int i = 0; i < 3 && end > 0 && continues(text[end]); ++i) --end;
  return std::string(text.substr(0, end)) + "\xE2\x80\xA6";
}

}  // namespace caisson::observe
