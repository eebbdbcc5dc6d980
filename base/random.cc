#include "base/random.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include <sys/random.h>

#include "base/hex.h"

namespace caisson {
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

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  fill_random(random);
  return hex(random);
}

std::string random_bytes(std::size_t bytes) {
  std::string random(bytes, '\0');
  fill_random({reinterpret_cast<unsigned char*>(random.data()), random.size()});
  return random;
}

}  // namespace caisson
