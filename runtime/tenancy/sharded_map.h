#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace caisson::tenancy {

/// A map from text to a small, copyable value (a shared_ptr to something immutable) that many
/// threads look things up in: a look-up locks one shard for as long as a copy takes.
template <class Value>
class ShardedMap {
 public:
  /// A default-constructed value when there is none.
  [[nodiscard]] Value find(std::string_view key) const {
    const Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.map.find(key);
    return found == shard.map.end() ? Value{} : found->second;
  }

  /// The value, made by `make()` under the shard's lock when there is none.
  template <class Make>
  [[nodiscard]] Value find_or_make(std::string_view key, Make make) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.map.find(key);
    if (found != shard.map.end()) return found->second;
    return shard.map.emplace(std::string(key), make()).first->second;
  }

  void set(std::string_view key, Value value) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    shard.map.insert_or_assign(std::string(key), std::move(value));
  }

  /// Sets the value to `change(value)`, of a default-constructed one when there is none.
  template <class Change>
  void change(std::string_view key, Change change) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    Value& value = shard.map.emplace(std::string(key), Value{}).first->second;
    value = change(value);
  }

  void erase(std::string_view key) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    if (const auto found = shard.map.find(key); found != shard.map.end()) shard.map.erase(found);
  }

  /// Erases the entry only while it still is `value`.
  void erase(std::string_view key, const Value& value) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.map.find(key);
    if (found != shard.map.end() && found->second == value) shard.map.erase(found);
  }

  /// Calls `visit(key, value)` for every entry, shard by shard, under the shard's lock.
  template <class Visit>
  void each(Visit visit) const {
    for (const Shard& shard : shards_) {
      const std::scoped_lock lock(shard.mutex);
      for (const auto& [key, value] : shard.map) visit(key, value);
    }
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Value, Hash, std::equal_to<>> map;
  };
  static constexpr std::size_t shard_count = 64;

  // The high bits: the map inside the shard uses the low ones.
  static std::size_t slot(std::string_view key) { return Hash{}(key) >> 58U; }
  Shard& shard_of(std::string_view key) { return shards_[slot(key)]; }
  const Shard& shard_of(std::string_view key) const { return shards_[slot(key)]; }

  std::array<Shard, shard_count> shards_;
};

}  // namespace caisson::tenancy
