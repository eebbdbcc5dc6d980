#include "runtime/observe/json_text.h"

#include <cstdint>

namespace caisson::observe {
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
  constexpr std::string_view hex = "0123456789abcdef";
  out += "\\u00";
  out += hex[static_cast<std::uint8_t>(c) >> 4];
  out += hex[static_cast<std::uint8_t>(c) & 15];
}

}  // namespace

std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const std::uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

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

    const std::size_t length = sequence_length(text.substr(at));
    if (at + (length == 0 ? 1 : length) > limit) {
      out += "\xE2\x80\xA6";
      break;
    }
    const std::string_view character = text.substr(at, length);
    if (length == 0) {
      out += replacement;
    } else if (length > 1) {
      if (character == "\xE2\x80\xA8") {
        out += "\\u2028";
      } else if (character == "\xE2\x80\xA9") {
        out += "\\u2029";
      } else {
        out += character;
      }
    } else if (text[at] == '"' || text[at] == '\\') {
      out += '\\';
      out += text[at];
    } else {
      append_control(out, text[at]);
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

}  // namespace caisson::observe
