#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/digest.h"
#include "base/time.h"
#include "runtime/context/file_state.h"
#include "runtime/ingress/jwt.h"
#include "runtime/observe/log.h"

namespace caisson::ingress {

using TokenPtr = std::shared_ptr<const Token>;

/// Tokens that were verified, by the SHA-256 of their text; the least recently used go first.
class TokenCache {
 public:
  explicit TokenCache(std::size_t entries);

  /// Null when it is not there, or was put there under other keys.
  [[nodiscard]] TokenPtr find(const Digest& digest, std::uint64_t generation);
  void put(const Digest& digest, std::uint64_t generation, TokenPtr token);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    Digest digest;
    std::uint64_t generation;
    TokenPtr token;
  };
  struct Hash {
    std::size_t operator()(const Digest& digest) const noexcept;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  ///< most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator, Hash> index;
  };
  [[nodiscard]] Shard& shard(const Digest& digest);

  const std::size_t entries_a_shard_;
  static constexpr std::size_t shard_count = 16;
  std::array<Shard, shard_count> shards_;
};

/// Verifies tokens with the keys of a file, which is read again, within a second, when it has
/// changed; keys that are gone from it verify nothing from then on, remembered tokens included.
/// Safe to use from every thread.
class TokenVerifier {
 public:
  [[nodiscard]] static Result<std::unique_ptr<TokenVerifier>> open(
      const context::TokenSettings& settings, const Clock& clock, const observe::Log& log,
      std::size_t cache_entries = 4096);

  /// The error is the reason for the log.
  [[nodiscard]] tl::expected<TokenPtr, std::string_view> verify(std::string_view token);

  /// Counts the contents of the key file, from 1 on.
  [[nodiscard]] std::uint64_t generation() { return keys()->generation; }
  /// The same as of the last look at the file; cheap.
  [[nodiscard]] std::uint64_t last_generation() const { return generation_; }

 private:
  struct Keys {
    KeySet set;
    std::uint64_t generation;
  };

  TokenVerifier(const context::TokenSettings& settings, const Clock& clock, const observe::Log& log,
                std::size_t cache_entries);
  [[nodiscard]] context::FileState look() const;
  [[nodiscard]] std::shared_ptr<const Keys> keys();
  void reload_if_changed();

  const context::TokenSettings settings_;
  const Clock& clock_;
  const observe::Log& log_;
  TokenCache cache_;
  std::atomic<std::int64_t> next_look_ns_;
  std::mutex mutex_;  ///< of what follows
  context::FileState file_;
  std::shared_ptr<const Keys> keys_;
  std::atomic<std::uint64_t> generation_ = 1;  ///< of `keys_`
};

}  // namespace caisson::ingress
