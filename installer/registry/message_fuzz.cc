#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/registry/message.h"
#include "installer/registry/reference.h"

/// The first byte says which reader gets what follows the first line. What is read is bounded by
/// the text and fit to be sent on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size < 2) return 0;
  const auto text = bytes.substr(2);
  const auto need = [](bool holds) {
    if (!holds) abort();
  };
  const auto is_clean = [](std::string_view value) {
    return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  };
  switch (bytes[0]) {
    case 'q':
    case 'a': {
      const auto head = bytes[0] == 'q' ? read_request(text) : read_answer(text);
      if (!head) break;
      need(is_clean(head->method) && is_clean(head->target));
      for (const auto& [name, value] : head->fields) {
        need(!name.empty() && is_clean(name) && is_clean(value));
      }
      break;
    }
    case 'c':
      if (const auto challenge = read_challenge(text)) {
        need(is_clean(challenge->realm) && is_clean(challenge->service));
      }
      break;
    case 't':
      if (const auto token = read_token(text)) need(!token->empty() && is_clean(*token));
      break;
    default:
      if (const auto reference = reference_of(text)) need(is_repository(reference->repository));
  }
  return 0;
}
