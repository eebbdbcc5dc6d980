#include "runtime/watch/watcher.h"

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "runtime/observe/walls.h"
#include "runtime/watch/feeds.h"

namespace caisson::watch {
namespace {

std::string_view name(storage::Change::Op op) {
  switch (op) {
    case storage::Change::Op::created:
      return "created";
    case storage::Change::Op::replaced:
      return "replaced";
    case storage::Change::Op::deleted:
      break;
  }
  return "deleted";
}

std::string text_of(const storage::Change& change, std::uint64_t sequence) {
  std::string text;
  text.reserve(224);
  text.append(R"({"sequence":)").append(std::to_string(sequence));
  text.append(R"(,"op":")").append(name(change.op));
  text.append(R"(","collection":")").append(change.collection);  // [a-z0-9_-]: nothing to escape
  text.append(R"(","id":")").append(change.id.text());
  text.append(R"(","version":)").append(std::to_string(change.version));
  text.append(R"(,"time":")").append(rfc3339(change.time_ms)).append("\"}");
  return text;
}

}  // namespace

Watcher::Watcher(Feeds& feeds, std::shared_ptr<Feed> feed, Terms terms)
    : feeds_(feeds), feed_(std::move(feed)), terms_(std::move(terms)) {}

Watcher::~Watcher() { feeds_.leave(*this); }

void Watcher::opened(std::shared_ptr<http::SocketWaker> waker) {
  feeds_.opened_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(feed_->mutex);
  waker_ = std::move(waker);
}

std::optional<std::string> Watcher::next() {
  storage::Change change;
  std::uint64_t sequence = 0;
  {
    const std::lock_guard lock(feed_->mutex);
    if (std::exchange(announce_, false)) {
      feeds_.messages_.fetch_add(1, std::memory_order_relaxed);
      const bool gap = std::exchange(gap_, false);
      if (gap) feeds_.gaps_.fetch_add(1, std::memory_order_relaxed);
      return R"({"sequence":)" + std::to_string(place_ - 1) +
             (gap ? R"(,"gap":true})" : R"(,"gap":false})");
    }
    if (place_ < feed_->first) {
      // Nothing is skipped in silence: who comes back with `after` is told of the gap.
      Feeds::end(*this, {.code = http::SocketClose::try_later,
                         .reason = "too slow: changes were dropped before they were read"});
      return {};
    }
    const auto wanted = [this](const storage::Change& one) {
      return terms_.collections.empty() ||
             std::ranges::find(terms_.collections, one.collection) != terms_.collections.end();
    };
    while (place_ < feed_->end() && !wanted(feed_->window[place_ - feed_->first])) ++place_;
    if (place_ == feed_->end()) return {};
    change = feed_->window[place_ - feed_->first];
    sequence = place_++;
  }
  feeds_.messages_.fetch_add(1, std::memory_order_relaxed);
  return text_of(change, sequence);
}

std::optional<http::SocketClose> Watcher::ending() {
  if (ends_) {
    ours_ = true;
    const std::lock_guard lock(feed_->mutex);
    return ending_;
  }
  const std::int64_t expires_ms = terms_.caller->expires_ms;
  if (expires_ms == 0 || feeds_.clock_.unix_ms() < expires_ms) return {};
  if (is_down(Wall::sockets_outlive)) return {};
  ours_ = true;
  return http::SocketClose{.code = close_code::credential, .reason = "the credential has expired"};
}

std::optional<http::SocketClose> Watcher::message(std::string_view, bool) {
  return http::SocketClose{.code = http::SocketClose::unsupported,
                           .reason = "a watch takes no messages"};
}

void Watcher::closed(std::uint16_t code) noexcept {
  {
    const std::lock_guard lock(feed_->mutex);
    waker_ = nullptr;
  }
  feeds_.ended(terms_, code, ours_);
}

}  // namespace caisson::watch
