#include "base/json_text.h"

#include <cstdint>

#include "base/hex.h"
#include "base/utf8.h"

namespace caisson {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

void append_control(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += hex_digits[static_cast<std::uint8_t>(c) >> 4];
  out += hex_digits[static_cast<std::uint8_t>(c) & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, std::size_t limit) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    // Most text is plain ASCII: copy whole runs of it.
    std::size_t end = at;
    while (end < text.size() && end < limit && text[end] >= 0x20 && text[end] < 0x7F &&
           text[end] != '"' && text[end] != '\\') {
      ++end;
    }
    out += text.substr(at, end - at);
    at = end;
    if (at >= text.size()) break;

    const auto [value, length, valid] = decode_utf8(text.substr(at));
    if (at + length > limit) {
      out += "\xE2\x80\xA6";
      break;
    }
    if (!valid) {
      out += replacement;
    } else if (value == 0x2028 || value == 0x2029) {
      out += value == 0x2028 ? "\\u2028" : "\\u2029";
    } else if (length > 1) {
      out += text.substr(at, length);
    } else if (text[at] == '"' || text[at] == '\\') {
      out += '\\';
      out += text[at];
    } else {
      append_control(out, text[at]);
    }
    at += length;
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace caisson
