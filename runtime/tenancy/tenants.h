#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/observe/histogram.h"
#include "runtime/storage/snapshot.h"
#include "runtime/storage/store.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/task.h"
#include "runtime/tenancy/turns.h"

namespace caisson::tenancy {

/// What commits took, and how many failed.
struct CommitMeter {
  observe::SharedHistogram<observe::work_bounds.size()> seconds{observe::work_bounds};
  std::atomic<std::uint64_t> failures = 0;
};

/// The stores of all tenants, one actor per tenant, and the tenants' life cycle. A job has its
/// tenant's store for itself while it runs; jobs of one tenant commit in groups, and no answer
/// leaves before its commit is durable. Tenants compute in turns: one that has much to do holds one
/// worker, and is put aside in the middle of a job when others wait. Thread-safe. Bounds: mailbox,
/// batch, open stores, worker threads, what a job may compute.
class Tenants {
 public:
  struct Options {
    std::filesystem::path data;
    std::span<const storage::Migration> schema;  ///< of every tenant's store; outlives this
    std::size_t workers = 16;                    ///< blocking threads, started as they are needed
    std::size_t processors = 0;  ///< workers that compute at a time; 0: as the machine has
    std::chrono::nanoseconds slice =
        std::chrono::milliseconds(2);                           ///< of a worker, while others wait
    std::chrono::nanoseconds budget = std::chrono::seconds(2);  ///< what one job may compute
    std::size_t open_stores = 0;                                ///< 0: from RLIMIT_NOFILE
    std::size_t mailbox = 1024;                                 ///< jobs waiting per tenant
    std::size_t batch = 256;                                    ///< jobs per commit
    std::int64_t cache_kib = 256;                               ///< page cache per open store
    /// Told what went wrong with a tenant's store, for the log; any thread.
    std::function<void(std::string_view tenant_id, std::string_view what)> on_failure;
    /// Told what was changed, in commit order, once it is durable and before any of it is answered;
    /// without changes: anything may have changed. On a blocking thread, which it must not hold up;
    /// it must not throw.
    std::function<void(std::string_view tenant_id, std::span<const storage::Change> changes)>
        on_change;
    /// Asked before the data of a tenant whose retention or time has passed are removed for good;
    /// the answer is told afterwards, with whether they were. 0: not now.
    std::function<std::uint64_t(const Tenant& tenant)> before_purge;
    std::function<void(std::uint64_t begun, const Tenant& tenant, bool done)> after_purge;
  };

  /// Resumes or undoes what a crash left half done, and removes tenants whose retention has passed.
  /// A tenant with which that fails is unavailable until it is restored or the next start succeeds.
  /// `registry` outlives this.
  [[nodiscard]] static Result<std::unique_ptr<Tenants>> open(Options options, Registry& registry);
  /// Waits for running batches; jobs still waiting are released as unavailable.
  ~Tenants();
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;

  /// Calls `job(storage::TenantStore&)` on the store of `tenant`, then, once durable,
  /// `reply(tl::expected<R, Refusal>)` with what it returned, on any thread; on the calling thread
  /// before this returns when the job was glanced or refused. `job` may be called more than once.
  /// When there is no memory for it, the reply is Refusal::overloaded; nothing is thrown.
  template <class Job, class Reply>
  void submit(const Tenant& tenant, storage::Access access, Deadline deadline, Job job,
              Reply reply);

