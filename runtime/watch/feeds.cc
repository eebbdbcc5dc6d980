#include "runtime/watch/feeds.h"

#include <algorithm>
#include <new>

#include "runtime/observe/walls.h"

namespace caisson::watch {
namespace {

constexpr std::size_t least_share = 256;
constexpr std::size_t most_codes = 64;  // that are counted apart; peers may choose thousands

/// Whose feed it is. With the wall down there is one for everybody.
std::string_view key_of(std::string_view tenant_id) {
  return is_down(Wall::one_feed) ? std::string_view("everybody") : tenant_id;
}

void drop_front(Feed& feed, std::size_t count) {
  feed.window.erase(feed.window.begin(), feed.window.begin() + static_cast<std::ptrdiff_t>(count));
  feed.first += count;
}

}  // namespace

std::shared_ptr<Feed> Feeds::find(std::string_view tenant_id) const {
  const std::shared_lock lock(mutex_);
  const auto found = feeds_.find(key_of(tenant_id));
  return found == feeds_.end() ? nullptr : found->second;
}

std::uint64_t Feeds::new_start() const {
  return static_cast<std::uint64_t>(start_us_ + clock_.steady_ns() / 1000);
}

std::size_t Feeds::share() const {
  const std::size_t feeds = std::max<std::size_t>(count_.load(std::memory_order_relaxed), 1);
  return std::min(options_.window, std::max(options_.total / feeds, least_share));
}

void Feeds::publish(std::string_view tenant_id, std::span<const storage::Change> changes) {
  if (count_.load(std::memory_order_acquire) == 0) return;
  const std::shared_ptr<Feed> feed = find(tenant_id);
  if (feed == nullptr) return;
  const std::lock_guard lock(feed->mutex);
  const std::uint64_t end = feed->end() + changes.size();
  try {
    feed->window.insert(feed->window.end(), changes.begin(), changes.end());
  } catch (const std::bad_alloc&) {
    changes = {};  // whatever is not told of may have changed
  }
  if (changes.empty()) {
    // One number is skipped: who has seen all up to here has not seen what happened now.
    feed->first = end + 1;
    feed->window.clear();
  }
  if (const std::size_t most = share(); feed->window.size() > most) {
    drop_front(*feed, feed->window.size() - most);
  }
  for (Watcher* watcher : feed->watchers) {
    if (changes.empty()) {
      watcher->place_ = feed->end();
      watcher->announce_ = watcher->gap_ = true;
    }
    if (watcher->waker_) watcher->waker_->wake();
  }
}

std::shared_ptr<Watcher> Feeds::watch(Terms terms) {
  const std::unique_lock lock(mutex_);
  auto& feed = feeds_[std::string(key_of(terms.tenant->id))];
  if (feed == nullptr) {
    feed = std::make_shared<Feed>();
    feed->first = new_start();
    count_.store(feeds_.size(), std::memory_order_release);
  }
  const std::optional<std::uint64_t> after = terms.after;
  auto watcher = std::make_shared<Watcher>(*this, feed, std::move(terms));
  const std::lock_guard feed_lock(feed->mutex);
  const bool known = after && *after + 1 >= feed->first && *after < feed->end();
  watcher->place_ = known ? *after + 1 : feed->end();
  watcher->gap_ = after && !known;
  feed->watchers.push_back(watcher.get());
  return watcher;
}

void Feeds::leave(Watcher& watcher) {
  const std::lock_guard lock(watcher.feed_->mutex);
  std::erase(watcher.feed_->watchers, &watcher);
  watcher.feed_->idle_since_ns = clock_.steady_ns();
}

void Feeds::end(Watcher& watcher, const http::SocketClose& why) {
  if (is_down(Wall::sockets_outlive)) return;
  if (!watcher.ending_) watcher.ending_ = why;
  watcher.ends_ = true;
  if (watcher.waker_) watcher.waker_->wake();
}

void Feeds::end(std::string_view tenant_id, const http::SocketClose& why,
                const std::function<bool(const Terms&)>& ends) {
  const std::shared_ptr<Feed> feed = find(tenant_id);
  if (feed == nullptr) return;
  const std::lock_guard lock(feed->mutex);
  for (Watcher* watcher : feed->watchers) {
    if (!ends || ends(watcher->terms_)) end(*watcher, why);
  }
}

void Feeds::end_all(const http::SocketClose& why, const std::function<bool(const Terms&)>& ends) {
  const std::shared_lock lock(mutex_);
  for (const auto& [key, feed] : feeds_) {
    const std::lock_guard feed_lock(feed->mutex);
    for (Watcher* watcher : feed->watchers) {
      if (ends(watcher->terms_)) end(*watcher, why);
    }
  }
}

void Feeds::sweep() {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  const std::int64_t now_ns = clock_.steady_ns();
  const std::size_t most = share();
  const std::unique_lock lock(mutex_);
  std::erase_if(feeds_, [&](const auto& entry) {
    Feed& feed = *entry.second;
    const std::lock_guard feed_lock(feed.mutex);
    if (feed.window.size() > most) drop_front(feed, feed.window.size() - most);
    return feed.watchers.empty() &&
           std::chrono::nanoseconds(now_ns - feed.idle_since_ns) >= options_.keep;
  });
  count_.store(feeds_.size(), std::memory_order_release);
}

void Feeds::ended(const Terms& terms, std::uint16_t code, bool ours) {
  {
    const std::lock_guard lock(ends_mutex_);
    const bool apart = ends_.contains(code) || ends_.size() < most_codes;
    ++ends_[apart ? code : 0];
  }
  if (options_.on_end) options_.on_end(terms, code, ours);
}

observe::SocketReadings Feeds::readings() const {
  observe::SocketReadings readings{.opened = opened_.load(std::memory_order_relaxed),
                                   .messages = messages_.load(std::memory_order_relaxed),
                                   .gaps = gaps_.load(std::memory_order_relaxed)};
  {
    const std::lock_guard lock(ends_mutex_);
    readings.closes = ends_;
  }
  const std::shared_lock lock(mutex_);
  for (const auto& [key, feed] : feeds_) {
    const std::lock_guard feed_lock(feed->mutex);
    for (const Watcher* watcher : feed->watchers) ++readings.open[watcher->terms_.tenant->slug];
  }
  return readings;
}

}  // namespace caisson::watch
