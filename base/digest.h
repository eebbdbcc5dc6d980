#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

// From OpenSSL, whose headers stay out of this one.
struct evp_md_ctx_st;

namespace caisson {

/// A SHA-256 (FIPS 180-4) as bytes.
using Digest = std::array<unsigned char, 32>;

/// SHA-256 of bytes that come in pieces. A failure of OpenSSL ends the process: a digest that is
/// silently wrong would match other wrong ones.
class Sha256 {
 public:
  Sha256();

  void update(std::string_view bytes) noexcept;
  /// Of everything since the beginning or the last `finish`; then it begins anew.
  [[nodiscard]] Digest finish() noexcept;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// SHA-256 of `text`. About 0.3 us for a short text.
[[nodiscard]] Digest sha256(std::string_view text) noexcept;

/// SHA-256 of the concatenation of `first` and `second`.
[[nodiscard]] Digest sha256(std::string_view first, std::string_view second) noexcept;

/// SHA-256 in lower-case hexadecimal, as sha256sum prints it.
[[nodiscard]] std::string sha256_hex(std::string_view text);

/// HMAC-SHA-256 (RFC 2104) of `text` under `key`.
[[nodiscard]] Digest hmac_sha256(std::string_view key, std::string_view text) noexcept;

/// The bytes of a digest as a string.
[[nodiscard]] inline std::string bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Compares in time that depends on the lengths alone.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace caisson