  // The life cycle. Each returns once it is durable; all may take long: not for an event loop's
  // thread.
  /// The tenant's store is made at its first use.
  [[nodiscard]] Outcome<TenantPtr> create(const TenantSpec& spec) { return registry_.create(spec); }
  /// Applies the configuration, as the registry does, to stores that are in use too.
  [[nodiscard]] Outcome<Reconciled> reconcile(std::span<const TenantSpec> tenants,
                                              std::optional<Tiers> tiers = {},
                                              std::optional<Named> named = {});
  [[nodiscard]] Outcome<TenantPtr> update(std::string_view slug, const TenantChange& change);
  [[nodiscard]] Outcome<TenantPtr> suspend(std::string_view slug);
  [[nodiscard]] Outcome<TenantPtr> resume(std::string_view slug);
  /// With retention 0 nothing of the tenant is left but its id, slug and times; else it is hidden,
  /// and removed by the first `sweep` after its retention.
  [[nodiscard]] Outcome<void> remove(std::string_view slug);
  [[nodiscard]] Outcome<storage::Snapshot> snapshot(std::string_view slug);
  [[nodiscard]] Outcome<std::vector<storage::Snapshot>> snapshots(std::string_view slug) const;
  /// Most snapshots that a tenant keeps here; the next is refused until one is removed.
  static constexpr std::size_t most_snapshots = 1000;
  /// Of those that are kept for the tenant; also files that were brought there, whosever they are.
  [[nodiscard]] Outcome<void> remove_snapshot(std::string_view slug, std::string_view snapshot_id);
  /// `from`: whose snapshot it is, when not `slug`'s own: the slug of a tenant, or the id of one
  /// that is not here any more, as after the loss of the registry. `request_id` is noted in the
  /// store (storage::note_request).
  [[nodiscard]] Outcome<void> restore(std::string_view slug, std::string_view snapshot_id,
                                      const std::optional<std::string>& from,
                                      std::string_view request_id = {});
  /// Calls `read` on the store of the tenant's own snapshot as it was then. With `verify` its hash
  /// is checked first.
  [[nodiscard]] Outcome<void> read_snapshot(
      std::string_view slug, std::string_view snapshot_id, bool verify,
      const std::function<void(storage::TenantStore&)>& read) const;
  /// Brings the tenant's store to the newest schema, as its first use would.
  [[nodiscard]] Outcome<void> migrate(std::string_view slug);
  /// The version of the schema that stores are brought to.
  [[nodiscard]] std::size_t schema_version() const { return options_.schema.size(); }
  /// Bytes of the tenant's store and of its snapshots on disk.
  struct DiskUse {
    std::int64_t store_bytes = 0;
    std::int64_t snapshot_bytes = 0;
    std::size_t snapshots = 0;
  };
  [[nodiscard]] Outcome<DiskUse> disk_use(std::string_view slug) const;
  /// Removes deleted tenants whose retention has passed and synthetic ones whose time is over; call
  /// it now and then.
  void sweep();

  /// 256 random bits in `data`/cursor.key, made at the first start.
  [[nodiscard]] const std::string& cursor_key() const { return cursor_key_; }

  struct Stats {
    std::size_t open = 0;
    std::size_t open_limit = 0;
    std::size_t mailbox_limit = 0;
    std::uint64_t opens = 0;
    std::uint64_t evictions = 0;
    std::uint64_t commits = 0;
    std::uint64_t committed_jobs = 0;
    std::array<std::uint64_t, 10> batches{};  ///< commits by size: up to 1, 2, 4, ... 512 jobs
    observe::Histogram<observe::work_bounds.size()> commit_seconds;
    std::uint64_t commit_failures = 0;
    observe::Histogram<observe::work_bounds.size()> wait_seconds;  ///< of jobs in mailboxes
  };
  [[nodiscard]] Stats stats() const;

  struct Usage {
    std::string tenant_id;
    std::size_t mailbox = 0;
    double oldest_seconds = 0;     ///< for how long the first job in the mailbox has been waiting
    std::int64_t store_bytes = 0;  ///< as of the last commit or opening
    bool open = false;             ///< the store is open
    bool broken = false;           ///< the store could not be opened, or is damaged
  };
  /// Of the tenants that were used since the start.
  [[nodiscard]] std::vector<Usage> usage() const;

  struct Protection {
    TenantPtr tenant;
    std::int64_t until_ms = 0;  ///< of the newest snapshot, or of the tenant's creation
  };
  /// Of the tenants that have a store. Empty before `find_snapshots`.
  [[nodiscard]] std::vector<Protection> protection() const;
  /// Learns which snapshots there are; takes long, so not at the start.
  void find_snapshots();

