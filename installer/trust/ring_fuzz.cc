#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "installer/trust/ring.h"

/// The keys of a ring are all of its bytes, in their order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto keys = read_ring("fuzz", bytes);
  if (!keys) return 0;
  std::string whole;
  for (const auto& key : *keys) whole += key.bytes;
  if (whole != bytes) std::abort();
  return 0;
}
