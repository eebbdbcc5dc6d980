#include "runtime/tenancy/tenants.h"

#include <algorithm>
#include <bit>

#include "runtime/observe/walls.h"
#include "runtime/tenancy/actor.h"

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
    case storage::Fault::broken:
      break;
  }
  return Refusal::unavailable;
}

Tenants::Tenants(Options options, Registry& registry)
    : options_(std::move(options)), registry_(registry) {
  options_.workers = std::max<std::size_t>(options_.workers, 1);
  options_.batch = std::max<std::size_t>(options_.batch, 1);
  if (options_.open_stores == 0) options_.open_stores = open_stores_for(0);
}

Tenants::~Tenants() {
  {
    const std::scoped_lock lock(ready_mutex_);
    stopping_ = true;
  }
  ready_changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  actors_.each([](const std::string&, const ActorPtr& actor) {
    for (const auto& task : actor->mailbox) task->release(Refusal::unavailable);
  });
}

Tenants::ActorPtr Tenants::actor_of(const Tenant& tenant) {
  const std::string_view key = is_down(Wall::drop_scope) ? "shared" : std::string_view(tenant.id);
  return actors_.find_or_make(key, [&] { return std::make_shared<Actor>(tenant.id); });
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

void Tenants::end_glance(const ActorPtr& actor, storage::Fault fault) {
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
      actor->mailbox.push_back(std::move(task));
      actor->note_mailbox();
      if (actor->busy || actor->scheduled || actor->exclusive_waiting > 0) return;
      actor->scheduled = true;
    }
  }
  if (refusal) return task->release(refusal);  // NOLINT(bugprone-use-after-move): not moved then
  schedule(actor);
}

void Tenants::schedule(ActorPtr actor) {
  {
    const std::scoped_lock lock(ready_mutex_);
    ready_.push_back(std::move(actor));
  }
  ready_changed_.notify_one();
}

void Tenants::work() {
  while (true) {
    ActorPtr actor;
    {
      std::unique_lock lock(ready_mutex_);
      ready_changed_.wait(lock, [&] { return stopping_ || !ready_.empty(); });
      if (stopping_) return;
      actor = std::move(ready_.front());
      ready_.pop_front();
    }
    drain(actor);
  }
}

void Tenants::drain(const ActorPtr& actor) {
  {
    const std::scoped_lock lock(actor->mutex);
    actor->scheduled = false;
    // Whoever has the store schedules the actor again when done.
    if (actor->busy || actor->exclusive_waiting > 0) return;
    actor->busy = true;
  }
  const Opening opening = ensure_open(actor);
  Batch batch;
  Refusal refusal = Refusal::unavailable;
  if (opening != Opening::no_slot) {
    const std::scoped_lock lock(actor->mutex);
    if (actor->closed) refusal = Refusal::gone;
    batch = take_batch(*actor);
  } else {
    std::this_thread::yield();  // every open store is in use; one of them will be free in a moment
  }
  const auto now = std::chrono::steady_clock::now();
  for (const auto& task : batch) waits_.observe_ns((now - task->queued).count());
  std::vector<std::optional<Refusal>> refusals(batch.size(), refusal);
  if (opening == Opening::open) refusals = run_batch(*actor, batch);
  // First the store, then the answers: who has one finds the tenant idle, unless there is more to
  // do.
  release_store(actor);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->release(refusals[i]);
}

Tenants::Batch Tenants::take_batch(Actor& actor) const {
  const std::size_t size = std::min(actor.mailbox.size(), options_.batch);
  const auto end = actor.mailbox.begin() + static_cast<std::ptrdiff_t>(size);
  Batch batch(std::move_iterator(actor.mailbox.begin()), std::move_iterator(end));
  actor.mailbox.erase(actor.mailbox.begin(), end);
  actor.note_mailbox();
  return batch;
}

namespace {

/// Runs a batch's tasks on their store, and keeps each one's refusal until all may be released.
class BatchRun {
 public:
  BatchRun(storage::Store& store, std::span<const std::unique_ptr<Task>> tasks, CommitMeter& meter)
      : store_(store), tasks_(tasks), meter_(meter), refusals_(tasks.size()) {}

