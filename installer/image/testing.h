#pragma once

#include <string>
#include <string_view>

namespace caisson::installer::testing {

/// What a header of an archive says.
struct Said {
  std::string_view path;
  char type = '0';
  std::string_view content{};
  std::string_view target{};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
};

/// One member of a tar archive (ustar), its header checked whatever it says.
inline std::string member(const Said& said) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    block.replace(at, text.size(), text);
  };
  const auto octal = [&](std::size_t at, std::size_t width, unsigned long long value) {
    std::string digits(width, '0');
    for (auto i = width; i-- > 0; value /= 8) digits[i] = static_cast<char>('0' + value % 8);
    put(at, digits);
  };
  put(0, said.path.substr(0, 100));
  octal(100, 7, said.mode);
  octal(108, 7, said.uid);
  octal(116, 7, said.gid);
  octal(124, 11, said.content.size());
  octal(136, 11, 0);
  block[156] = said.type;
  put(157, said.target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  put(148, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  block[154] = '\0';
  std::string bytes(said.content);
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return block + bytes;
}

/// A member whose names are longer than a header holds, in the way of pax.
inline std::string long_member(const Said& said) {
  std::string records;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.size() <= 100) return;
    const auto rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    auto size = rest.size() + 1;
    while (std::to_string(size).size() + rest.size() != size) ++size;
    records += std::to_string(size) + rest;
  };
  add("path", said.path);
  add("linkpath", said.target);
  return member({.path = "pax", .type = 'x', .content = records}) + member(said);
}

/// The end of an archive.
inline std::string ended(std::string archive) { return archive + std::string(1024, '\0'); }

}  // namespace caisson::installer::testing
