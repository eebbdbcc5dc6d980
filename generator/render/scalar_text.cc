#include "generator/render/scalar_text.h"

#include <array>
#include <charconv>

#include "base/utf8.h"

namespace caisson::render {

char32_t next_scalar(std::string_view text, std::size_t& offset) {
  const Scalar scalar = decode_utf8(text.substr(offset));
  const auto byte = static_cast<unsigned char>(text[offset]);
  offset += scalar.length;
  return scalar.valid ? scalar.value : byte;
}

std::string decimal(double value) {
  std::array<char, 400> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  std::string out(buffer.data(), error == std::errc{} ? end : buffer.data());
  if (out.find('.') == out.npos) out += ".0";
  return out;
}

}  // namespace caisson::render