  /// False when the store is broken; then nothing of the batch was kept.
  bool run() {
    const bool writes = std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
      return task->access == storage::Access::write;
    });
    if (!writes) {
      for (std::size_t i = 0; i < tasks_.size() && !broken_; ++i) read(i);
      return !broken_;
    }
    if (!together() && !broken_) one_by_one();
    return !broken_;
  }

  /// One for each task; none: what it did is durable.
  [[nodiscard]] std::vector<std::optional<Refusal>> refusals() && {
    if (broken_) refusals_.assign(tasks_.size(), Refusal::unavailable);
    return std::move(refusals_);
  }
  [[nodiscard]] std::size_t committed() const { return committed_; }

 private:
  /// All tasks in one transaction. False when the engine undid all of it because of one.
  bool together() {
    if (!store_.begin()) return broken(store_.database().fault());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i]->access != storage::Access::write) {
        read(i);
        if (broken_) return undo();
      } else if (!write(i)) {
        return undo();
      } else if (!refusals_[i]) {
        ++kept;
      }
    }
    return commit(kept);
  }

  /// After such an undo: every task that has no refusal yet, in a transaction of its own.
  void one_by_one() {
    for (std::size_t i = 0; i < tasks_.size() && !broken_; ++i) {
      if (refusals_[i]) continue;
      if (!store_.begin()) {
        broken(store_.database().fault());
      } else if (tasks_[i]->access != storage::Access::write) {
        read(i);
        static_cast<void>(commit(0));
      } else if (!write(i)) {
        undo();
      } else if (!commit(1)) {
        refusals_[i] = refusals_[i].value_or(Refusal::full);
      }
    }
  }

  void read(std::size_t i) {
    if (late(i)) return;
    const auto fault =
        store_.read([&](storage::TenantStore& view) { tasks_[i]->run(view); }, tasks_[i]->deadline);
    refusals_[i] = refusal_for(fault);
    if (fault == storage::Fault::broken) broken_ = true;
  }

  /// False when the transaction is lost.
  bool write(std::size_t i) {
    if (late(i)) return true;
    const auto outcome =
        store_.run([&](storage::TenantStore& view) { tasks_[i]->run(view); }, tasks_[i]->deadline);
    refusals_[i] = refusal_for(outcome.fault);
    if (outcome.fault == storage::Fault::broken) broken_ = true;
    return !outcome.transaction_lost && !broken_;
  }

  bool late(std::size_t i) {
    if (std::chrono::steady_clock::now() < tasks_[i]->deadline) return false;
    refusals_[i] = Refusal::deadline;
    return true;
  }

  bool commit(std::size_t kept) {
    const auto began = std::chrono::steady_clock::now();
    if (store_.commit()) {
      if (kept > 0) meter_.seconds.observe_ns((std::chrono::steady_clock::now() - began).count());
      committed_ += kept;
      return true;
    }
    ++meter_.failures;
    broken(store_.database().fault());
    return undo();
  }

  bool undo() {
    if (!broken_) store_.roll_back();
    return false;
  }

  /// A full disk is no damage: the batch is tried again task by task.
  bool broken(storage::Fault fault) {
    broken_ = broken_ || fault != storage::Fault::full;
    return false;
  }

  storage::Store& store_;
  std::span<const std::unique_ptr<Task>> tasks_;
  CommitMeter& meter_;
  std::vector<std::optional<Refusal>> refusals_;
  std::size_t committed_ = 0;
  bool broken_ = false;
};

}  // namespace

std::vector<std::optional<Refusal>> Tenants::run_batch(Actor& actor, const Batch& batch) {
  BatchRun run(*actor.store, batch, commit_meter_);
  const bool fine = run.run();
  const std::vector<storage::Change> changes = actor.store->take_changes();
  if (options_.on_change && (!changes.empty() || !fine)) options_.on_change(actor.id, changes);
  if (!fine) {
    // What the disk has of it will be known when it is opened again.
    if (options_.on_change && !changes.empty()) options_.on_change(actor.id, {});
    fail_store(actor, actor.store->database().fault_text());
  } else if (run.committed() > 0) {
    commits_.fetch_add(1, std::memory_order_relaxed);
    committed_jobs_.fetch_add(run.committed(), std::memory_order_relaxed);
    const auto size = static_cast<std::size_t>(std::bit_width(run.committed() - 1));
    batches_[std::min(size, batches_.size() - 1)].fetch_add(1, std::memory_order_relaxed);
    actor.bytes.store(actor.store->database().bytes(), std::memory_order_relaxed);
  }
  return std::move(run).refusals();
}

void Tenants::release_store(const ActorPtr& actor) {
  {
    const std::scoped_lock lock(actor->mutex);
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

}  // namespace caisson::tenancy
