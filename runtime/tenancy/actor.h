#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {

/// One tenant at run time: its mailbox and its store. Whoever sets `busy` has the store for itself,
/// on whatever thread, until `release_store`.
class Tenants::Actor {
 public:
  explicit Actor(std::string tenant_id) : id(std::move(tenant_id)) {
    ReadyActors made;
    place = made.extract(made.emplace(0, nullptr));
  }

  const std::string id;

  std::mutex mutex;  // guards the next six
  TaskQueue mailbox;
  bool busy = false;
  bool scheduled = false;  // waits in the workers' queue
  bool closed = false;     // the tenant is deleted: no job runs any more
  int exclusive_waiting = 0;
  std::condition_variable idle;

  // Only whoever is busy touches these; `has_store` also tells whoever holds the mutex.
  std::optional<storage::Store> store;
  bool has_store = false;
  std::chrono::steady_clock::time_point retry_at{};  // a broken store is left alone until then
  std::chrono::milliseconds backoff{0};
  bool unfinished = false;  // a step of the journal could not be done: nothing may come before it

  /// With `mutex`, after a change of the mailbox: what a scrape reads without it.
  void note_mailbox() {
    waiting.store(mailbox.size(), std::memory_order_relaxed);
    oldest_ns.store(mailbox.empty() ? 0 : mailbox.front().queued.time_since_epoch().count(),
                    std::memory_order_relaxed);
  }

  std::mutex lifecycle;  // snapshot, restore and removal, one at a time; before `mutex`

  Turns::Share share;
  ReadyActors::node_type place;  // in the workers' queue; guarded by `ready_mutex_`

  std::atomic<std::uint64_t> used = 0;  // of Tenants::uses_
  std::atomic<std::size_t> waiting = 0;
  std::atomic<std::int64_t> oldest_ns = 0;  // when the first waiting job was queued; 0: none waits
  std::atomic<std::int64_t> bytes = 0;
  std::atomic<bool> broken = false;
};

/// Has a tenant's store for itself: waits for the running batch, and lets no other begin.
class Tenants::Exclusive {
 public:
  Exclusive(Tenants& tenants, ActorPtr actor);
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;
  ~Exclusive();

 private:
  Tenants& tenants_;
  ActorPtr actor_;
};

}  // namespace caisson::tenancy
