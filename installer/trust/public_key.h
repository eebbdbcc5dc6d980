#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "installer/format/root.h"

// From OpenSSL, whose headers stay out of this one.
struct evp_md_ctx_st;

namespace caisson::installer {

/// Why a key cannot check anything, or empty: a point of Ed25519 that is not canonical, of small
/// order, under which one signature fits many texts, or with a part of small order, under which
/// readers disagree; one of either curve that is not on it.
[[nodiscard]] std::string_view fault_of_key(const Key& key);

/// Whether `signature`, r and s in 32 bytes each, is one of `digest` by the key. Ed25519 signs the
/// digest as its message, as OpenPGP's algorithm 22 does.
[[nodiscard]] bool verifies(const Key& key, std::string_view digest, std::string_view signature);

/// A SHA-256 or SHA-512 of bytes that come in pieces. A failure of OpenSSL ends the process.
class Hashing {
 public:
  explicit Hashing(Hash hash);

  void update(std::string_view bytes);
  /// Of all that came. Nothing may come afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace caisson::installer
