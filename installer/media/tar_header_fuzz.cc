#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/media/tar.h"

/// A header that is read is the one that is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view block(reinterpret_cast<const char*>(data), size);
  if (const auto member = read_tar_header("archive", block); member && tar_header(*member) != block)
    abort();
  return 0;
}
