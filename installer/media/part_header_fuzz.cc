#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/media/parts.h"

/// A header that is read is the one that is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = read_part_header("part", bytes);
      header && write_part_header(*header) != bytes) {
    abort();
  }
  return 0;
}
