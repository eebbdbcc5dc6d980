#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/base64url.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/uuid.h"

/// Whatever is read is written again as it was, and two readers of the same thing agree.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto need = [](bool holds) {
    if (!holds) std::abort();
  };

  if (const auto bytes = decode_base64url(text)) need(encode_base64url(*bytes) == text);
  if (const auto bytes = decode_base64(text)) need(encode_base64(*bytes) == text);
  if (const auto id = Uuid::parse(text)) need(id->text() == text);
  if (const auto bytes = percent_decoded(text))
    need(percent_decoded(percent_encoded(*bytes)) == bytes);
  if (const auto ms = parse_rfc3339(text)) need(parse_rfc3339(rfc3339(*ms)) == ms);
  if (is_path_below(text)) need(std::filesystem::path(text).lexically_normal().string() == text);

  Utf8Validator validator;
  for (const char& c : text) static_cast<void>(validator.feed({&c, 1}));
  const auto invalid = first_invalid_utf8(text);
  need(validator.complete() == !invalid);
  std::string copy;
  for (std::size_t at = 0; at < text.size();) {
    const Scalar scalar = decode_utf8(text.substr(at));
    append_utf8(copy, scalar.value);
    at += scalar.length;
  }
  need(!first_invalid_utf8(copy) && (copy == text || invalid));
  need(!first_invalid_utf8(json_string(text)));
  return 0;
}
