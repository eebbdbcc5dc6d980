#include "runtime/http/peers.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace caisson::http {

std::string counted_as(std::string_view address) {
  std::string text(address);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, bytes.data(), network.data(), network.size());
  return network.data();
}

std::shared_ptr<Peer> Peers::find(std::string_view address, bool trusted) {
  const std::lock_guard lock(mutex_);
  if (peers_.size() >= sweep_at_) {
    std::erase_if(peers_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, peers_.size() * 2);
  }
  auto& known = peers_[counted_as(address)];
  auto peer = known.lock();
  if (!peer) {
    using observe::Share;
    peer = std::make_shared<Peer>(
        std::make_shared<Share>(budget_, trusted ? Share::Bound::many : Share::Bound::one),
        trusted);
    known = peer;
  }
  return peer;
}

}  // namespace caisson::http