 private:
  class Actor;
  class Exclusive;
  using ActorPtr = std::shared_ptr<Actor>;
  /// By the place each had when it began to wait. An actor owns its node: waiting needs no memory.
  using ReadyActors = std::multimap<std::int64_t, ActorPtr>;
  /// Workers of one kind.
  struct Crew {
    std::size_t most = 0;
    std::size_t started = 0;
    std::size_t resting = 0;
    std::size_t called = 0;  // of those that rested
    std::condition_variable call;
  };

  Tenants(Options options, Registry& registry);

  // Running jobs (tenants.cc).
  [[nodiscard]] ActorPtr actor_of(const std::string& tenant_id);
  /// The store, for this thread alone, when the tenant is idle and its store open; null otherwise.
  [[nodiscard]] storage::Store* begin_glance(Actor& actor);
  void end_glance(const ActorPtr& actor, storage::Fault fault) noexcept;
  void enqueue(const ActorPtr& actor, std::unique_ptr<Task> task);
  void schedule(const ActorPtr& actor);
  bool call_worker(Crew& crew);
  bool start_worker(Crew& crew);
  void work(Crew& crew);
  [[nodiscard]] ActorPtr next_ready(const Crew& crew);
  void drain(const ActorPtr& actor) noexcept;
  [[nodiscard]] std::unique_ptr<Task> take_task(Actor& actor);
  void run_batch(const ActorPtr& actor);
  void refuse_batch(const ActorPtr& actor, Refusal refusal);
  void release_store(const ActorPtr& actor);

  // Open stores (open_stores.cc). The caller has the actor's store for itself.
  enum class Opening : std::uint8_t { open, refused, no_memory };
  [[nodiscard]] Opening ensure_open(const ActorPtr& actor);
  void take_slot(const ActorPtr& actor);
  [[nodiscard]] ActorPtr wait_for_room(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] ActorPtr claim_least_used();
  [[nodiscard]] bool offer(const ActorPtr& actor);
  [[nodiscard]] Result<storage::Store> open_store(const Tenant& tenant);
  void close_store(Actor& actor);
  void fail_store(Actor& actor, const std::string& why) noexcept;

  // The life cycle (lifecycle.cc).
  /// A living tenant whose life cycle no other thread moves on: what was looked up stays true.
  struct Held {
    ActorPtr actor;
    std::unique_lock<std::mutex> lock;
    TenantPtr tenant;
  };
  [[nodiscard]] Outcome<Held> hold(std::string_view slug);

  // Files and recovery (lifecycle.cc).
  [[nodiscard]] Result<void> recover();
  [[nodiscard]] Outcome<void> finish(const std::string& tenant_id, Registry::Step step);
  [[nodiscard]] Outcome<void> settle(Actor& actor);
  [[nodiscard]] Outcome<void> begin_making(const ActorPtr& actor);
  void abandon_making(const ActorPtr& actor);
  [[nodiscard]] Result<void> clear_unfinished(const std::string& tenant_id) const;
  [[nodiscard]] Outcome<storage::Snapshot> make_snapshot(const ActorPtr& actor,
                                                         const std::string& slug);
  [[nodiscard]] Result<void> make_directory(const std::string& tenant_id);
  [[nodiscard]] Result<void> purge(const std::string& tenant_id);
  [[nodiscard]] Result<void> put_restored(const std::string& tenant_id);
  [[nodiscard]] Outcome<void> complete_restore(const std::string& tenant_id);
  struct FoundSnapshot : storage::Snapshot {
    std::filesystem::path file;
  };
  [[nodiscard]] Outcome<FoundSnapshot> find_snapshot(const Tenant& tenant, const std::string& id,
                                                     const std::optional<std::string>& from) const;
  [[nodiscard]] Outcome<std::string> owner_named(const Tenant& tenant,
                                                 const std::string& from) const;
  [[nodiscard]] LifecycleError foreign(const storage::Snapshot& snapshot) const;
  /// Opens the store for the thread that has it for itself.
  [[nodiscard]] Outcome<void> open_exclusively(const ActorPtr& actor);
  void forget(const std::string& tenant_id);
  [[nodiscard]] std::filesystem::path directory_of(std::string_view tenant_id) const;
  [[nodiscard]] std::filesystem::path snapshots_of(std::string_view tenant_id) const;

