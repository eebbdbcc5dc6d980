#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/observe/budget.h"

namespace caisson::http {

/// What a server keeps of one peer while it has connections.
struct Peer {
  explicit Peer(std::shared_ptr<observe::Share> share_of_budget, bool trusted_proxy)
      : share(std::move(share_of_budget)), trusted(trusted_proxy) {}

  /// Pays for bytes before it is known whose they are.
  const std::shared_ptr<observe::Share> share;
  const bool trusted;
  std::atomic<std::size_t> connections = 0;
};

/// The peers of a server's connections, by address: an IPv4 address, or the 64 bits of an IPv6 one
/// that a site gets as a whole. Safe to use from every thread.
class Peers {
 public:
  explicit Peers(std::shared_ptr<observe::Budget> budget) : budget_(std::move(budget)) {}

  /// Nobody's share bounds a trusted peer: it brings the bytes and connections of others.
  [[nodiscard]] std::shared_ptr<Peer> find(std::string_view address, bool trusted);

 private:
  const std::shared_ptr<observe::Budget> budget_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Peer>> peers_;
  std::size_t sweep_at_ = 64;  ///< entries, at which those of peers that are gone are dropped
};

/// As which address `address` is counted.
[[nodiscard]] std::string counted_as(std::string_view address);

}  // namespace caisson::http
