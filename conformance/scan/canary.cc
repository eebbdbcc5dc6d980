#include "conformance/scan/canary.h"

#include <array>
#include <cstdlib>

#include <sys/random.h>

namespace caisson::conformance {

std::string random_hex(std::size_t bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes * 2);
  std::array<unsigned char, 64> block{};
  while (out.size() < bytes * 2) {
    // getrandom never fails for requests of up to 256 bytes once the kernel's pool is ready.
    if (getrandom(block.data(), block.size(), 0) != static_cast<ssize_t>(block.size()))
      std::abort();
    for (const unsigned char byte : block) {
      if (out.size() == bytes * 2) break;
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

Canary make_canary(std::string_view run, std::string_view tenant, std::string_view sink) {
  std::string nonce = random_hex(16);
  std::string text = "CAISSON-";
  text.append(run).append("-").append(tenant).append("-").append(sink).append("-").append(nonce);
  return {.tenant = std::string(tenant),
          .sink = std::string(sink),
          .text = std::move(text),
          .needle = std::move(nonce)};
}

Canary secret_canary(std::string_view tenant, std::string_view sink, std::string_view secret) {
  return {.tenant = std::string(tenant),
          .sink = std::string(sink),
          .text = std::string(secret),
          .needle = std::string(secret)};
}

}  // namespace caisson::conformance
