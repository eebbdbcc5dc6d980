#include "generator/image/tar.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

namespace caisson::image {

namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t largest_plain_size = 077777777777;

struct Header {
  std::array<char, 100> name;
  std::array<char, 8> mode;
  std::array<char, 8> uid;
  std::array<char, 8> gid;
  std::array<char, 12> size;
  std::array<char, 12> mtime;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link;
  std::array<char, 6> magic;
  std::array<char, 2> version;
  std::array<char, 32> user;
  std::array<char, 32> group;
  std::array<char, 8> major;
  std::array<char, 8> minor;
  std::array<char, 155> prefix;
  std::array<char, 12> padding;
};
static_assert(sizeof(Header) == block);

template <std::size_t N>
void put(std::array<char, N>& field, std::string_view text) {
  std::copy_n(text.begin(), std::min(N, text.size()), field.begin());
}

template <std::size_t N>
void put_octal(std::array<char, N>& field, std::uint64_t value) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%0*llo", static_cast<int>(N - 1),
                static_cast<unsigned long long>(value));
  put(field, std::string_view(digits.data(), N - 1));
}

/// The path as `prefix` and `name` of a ustar header; nothing when it does not fit.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view path) {
  constexpr auto longest_name = sizeof(Header::name);
  if (path.size() <= longest_name) return std::pair{std::string_view{}, path};
  const auto slash = path.find('/', path.size() - longest_name - 1);
  if (slash == path.npos || slash == 0 || slash > sizeof(Header::prefix) ||
      slash + 1 == path.size()) {
    return std::nullopt;
  }
  return std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

void pad(std::string& out) { out.resize((out.size() + block - 1) / block * block, '\0'); }

void write(std::string& out, std::string_view path, std::string_view prefix, char type,
           const TarEntry& entry, std::uint64_t size, std::uint64_t seconds) {
  Header header{};
  put(header.name, path);
  put(header.prefix, prefix);
  put_octal(header.mode, entry.mode);
  put_octal(header.uid, entry.uid);
  put_octal(header.gid, entry.gid);
  put_octal(header.size, size);
  put_octal(header.mtime, seconds);
  header.type = type;
  put(header.magic, "ustar");  // and a NUL, which is there
  put(header.version, "00");
  header.checksum.fill(' ');
  unsigned sum = 0;
  std::array<unsigned char, block> bytes{};
  std::memcpy(bytes.data(), &header, block);
  for (const auto byte : bytes) sum += byte;
  std::snprintf(header.checksum.data(), header.checksum.size(), "%06o", sum);
  out.append(reinterpret_cast<const char*>(&header), block);
}

/// "LENGTH key=value\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length) ++length;
  return std::to_string(length) + ' ' + std::string(key) + '=' + std::string(value) + '\n';
}

}  // namespace

std::string to_tar(const std::vector<TarEntry>& entries, std::int64_t seconds) {
  const auto time = static_cast<std::uint64_t>(seconds);
  std::string out;
  for (const auto& entry : entries) {
    const auto path = entry.path + (entry.directory ? "/" : "");
    const std::uint64_t size = entry.bytes.size();
    const auto parts = split(path);
    std::string pax;
    if (!parts) pax += pax_record("path", path);
    if (size > largest_plain_size) pax += pax_record("size", std::to_string(size));
    if (!pax.empty()) {
      write(out, "pax", "", 'x', {.path = {}}, pax.size(), time);
      out += pax;
      pad(out);
    }
    const auto [prefix, name] =
        parts.value_or(std::pair{std::string_view{}, std::string_view(path).substr(0, 100)});
    write(out, name, prefix, entry.directory ? '5' : '0', entry,
          size > largest_plain_size ? 0 : size, time);
    out += entry.bytes;
    pad(out);
  }
  out.append(2 * block, '\0');
  return out;
}

}  // namespace caisson::image
