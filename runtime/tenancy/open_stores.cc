// Which stores are open: at most `open_stores`, the least recently used makes room for the next,
// and a store that is in use is never closed.

#include <algorithm>
#include <exception>
#include <functional>
#include <new>

#include <sys/resource.h>

#include "runtime/storage/files.h"
#include "runtime/tenancy/actor.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

constexpr std::size_t most_stores = 1000;
constexpr std::size_t least_stores = 8;
constexpr std::size_t descriptors_per_store = 3;  // file, log, and one while it is checked
constexpr std::size_t descriptors_for_the_rest = 64;

constexpr std::chrono::milliseconds first_backoff{250};
constexpr std::chrono::milliseconds longest_backoff{30000};

}  // namespace

std::size_t open_stores_for(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return least_stores;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto all = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t taken = connections + descriptors_for_the_rest;
  // Stores get a quarter even when the connections could use up all the rest.
  const std::size_t left = std::max(all > taken ? all - taken : 0, all / 4);
  return std::clamp(left / descriptors_per_store, least_stores, most_stores);
}

Tenants::Opening Tenants::ensure_open(const ActorPtr& actor) try {
  actor->used.store(uses_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  if (actor->store) return Opening::open;
  const TenantPtr tenant = registry_.by_id(actor->id);
  if (tenant == nullptr || tenant->status == Status::deleted) {
    {
      const std::scoped_lock lock(actor->mutex);
      actor->closed = true;
    }
    // A job that came after the removal has made this actor; nobody else would forget it.
    if (const std::unique_lock idle(actor->lifecycle, std::try_to_lock); idle) {
      actors_.erase(actor->id, actor);
    }
    return Opening::refused;
  }
  if (actor->unfinished || std::chrono::steady_clock::now() < actor->retry_at)
    return Opening::refused;
  take_slot(actor);
  auto opened = open_store(*tenant);
  if (!opened) {
    fail_store(*actor, opened.error().text());
    return Opening::refused;
  }
  actor->store.emplace(*std::move(opened));
  actor->backoff = {};
  actor->broken.store(false, std::memory_order_relaxed);
  actor->bytes.store(actor->store->database().bytes(), std::memory_order_relaxed);
  opens_.fetch_add(1, std::memory_order_relaxed);
  return Opening::open;
} catch (const std::bad_alloc&) {
  close_store(*actor);
  return Opening::no_memory;
}

void Tenants::take_slot(const ActorPtr& actor) {
  ActorPtr victim;
  {
    std::unique_lock lock(open_mutex_);
    if (open_.size() >= options_.open_stores) {
      victim = wait_for_room(lock);
      std::erase(open_, victim);
    }
    open_.push_back(actor);
  }
  if (victim != nullptr) {
    victim->store.reset();
    evictions_.fetch_add(1, std::memory_order_relaxed);
    release_store(victim);
  }
}

/// An actor whose open store may be closed, claimed for this thread; null when a store was closed
/// meanwhile. Every open store may be in use: then the next that is let go of.
Tenants::ActorPtr Tenants::wait_for_room(std::unique_lock<std::mutex>& lock) {
  ++wanting_;
  ActorPtr victim = claim_least_used();
  if (victim == nullptr) {
    room_.wait(lock, [&] { return !offered_.empty() || open_.size() < options_.open_stores; });
    if (!offered_.empty()) {
      victim = std::move(offered_.back());
      offered_.pop_back();
      return victim;
    }
  }
  --wanting_;
  return victim;
}

/// Leaves the actor, which is busy and has a store, to a thread that waits for room; false when
/// none does any more.
bool Tenants::offer(const ActorPtr& actor) {
  const std::scoped_lock lock(open_mutex_);
  if (wanting_ == 0) return false;
  --wanting_;
  offered_.push_back(actor);
  room_.notify_one();
  return true;
}

/// The actor whose open store is idle and was not used for longest, claimed for this thread; null
/// when every store is in use. With `open_mutex_`.
Tenants::ActorPtr Tenants::claim_least_used() {
  // Glances go on meanwhile: what is ordered is a copy of what they change.
  by_use_.clear();
  for (const ActorPtr& candidate : open_) {
    by_use_.emplace_back(candidate->used.load(std::memory_order_relaxed), &candidate);
  }
  std::make_heap(by_use_.begin(), by_use_.end(), std::greater());
  while (!by_use_.empty()) {
    const ActorPtr& candidate = *by_use_.front().second;
    {
      const std::scoped_lock claim(candidate->mutex);
      if (!std::exchange(candidate->busy, true)) return candidate;
    }
    std::pop_heap(by_use_.begin(), by_use_.end(), std::greater());
    by_use_.pop_back();
  }
  return nullptr;
}

Result<storage::Store> Tenants::open_store(const Tenant& tenant) {
  if (!tenant.has_store) {
    if (auto made = make_directory(tenant.id); !made) return tl::unexpected(made.error());
  }
  auto store = storage::Store::open(
      directory_of(tenant.id), tenant.id, options_.schema, !tenant.has_store,
      {.cache_kib = options_.cache_kib, .max_bytes = tenant.limits.storage_bytes.value_or(0)});
  if (store && !tenant.has_store) {
    // Before anything is written to it: from then on a missing file is damage.
    if (auto marked = registry_.mark_store(tenant.id); !marked) return fail(marked.error().detail);
  }
  return store;
}

void Tenants::close_store(Actor& actor) {
  actor.store.reset();
  const std::scoped_lock lock(open_mutex_);
  std::erase_if(open_, [&](const ActorPtr& open) { return open.get() == &actor; });
  room_.notify_one();
}

/// `why` may be the store's own text, which goes with it.
void Tenants::fail_store(Actor& actor, const std::string& why) noexcept {
  try {
    if (options_.on_failure) options_.on_failure(actor.id, why);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it fails all the same, untold
  }
  close_store(actor);
  actor.broken.store(true, std::memory_order_relaxed);
  actor.backoff = std::clamp(actor.backoff * 2, first_backoff, longest_backoff);
  actor.retry_at = std::chrono::steady_clock::now() + actor.backoff;
}

}  // namespace caisson::tenancy
