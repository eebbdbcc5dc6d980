#include "runtime/ingress/token_verifier.h"

#include <cstring>

#include <sys/stat.h>

namespace caisson::ingress {
namespace {

constexpr std::int64_t look_every_ns = 1'000'000'000;

}  // namespace

std::size_t TokenCache::Hash::operator()(const Digest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

TokenCache::TokenCache(std::size_t entries)
    : entries_a_shard_(std::max<std::size_t>(1, entries / shard_count)) {}

TokenCache::Shard& TokenCache::shard(const Digest& digest) {
  return shards_[digest.back() % shards_.size()];
}

TokenPtr TokenCache::find(const Digest& digest, std::uint64_t generation) {
  Shard& mine = shard(digest);
  const std::lock_guard lock(mine.mutex);
  const auto found = mine.index.find(digest);
  if (found == mine.index.end()) return nullptr;
  if (found->second->generation != generation) {
    mine.entries.erase(found->second);
    mine.index.erase(found);
    return nullptr;
  }
  mine.entries.splice(mine.entries.begin(), mine.entries, found->second);
  return found->second->token;
}

void TokenCache::put(const Digest& digest, std::uint64_t generation, TokenPtr token) {
  Shard& mine = shard(digest);
  const std::lock_guard lock(mine.mutex);
  if (mine.index.contains(digest)) return;
  mine.entries.push_front({.digest = digest, .generation = generation, .token = std::move(token)});
  mine.index.emplace(digest, mine.entries.begin());
  if (mine.entries.size() > entries_a_shard_) {
    mine.index.erase(mine.entries.back().digest);
    mine.entries.pop_back();
  }
}

std::size_t TokenCache::size() const {
  std::size_t count = 0;
  for (const Shard& one : shards_) {
    const std::lock_guard lock(one.mutex);
    count += one.entries.size();
  }
  return count;
}

Result<std::unique_ptr<TokenVerifier>> TokenVerifier::open(const context::TokenSettings& settings,
                                                           const Clock& clock,
                                                           const observe::Log& log,
                                                           std::size_t cache_entries) {
  std::unique_ptr<TokenVerifier> verifier(new TokenVerifier(settings, clock, log, cache_entries));
  verifier->file_ = verifier->look();
  auto keys = load_keys(settings);
  if (!keys) return tl::unexpected(keys.error());
  verifier->keys_ = std::make_shared<const Keys>(Keys{.set = std::move(*keys), .generation = 1});
  return verifier;
}

TokenVerifier::TokenVerifier(const context::TokenSettings& settings, const Clock& clock,
                             const observe::Log& log, std::size_t cache_entries)
    : settings_(settings),
      clock_(clock),
      log_(log),
      cache_(cache_entries),
      next_look_ns_(clock.steady_ns() + look_every_ns) {}

context::FileState TokenVerifier::look() const {
  return context::FileState::of(settings_.key_file.empty() ? settings_.jwks_file
                                                           : settings_.key_file);
}

void TokenVerifier::reload_if_changed() {
  const context::FileState now = look();
  const std::lock_guard lock(mutex_);
  if (now == file_) return;
  file_ = now;
  auto keys = load_keys(settings_);
  if (!keys) {
    log_.error("the keys of tokens could not be read again; the old ones stay",
               {{"failure", keys.error().text()}});
    return;
  }
  keys_ = std::make_shared<const Keys>(
      Keys{.set = std::move(*keys), .generation = keys_->generation + 1});
  generation_ = keys_->generation;
  log_.info("the keys of tokens were read again",
            {{"keys", static_cast<std::int64_t>(keys_->set.keys().size())}});
}

std::shared_ptr<const TokenVerifier::Keys> TokenVerifier::keys() {
  const std::int64_t now_ns = clock_.steady_ns();
  std::int64_t due = next_look_ns_.load(std::memory_order_relaxed);
  // Whoever moves the time on is the one to look.
  if (now_ns >= due && next_look_ns_.compare_exchange_strong(due, now_ns + look_every_ns))
    reload_if_changed();
  const std::lock_guard lock(mutex_);
  return keys_;
}

tl::expected<TokenPtr, std::string_view> TokenVerifier::verify(std::string_view token) {
  if (token.size() > max_token_bytes) return tl::unexpected(std::string_view("it is too long"));
  const std::shared_ptr<const Keys> keys = this->keys();
  const std::int64_t now_ms = clock_.unix_ms();
  const Digest digest = sha256(token);
  if (TokenPtr known = cache_.find(digest, keys->generation)) {
    if (known->holds_at(now_ms, settings_.leeway_ms)) return known;
    return tl::unexpected(std::string_view("it has expired or does not hold yet"));
  }
  auto verified = verify_token(token, keys->set, settings_, now_ms);
  if (!verified) return tl::unexpected(verified.error());
  auto shared = std::make_shared<const Token>(std::move(*verified));
  cache_.put(digest, keys->generation, shared);
  return shared;
}

}  // namespace caisson::ingress
