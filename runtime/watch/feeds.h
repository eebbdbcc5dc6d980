#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "runtime/observe/metrics.h"
#include "runtime/storage/change.h"
#include "runtime/watch/watcher.h"

namespace caisson::watch {

/// The latest changes of one tenant, in commit order, and who watches them.
struct Feed {
  std::mutex mutex;
  std::deque<storage::Change> window;
  std::uint64_t first = 0;  ///< sequence of the window's first change
  std::vector<Watcher*> watchers;
  std::int64_t idle_since_ns = 0;  ///< when the last watcher went

  /// Of the change that comes next.
  [[nodiscard]] std::uint64_t end() const { return first + window.size(); }
};

/// The change feeds of all tenants, in memory. A tenant has one while it is watched and for `keep`
/// after that; a commit of any other tenant costs a look at a counter. Changes are numbered when
/// they are published; a feed's numbers begin at the microseconds of the Unix time of its making,
/// so that none of an earlier feed, or of an earlier process, lies inside its window. Thread-safe.
class Feeds {
 public:
  struct Options {
    std::size_t window = 16384;  ///< changes kept for one tenant
    std::size_t total = 262144;  ///< and for all: a fair share each, 256 at least
    std::chrono::milliseconds keep = std::chrono::minutes(5);
    /// Told how a watch ended, and whether we ended it; on its event loop.
    std::function<void(const Terms&, std::uint16_t code, bool ours)> on_end{};
  };

  Feeds(const Clock& clock, Options options)
      : options_(std::move(options)),
        clock_(clock),
        start_us_(clock.unix_ms() * 1000 - clock.steady_ns() / 1000) {}
  Feeds(const Feeds&) = delete;
  Feeds& operator=(const Feeds&) = delete;

  /// Appends what a commit of the tenant changed, in commit order, once it is durable. Without
  /// changes: anything may have changed (a restored snapshot, a store that failed); every watcher
  /// is told of a gap.
  void publish(std::string_view tenant_id, std::span<const storage::Change> changes);

  /// A watcher from now on, or from `terms.after` on.
  [[nodiscard]] std::shared_ptr<Watcher> watch(Terms terms);

  /// Ends the watches of a tenant for which `ends` is true.
  void end(std::string_view tenant_id, const http::SocketClose& why,
           const std::function<bool(const Terms&)>& ends = {});
  /// Likewise, of all tenants.
  void end_all(const http::SocketClose& why, const std::function<bool(const Terms&)>& ends);
  /// Drops the feeds that nobody has watched for `keep`; call it now and then.
  void sweep();

  /// Without `limit`, which is the limiter's.
  [[nodiscard]] observe::SocketReadings readings() const;

 private:
  friend class Watcher;
  using Map = std::map<std::string, std::shared_ptr<Feed>, std::less<>>;

  [[nodiscard]] std::shared_ptr<Feed> find(std::string_view tenant_id) const;
  [[nodiscard]] std::uint64_t new_start() const;
  [[nodiscard]] std::size_t share() const;
  static void end(Watcher& watcher, const http::SocketClose& why);  // with the feed's mutex
  void leave(Watcher& watcher);
  void ended(const Terms& terms, std::uint16_t code, bool ours);

  const Options options_;
  const Clock& clock_;
  const std::int64_t start_us_;      ///< Unix time at which the steady clock was 0
  mutable std::shared_mutex mutex_;  // of `feeds_`; before a feed's
  Map feeds_;
  std::atomic<std::size_t> count_ = 0;  // of `feeds_`
  std::atomic<std::uint64_t> opened_ = 0;
  std::atomic<std::uint64_t> messages_ = 0;
  std::atomic<std::uint64_t> gaps_ = 0;
  mutable std::mutex ends_mutex_;
  std::map<std::uint16_t, std::uint64_t> ends_;
};

}  // namespace caisson::watch