  Options options_;
  Registry& registry_;
  std::string cursor_key_;
  ShardedMap<ActorPtr> actors_;
  std::mutex sweeping_;

  Turns turns_;
  std::mutex ready_mutex_;  // guards the next six
  ReadyActors light_;       // actors with jobs, that wait for a worker
  ReadyActors heavy_;       // those of them whose last batch used up its slice
  Crew prompt_;             // serves the light ones alone
  Crew patient_;            // serves all
  bool stopping_ = false;
  std::vector<std::thread> workers_;

  mutable std::mutex open_mutex_;  // before an actor's mutex
  std::vector<ActorPtr> open_;     // whose store is open or being opened
  std::vector<std::pair<std::uint64_t, const ActorPtr*>> by_use_;  // of claim_least_used
  std::vector<ActorPtr> offered_;  // busy, for whoever waits for room: its store may be closed
  std::atomic<std::size_t> wanting_ = 0;  // threads that wait for room, without those served so
  std::condition_variable room_;          // something was offered, or a store closed
  std::atomic<std::uint64_t> uses_ = 0;   // counts up; orders the uses of all stores

  std::atomic<std::uint64_t> opens_ = 0;
  std::atomic<std::uint64_t> evictions_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> committed_jobs_ = 0;
  std::array<std::atomic<std::uint64_t>, 10> batches_{};
  CommitMeter commit_meter_;
  observe::SharedHistogram<observe::work_bounds.size()> waits_{observe::work_bounds};

  std::atomic<bool> snapshots_found_ = false;
  ShardedMap<std::int64_t> newest_snapshots_;  // tenant id -> Unix time in ms
};

/// The refusal that a fault means for the job that met it; none: no fault.
[[nodiscard]] std::optional<Refusal> refusal_for(storage::Fault fault);

template <class Job, class Reply>
void Tenants::submit(const Tenant& tenant, storage::Access access, Deadline deadline, Job job,
                     Reply reply) {
  using Result = std::invoke_result_t<Job&, storage::TenantStore&>;
  using Answer = tl::expected<Result, Refusal>;

  const auto refuse = [&reply](Refusal refusal) { reply(Answer(tl::unexpect, refusal)); };
  ActorPtr actor;
  try {
    actor = actor_of(tenant.id);
  } catch (const std::bad_alloc&) {
    return refuse(Refusal::overloaded);
  }
  if (access == storage::Access::glance) {
    if (storage::Store* store = begin_glance(*actor)) {
      std::optional<Result> result;
      const storage::Fault fault =
          store->read([&](storage::TenantStore& view) { result.emplace(job(view)); }, deadline);
      end_glance(actor, fault);
      if (const auto refusal = refusal_for(fault)) return refuse(*refusal);
      return reply(Answer(std::move(*result)));
    }
  }

  class JobTask final : public Task {
   public:
    JobTask(Job&& job, Reply&& reply) : job_(std::move(job)), reply_(std::move(reply)) {}
    void run(storage::TenantStore& store) override { result_.emplace(job_(store)); }
    void release(std::optional<Refusal> refusal) override {
      try {
        reply_(refusal ? Answer(tl::unexpect, *refusal) : Answer(std::move(*result_)));
      } catch (...) {  // NOLINT(bugprone-empty-catch): it goes with the task, others are answered
      }
    }

   private:
    Job job_;
    Reply reply_;
    std::optional<Result> result_;
  };
  std::unique_ptr<JobTask> task;
  try {
    task = std::make_unique<JobTask>(std::move(job), std::move(reply));
  } catch (const std::bad_alloc&) {
    return refuse(Refusal::overloaded);  // nothing was moved: the memory comes first
  }
  task->access = access;
  task->deadline = deadline;
  enqueue(actor, std::move(task));
}

/// How many stores may be open at once when the process also serves `connections`: what
/// RLIMIT_NOFILE leaves, 1,000 at most.
[[nodiscard]] std::size_t open_stores_for(std::size_t connections);

}  // namespace caisson::tenancy
