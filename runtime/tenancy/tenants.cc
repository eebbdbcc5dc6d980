#include "runtime/tenancy/tenants.h"

#include <algorithm>
#include <bit>
#include <exception>

#include <pthread.h>

#include "base/digest.h"
#include "runtime/observe/walls.h"
#include "runtime/tenancy/actor.h"
#include "runtime/tenancy/batch_run.h"

namespace caisson::tenancy {

std::optional<Refusal> refusal_for(storage::Fault fault) {
  switch (fault) {
    case storage::Fault::none:
      return std::nullopt;
    case storage::Fault::refused:
      return Refusal::failed;
    case storage::Fault::full:
      return Refusal::full;
    case storage::Fault::deadline:
      return Refusal::deadline;
    case storage::Fault::exhausted:
      return Refusal::overloaded;
    case storage::Fault::broken:
      break;
  }
  return Refusal::unavailable;
}

Tenants::Tenants(Options options, Registry& registry)
    : options_(std::move(options)),
      registry_(registry),
      turns_(options_.processors > 0 ? options_.processors
                                     : std::max(std::thread::hardware_concurrency(), 1U),
             options_.slice) {
  options_.workers = std::max<std::size_t>(options_.workers, 1);
  options_.batch = std::max<std::size_t>(options_.batch, 1);
  if (options_.open_stores == 0) options_.open_stores = open_stores_for(0);
  if (options_.workers > 1) prompt_.most = std::max<std::size_t>(options_.workers / 4, 1);
  patient_.most = options_.workers - prompt_.most;
  // What must not fail later for want of memory.
  workers_.reserve(options_.workers);
  open_.reserve(options_.open_stores);
  by_use_.reserve(options_.open_stores);
  offered_.reserve(options_.open_stores);
  // OpenSSL sets itself up in the thread of its first caller, and keeps what that thread has for
  // errors for ever: no worker may be that thread.
  static_cast<void>(sha256(""));
}

Tenants::~Tenants() {
  {
    const std::scoped_lock lock(ready_mutex_);
    stopping_ = true;
  }
  prompt_.call.notify_all();
  patient_.call.notify_all();
  for (std::thread& worker : workers_) worker.join();
  actors_.each([](const std::string&, const ActorPtr& actor) {
    while (const auto task = actor->mailbox.pop()) task->release(Refusal::unavailable);
  });
}

Tenants::ActorPtr Tenants::actor_of(const std::string& tenant_id) {
  const std::string_view key = is_down(Wall::drop_scope) ? "shared" : std::string_view(tenant_id);
  return actors_.find_or_make(key, [&] { return std::make_shared<Actor>(tenant_id); });
}

storage::Store* Tenants::begin_glance(Actor& actor) {
  const std::scoped_lock lock(actor.mutex);
  if (actor.busy || !actor.has_store || !actor.mailbox.empty() || actor.exclusive_waiting > 0) {
    return nullptr;
  }
  actor.busy = true;
  actor.used.store(uses_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  return &*actor.store;
}

void Tenants::end_glance(const ActorPtr& actor, storage::Fault fault) noexcept {
  if (fault == storage::Fault::broken) {
    fail_store(*actor, actor->store->database().fault_text());
  }
  release_store(actor);
}

void Tenants::enqueue(const ActorPtr& actor, std::unique_ptr<Task> task) {
  std::optional<Refusal> refusal;
  {
    const std::scoped_lock lock(actor->mutex);
    if (actor->closed) {
      refusal = Refusal::gone;
    } else if (actor->mailbox.size() >= options_.mailbox) {
      refusal = Refusal::overloaded;
    } else {
      task->queued = std::chrono::steady_clock::now();
      actor->mailbox.push(std::move(task));
      actor->note_mailbox();
      if (actor->busy || actor->scheduled || actor->exclusive_waiting > 0) return;
      actor->scheduled = true;
    }
  }
  if (refusal) return task->release(refusal);  // NOLINT(bugprone-use-after-move): not moved then
  schedule(actor);
}

void Tenants::schedule(const ActorPtr& actor) {
  const bool heavy = actor->share.heavy();
  const std::int64_t place = turns_.place_of(actor->share);
  Crew* crew = &prompt_;
  {
    const std::scoped_lock lock(ready_mutex_);
    actor->place.key() = place;
    actor->place.mapped() = actor;
    (heavy ? heavy_ : light_).insert(std::move(actor->place));
    if (heavy || !call_worker(*crew)) {
      crew = &patient_;
      call_worker(*crew);  // when all are at work, the next that is done comes
    }
  }
  crew->call.notify_one();
}

/// False when all that there may be are at work. With `ready_mutex_`; `crew.call` follows without.
bool Tenants::call_worker(Crew& crew) {
  if (crew.resting == 0) return start_worker(crew);
  --crew.resting;
  ++crew.called;
  return true;
}

/// With `ready_mutex_`.
bool Tenants::start_worker(Crew& crew) {
  if (crew.started == crew.most || stopping_) return false;
  try {
    workers_.emplace_back([this, &crew] { work(crew); });
  } catch (const std::exception&) {
    // The process may have no more threads, or memory: those that there are serve everybody.
    if (patient_.started == 0) throw;
    return false;
  }
  ++crew.started;
  return true;
}

void Tenants::work(Crew& crew) {
  pthread_setname_np(pthread_self(), &crew == &prompt_ ? "prompt" : "patient");
  std::unique_lock lock(ready_mutex_);
  while (!stopping_) {
    if (ActorPtr actor = next_ready(crew)) {
      lock.unlock();
      drain(actor);
      actor.reset();
      lock.lock();
      continue;
    }
    ++crew.resting;
    crew.call.wait(lock, [&] { return stopping_ || crew.called > 0; });
    if (crew.called > 0) --crew.called;
  }
}

/// Null when none waits that this crew serves. With `ready_mutex_`.
Tenants::ActorPtr Tenants::next_ready(const Crew& crew) {
  ReadyActors* queue = &light_;
  if (&crew == &patient_ && !heavy_.empty() &&
      (light_.empty() || heavy_.begin()->first < light_.begin()->first)) {
    queue = &heavy_;
  }
  if (queue->empty()) return nullptr;
  auto first = queue->extract(queue->begin());
  ActorPtr actor = std::move(first.mapped());
  actor->place = std::move(first);
  return actor;
}

void Tenants::drain(const ActorPtr& actor) noexcept {
  {
    const std::scoped_lock lock(actor->mutex);
    actor->scheduled = false;
    // Whoever has the store schedules the actor again when done.
    if (actor->busy || actor->exclusive_waiting > 0) return;
    actor->busy = true;
  }
  switch (ensure_open(actor)) {
    case Opening::open:
      return run_batch(actor);
    case Opening::refused: {
      std::unique_lock lock(actor->mutex);
      const Refusal refusal = actor->closed ? Refusal::gone : Refusal::unavailable;
      lock.unlock();
      return refuse_batch(actor, refusal);
    }
    case Opening::no_memory:
      return refuse_batch(actor, Refusal::overloaded);
  }
}

/// The tenant's next job; null when none waits.
std::unique_ptr<Task> Tenants::take_task(Actor& actor) {
  std::unique_ptr<Task> task;
  {
    const std::scoped_lock lock(actor.mutex);
    task = actor.mailbox.pop();
    if (task == nullptr) return nullptr;
    actor.note_mailbox();
  }
  waits_.observe_ns((std::chrono::steady_clock::now() - task->queued).count());
  return task;
}

/// For a tenant whose store cannot be had: answers the jobs that a batch would have run.
void Tenants::refuse_batch(const ActorPtr& actor, Refusal refusal) {
  TaskQueue refused;
  while (refused.size() < options_.batch) {
    auto task = take_task(*actor);
    if (task == nullptr) break;
    refused.push(std::move(task));
  }
  release_store(actor);
  while (const auto task = refused.pop()) task->release(refusal);
}

void Tenants::run_batch(const ActorPtr& actor) {
  storage::Store& store = *actor->store;
  Turn turn(turns_, actor->share, options_.budget);
  BatchRun run(store, turn, commit_meter_);
  if (!run.reserve(options_.batch)) return refuse_batch(actor, Refusal::overloaded);
  while (run.size() < options_.batch && run.goes_on()) {
    auto task = take_task(*actor);
    if (task == nullptr) break;
    run.add(std::move(task));
  }
  const bool fine = run.finish();
  const std::vector<storage::Change> changes = store.take_changes();
  if (options_.on_change && (!changes.empty() || !fine)) options_.on_change(actor->id, changes);
  if (store.take_unknown_changes() && fine && options_.on_change) options_.on_change(actor->id, {});
  if (run.committed() > 0) {
    commits_.fetch_add(1, std::memory_order_relaxed);
    committed_jobs_.fetch_add(run.committed(), std::memory_order_relaxed);
    const auto size = static_cast<std::size_t>(std::bit_width(run.committed() - 1));
    batches_[std::min(size, batches_.size() - 1)].fetch_add(1, std::memory_order_relaxed);
  }
  if (!fine) {
    // What the disk has of it will be known when it is opened again.
    if (options_.on_change && !changes.empty()) options_.on_change(actor->id, {});
    fail_store(*actor, store.database().fault_text());
  } else if (run.committed() > 0) {
    actor->bytes.store(store.database().bytes(), std::memory_order_relaxed);
  }
  // First the store, then the answers: who has one finds the tenant idle, unless there is more to
  // do.
  release_store(actor);
  run.release();
}

void Tenants::release_store(const ActorPtr& actor) {
  {
    std::unique_lock lock(actor->mutex);
    // Whoever waits for room has seen that this one is busy, under its mutex: it is not missed
    // here.
    while (actor->store && wanting_ > 0) {
      lock.unlock();
      if (offer(actor)) return;
      lock.lock();
    }
    actor->busy = false;
    actor->has_store = actor->store.has_value();
    if (actor->exclusive_waiting > 0) {
      actor->idle.notify_one();
      return;
    }
    if (actor->mailbox.empty() || actor->scheduled) return;
    actor->scheduled = true;
  }
  schedule(actor);
}

Tenants::Exclusive::Exclusive(Tenants& tenants, ActorPtr actor)
    : tenants_(tenants), actor_(std::move(actor)) {
  std::unique_lock lock(actor_->mutex);
  ++actor_->exclusive_waiting;
  actor_->idle.wait(lock, [&] { return !actor_->busy; });
  --actor_->exclusive_waiting;
  actor_->busy = true;
}

Tenants::Exclusive::~Exclusive() { tenants_.release_store(actor_); }

Tenants::Stats Tenants::stats() const {
  Stats stats;
  {
    const std::scoped_lock lock(open_mutex_);
    stats.open = open_.size();
  }
  stats.open_limit = options_.open_stores;
  stats.mailbox_limit = options_.mailbox;
  stats.opens = opens_.load(std::memory_order_relaxed);
  stats.evictions = evictions_.load(std::memory_order_relaxed);
  stats.commits = commits_.load(std::memory_order_relaxed);
  stats.committed_jobs = committed_jobs_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    stats.batches[i] = batches_[i].load(std::memory_order_relaxed);
  }
  stats.commit_seconds = commit_meter_.seconds.read();
  stats.commit_failures = commit_meter_.failures.load(std::memory_order_relaxed);
  stats.wait_seconds = waits_.read();
  return stats;
}

std::vector<Tenants::Usage> Tenants::usage() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  std::vector<Usage> usage;
  actors_.each([&](const std::string&, const ActorPtr& actor) {
    const std::scoped_lock lock(actor->mutex);
    const std::chrono::nanoseconds oldest(actor->oldest_ns.load(std::memory_order_relaxed));
    const std::chrono::duration<double> waited = oldest.count() == 0 ? oldest : now - oldest;
    usage.push_back({.tenant_id = actor->id,
                     .mailbox = actor->waiting.load(std::memory_order_relaxed),
                     .oldest_seconds = waited.count(),
                     .store_bytes = actor->bytes.load(std::memory_order_relaxed),
                     .open = actor->has_store,
                     .broken = actor->broken.load(std::memory_order_relaxed)});
  });
  return usage;
}

Outcome<Reconciled> Tenants::reconcile(std::span<const TenantSpec> tenants,
                                       std::optional<Tiers> tiers, std::optional<Named> named) {
  auto done = registry_.reconcile(tenants, std::move(tiers), std::move(named));
  if (done) {
    for (const auto* changes : {&done->updated, &done->touched}) {
      for (const TenantPtr& tenant : *changes) forget(tenant->id);
    }
  }
  return done;
}

}  // namespace caisson::tenancy
