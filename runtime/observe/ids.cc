#include "runtime/observe/ids.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/random.h>

namespace caisson::observe {
namespace {

void from_kernel(std::span<unsigned char> out) noexcept {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got > 0) {
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      std::abort();
    }
  }
}

/// Random bytes of one thread; what was handed out is wiped, so that a later memory leak tells
/// nothing.
struct Pool {
  std::array<unsigned char, 1024> bytes;
  std::size_t used = sizeof bytes;
};

}  // namespace

void fill_random(std::span<unsigned char> out) noexcept {
  thread_local Pool pool;
  if (out.size() > pool.bytes.size() / 4) {
    from_kernel(out);
    return;
  }
  if (pool.bytes.size() - pool.used < out.size()) {
    from_kernel(pool.bytes);
    pool.used = 0;
  }
  const auto from = pool.bytes.begin() + static_cast<std::ptrdiff_t>(pool.used);
  std::copy_n(from, out.size(), out.begin());
  std::fill_n(from, out.size(), static_cast<unsigned char>(0));
  pool.used += out.size();
}

std::string new_uuid(std::int64_t unix_ms) {
  std::array<unsigned char, 16> bytes;
  fill_random(std::span(bytes).subspan(6));
  for (int i = 5; i >= 0; --i, unix_ms >>= 8)
    bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(unix_ms);
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x70);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);

  constexpr std::string_view hex = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t at = 0;
  for (const unsigned char byte : bytes) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    text[at++] = hex[byte >> 4];
    text[at++] = hex[byte & 15];
  }
  return text;
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return false;
    } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return false;
    }
  }
  return text[14] == '7' && std::string_view("89ab").find(text[19]) != std::string_view::npos;
}

}  // namespace caisson::observe
