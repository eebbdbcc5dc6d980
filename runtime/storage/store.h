#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/storage/change.h"
#include "runtime/storage/database.h"

namespace caisson::storage {

/// One step of a schema: brings a store from version N to N+1, N being its place in the list. Steps
/// are only ever appended.
using Migration = const char*;

/// What a job does with its tenant's store.
enum class Access : std::uint8_t {
  glance,  ///< reads a few rows; may run at once on the calling thread
  read,    ///< reads; runs on a blocking thread
  write,
};

class Store;

/// What a handler gets: the data of one tenant, and no way to name another. Only a Store makes one.
class TenantStore {
 public:
  TenantStore(const TenantStore&) = delete;
  TenantStore& operator=(const TenantStore&) = delete;

  [[nodiscard]] const std::string& tenant_id() const { return tenant_id_; }
  [[nodiscard]] Statement prepare(Sql sql) { return database_.prepare(sql); }
  [[nodiscard]] Statement prepare(const ComposedSql& sql) { return database_.prepare(sql); }
  [[nodiscard]] std::int64_t changes() const { return database_.changes(); }
  [[nodiscard]] Fault fault() const { return database_.fault(); }
  /// Undoes everything this job has written, once it has returned.
  void abandon() { abandoned_ = true; }
  /// Notes what this job has changed; told to others when it is durable, dropped when it is undone.
  void note(Change change) { changes_.push_back(std::move(change)); }
  /// Notes more changes than anybody could be told of one by one.
  void note_unknown_changes() { unknown_changes_ = true; }

 private:
  friend class Store;
  TenantStore(Database& database, const std::string& tenant_id, std::vector<Change>& changes,
              bool& unknown_changes)
      : database_(database),
        tenant_id_(tenant_id),
        changes_(changes),
        unknown_changes_(unknown_changes) {}

  Database& database_;
  const std::string& tenant_id_;
  std::vector<Change>& changes_;
  bool& unknown_changes_;
  bool abandoned_ = false;
};

/// A tenant's open store file. Belongs to the tenant's actor; one thread at a time.
class Store {
 public:
  struct Options {
    std::int64_t cache_kib = 256;
    std::int64_t max_bytes = 0;  ///< the tenant's quota; 0: none
  };

  /// Opens `directory`/store.db, brings its schema up to date, and checks that it is the tenant's:
  /// the id in its meta table must be `tenant_id`. With `create`, a missing file, or one that a
  /// crash has left without any table, is made first, durably and whole: a crash leaves none or all
  /// of it. Refused are files and directories that are links, not ours, or open to others.
  [[nodiscard]] static Result<Store> open(const std::filesystem::path& directory,
                                          const std::string& tenant_id,
                                          std::span<const Migration> schema, bool create,
                                          const Options& options);

  /// Opens a finished snapshot of `tenant_id`, of the newest schema, to read it.
  [[nodiscard]] static Result<Store> open_snapshot(const std::filesystem::path& file,
                                                   const std::string& tenant_id,
                                                   std::span<const Migration> schema);

  /// What became of one job.
  struct Outcome {
    Fault fault = Fault::none;
    bool transaction_lost = false;  ///< the engine undid the whole batch, not the job alone
  };

  /// A batch: `begin`, any number of `run`, then `commit` (durable when it returns true).
  bool begin();
  bool commit();
  void roll_back();

  /// Runs one job in a savepoint of its own: undone alone when it faults, throws or abandons.
  template <class Job>
  [[nodiscard]] Outcome run(Job&& job, std::chrono::steady_clock::time_point deadline,
                            Pace* pace = nullptr) {
    if (!enter(deadline, pace)) return leave_unentered();
    const std::size_t before = noted_.size();
    TenantStore view(database_, tenant_id_, noted_, unknown_changes_);
    attempt(job, view);
    const Outcome outcome = leave(view.abandoned_);
    if (view.abandoned_ || outcome.fault != Fault::none) noted_.resize(before);
    return outcome;
  }

  /// Runs one job that only reads, outside any batch.
  template <class Job>
  [[nodiscard]] Fault read(Job&& job, std::chrono::steady_clock::time_point deadline,
                           Pace* pace = nullptr) {
    database_.set_deadline(deadline, pace);
    TenantStore view(database_, tenant_id_, noted_, unknown_changes_);
    attempt(job, view);
    return leave_read();
  }

  /// What has been committed since this was asked last, in commit order.
  [[nodiscard]] std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  /// Whether a job since this was asked last noted changes that are not among them. It may have
  /// been undone.
  [[nodiscard]] bool take_unknown_changes() { return std::exchange(unknown_changes_, false); }

  [[nodiscard]] Database& database() { return database_; }
  [[nodiscard]] const std::string& tenant_id() const { return tenant_id_; }

 private:
  Store(Database database, std::string tenant_id)
      : database_(std::move(database)), tenant_id_(std::move(tenant_id)) {}
  [[nodiscard]] static Result<void> make(const std::filesystem::path& directory,
                                         const std::string& tenant_id,
                                         std::span<const Migration> schema);
  /// What a job throws is a fault of this job, and nobody else's.
  template <class Job>
  void attempt(Job& job, TenantStore& view) noexcept {
    try {
      job(view);
    } catch (const std::bad_alloc&) {
      database_.fail(Fault::exhausted);
    } catch (...) {
      database_.fail(Fault::refused);
    }
  }
  [[nodiscard]] bool enter(std::chrono::steady_clock::time_point deadline, Pace* pace);
  Outcome leave(bool abandoned);
  Outcome leave_unentered();
  Fault leave_read();

  Database database_;
  std::string tenant_id_;
  std::vector<Change> noted_;    ///< in the open transaction
  std::vector<Change> changes_;  ///< in those that were committed
  bool unknown_changes_ = false;
};

/// Applies the steps of `schema` that are missing, in one transaction; the version is then its
/// size.
[[nodiscard]] Result<int> migrate(Database& database, std::span<const Migration> schema);

/// Notes in the store, as part of the job, which request changes it as a whole; the next one's id
/// takes its place. After a crash it tells whether that was done.
void note_request(TenantStore& store, std::string_view request_id);
/// The last request so noted; empty when there was none.
[[nodiscard]] std::string noted_request(TenantStore& store);

/// Fails unless the store belongs to `from`; then it belongs to `to`.
[[nodiscard]] Result<void> give_to(Database& database, const std::string& from,
                                   const std::string& to);

}  // namespace caisson::storage
