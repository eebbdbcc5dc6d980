#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "generator/publish/inventory.h"

/// Any bytes are either an inventory of contained paths that reads back as itself, or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::publish;
  const auto inventory = parse_inventory({reinterpret_cast<const char*>(data), size});
  if (!inventory) return 0;
  for (const auto& [path, entry] : inventory->files) {
    if (!is_contained(path)) std::abort();
  }
  const auto again = parse_inventory(to_json(*inventory));
  if (!again || *again != *inventory) std::abort();
  return 0;
}
