#include "runtime/http/utf8.h"

namespace caisson::http {

bool Utf8Validator::feed(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (broken_) return false;
    if (missing_ > 0) {
      broken_ = byte < low_ || byte > high_;
      --missing_;
      low_ = 0x80;
      high_ = 0xbf;
      continue;
    }
    if (byte < 0x80) continue;
    // RFC 3629, section 4: only the second byte of a character has narrower bounds.
    if (byte >= 0xc2 && byte <= 0xdf) {
      missing_ = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      missing_ = 2;
      if (byte == 0xe0) low_ = 0xa0;
      if (byte == 0xed) high_ = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      missing_ = 3;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;
    } else {
      broken_ = true;
    }
  }
  return !broken_;
}

}  // namespace caisson::http
