#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "runtime/context/strict_json.h"

/// Any bytes are either a value that reads back as itself from what is written of it, or an error
/// at a place of the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::context;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parse_strict(text);
  if (!value) {
    const auto& error = value.error();
    if (error.what.empty() || error.line < 1 || error.column < 1 || error.column > size + 1) {
      std::abort();
    }
    return 0;
  }
  const auto again = parse_strict(boost::json::serialize(*value));
  if (!again || *again != *value) std::abort();
  return 0;
}
