#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/observe/chain.h"
#include "runtime/observe/log.h"
#include "runtime/observe/metrics.h"

namespace caisson::observe {

struct AuditBounds {
  std::size_t file_bytes = std::size_t{64} << 20;    ///< a fuller file is set aside
  std::size_t files = 16;                            ///< set aside; older ones are removed
  std::size_t pending_bytes = std::size_t{8} << 20;  ///< not yet written
};

/// Which records of one log to read.
struct AuditQuery {
  std::string tenant{};     ///< slug; empty: every tenant
  std::uint64_t after = 0;  ///< records after this seq
  std::size_t limit = 100;
  bool newest = false;  ///< the last `limit` of them, not the first; still in order
};

/// An intent that has no outcome: what it announced was going on when the process ended.
struct UnfinishedAct {
  std::uint64_t seq = 0;
  std::int64_t time_ms = 0;
  std::string action;
  std::string tenant;
  std::string tenant_id;
  std::string request_id;
  std::string reason;
};

/// One log: a hash chain of NDJSON records (chain.h) in `audit.ndjson` of a directory.
///
/// Records are chained when they are appended and written by one thread, which writes all that is
/// pending, makes it durable with one fdatasync and then notes the chain's end in `audit.head`; a
/// log that ends before its head was cut. A full file is renamed to `audit-<first seq>.ndjson`. A
/// record torn by a crash is removed at the next start; any other damage stays as evidence and is
/// reported by `verify`. Someone who can write both the log and its head can forge both: ship the
/// head elsewhere to notice. Safe to use from every thread.
class AuditLog {
 public:
  /// Opens the log of `directory`, which is made with mode 0700 when it is not there.
  [[nodiscard]] static Result<std::unique_ptr<AuditLog>> open(
      const std::filesystem::path& directory, const Clock& clock, const Log& log, Metrics& metrics,
      AuditBounds bounds = {});
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  /// Writes what is pending.
  ~AuditLog();

  /// Adds a record and returns its seq; durable after `flush`, and within one write otherwise.
  /// Waits while too much is pending. While the disk refuses writes and the bound is reached,
  /// records are lost (0); that is counted, logged and, once the disk is back, noted in the log.
  std::uint64_t append(const AuditEvent& event);

  /// As `append`, but never waits: false, and nothing added, when too much is pending or the disk
  /// refuses writes.
  [[nodiscard]] bool try_append(const AuditEvent& event);

  /// As `append`, but never waits and loses nothing: for the few records that are bounded by what
  /// makes them. Adds all of them, or none when memory runs out.
  void append_soon(std::span<const AuditEvent> events);

  /// Returns once everything appended before is durable; false when the disk refuses it.
  [[nodiscard]] bool flush();

  /// False while the disk refuses writes.
  [[nodiscard]] bool healthy() const;

  /// The intents without an outcome that were found when the log was opened, oldest first.
  [[nodiscard]] const std::vector<UnfinishedAct>& unfinished() const { return unfinished_; }

  /// Whether a log of refusals belongs to this one; and notes that one does, false when the disk
  /// refuses it.
  [[nodiscard]] bool has_refusals() const;
  [[nodiscard]] bool note_refusals();

  /// Records, as lines without line feed, in order.
  [[nodiscard]] std::vector<std::string> query(const AuditQuery& query);

  /// Reads and checks the whole log.
  [[nodiscard]] AuditVerification verify();

 private:
  class Files;

  AuditLog(std::unique_ptr<Files> files, const Clock& clock, const Log& log, Metrics& metrics,
           AuditBounds bounds);
  std::uint64_t append_locked(std::span<const AuditEvent> events);
  void find_unfinished();
  [[nodiscard]] std::uint64_t oldest_open() const;
  void run();
  [[nodiscard]] bool write(std::string_view records, std::uint64_t open);
  void append_own();

  std::unique_ptr<Files> files_;  ///< of the writer thread, but for reading what is durable
  const Clock& clock_;
  const Log& log_;
  Metrics& metrics_;
  const AuditBounds bounds_;
  std::vector<UnfinishedAct> unfinished_;
  ChainEnd writing_;     ///< of the writer thread: of what it writes
  std::string removed_;  ///< of the writer thread: what went to keep the bound, until that is told

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;
  std::set<std::uint64_t> open_;  ///< seqs of the intents without an outcome
  ChainEnd end_;                  ///< of what was appended
  std::uint64_t durable_ = 0;     ///< seq
  std::uint64_t lost_ = 0;        ///< since the log was last healthy
  bool healthy_ = true;
  bool stopping_ = false;
  std::thread writer_;
};

/// Checks one log on disk: of a directory or of an `audit.ndjson` with its head beside it, the
/// whole log; of any other file, the chain in it alone. Fails when it cannot be read.
[[nodiscard]] Result<AuditVerification> verify_audit_log(const std::filesystem::path& path);

}  // namespace caisson::observe
