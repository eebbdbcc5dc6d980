#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json.hpp>

#include "runtime/context/json_reader.h"
#include "runtime/context/strict_json.h"

namespace {

namespace json = boost::json;

/// What strict reading refuses and Boost takes: keys that are there twice. What it takes and Boost
/// refuses: exponents that no number of it can have.
bool may_differ(std::string_view what) {
  return what.find("twice") != std::string_view::npos ||
         what.find("large") != std::string_view::npos;
}

}  // namespace

/// Any bytes are either a value that reads back as itself from what is written of it, the same that
/// Boost reads, with every member where the reader says that it lies; or an error at a place of the
/// text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::context;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t built : {0U, 1U, 3U}) {
    const auto outline = parse_outline(text, 32, built, size + 1);
    if (outline.has_value() != parse_strict(text, 32, Numbers::any).has_value()) std::abort();
  }
  const auto value = parse_strict(text);
  json::error_code refused;
  const auto other = json::parse(text, refused);
  if (!value) {
    const auto& error = value.error();
    if (error.what.empty() || error.line < 1 || error.column < 1 || error.column > size + 1) {
      std::abort();
    }
    if (!refused && !may_differ(error.what)) std::abort();
    return 0;
  }
  if (refused && refused != json::error::exponent_overflow) std::abort();
  const auto again = parse_strict(json::serialize(*value));
  if (!again || *again != *value) std::abort();
  if (const auto* object = value->if_object()) {
    for (const auto& member : *object) {
      const std::string key(member.key());
      JsonReader reader(text);
      if (!reader.find({&key, 1})) std::abort();
      const auto cut = parse_strict(reader.whole_value());
      if (!cut || *cut != member.value()) std::abort();
      static_cast<void>(cut_members(text, key, "value"));
    }
  }
  return 0;
}
