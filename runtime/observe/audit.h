#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/observe/audit_log.h"
#include "runtime/observe/refusals.h"

namespace caisson::observe {

/// What `verify` found of both logs. Of a log's single file there is only one.
struct AuditReport {
  AuditVerification operations;
  std::optional<AuditVerification> refusals;

  [[nodiscard]] bool valid() const { return operations.valid && (!refusals || refusals->valid); }
};

/// What is kept of who did what, and of who was kept from what. There are two logs, so that the
/// second cannot push the first out: operations in the directory itself, and refusals in
/// `refusals` below it, each with files and bounds of its own. Safe to use from every thread.
class Audit {
 public:
  struct Bounds {
    AuditBounds operations{};
    AuditBounds refusals{.file_bytes = std::size_t{16} << 20};
    RefusalBounds in_full{};
  };

  /// Opens both logs of `directory`, which is made with mode 0700 when it is not there.
  [[nodiscard]] static Result<std::unique_ptr<Audit>> open(const std::filesystem::path& directory,
                                                           const Clock& clock, const Log& log,
                                                           Metrics& metrics, Bounds bounds);
  [[nodiscard]] static Result<std::unique_ptr<Audit>> open(const std::filesystem::path& directory,
                                                           const Clock& clock, const Log& log,
                                                           Metrics& metrics) {
    return open(directory, clock, log, metrics, Bounds{});
  }
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  /// Writes the counts of refusals so far and what is pending.
  ~Audit();

  /// Keeps a refusal: in full, or counted when there are many of its kind or when the log cannot
  /// take it now. Never waits for the disk.
  void refuse(const AuditEvent& event);

  /// Records what has happened. Durable when this returns true.
  [[nodiscard]] bool record(const AuditEvent& event);

  /// Records the intent to do `event`, whose outcome is set here. Returns its seq once it is
  /// durable; 0 when the disk refuses it: then nothing must be done.
  [[nodiscard]] std::uint64_t begin(AuditEvent event);

  /// Records the outcome of the intent `seq`. Durable when this returns true.
  [[nodiscard]] bool end(std::uint64_t seq, AuditEvent event);

  /// Intents of an earlier process that have no outcome yet, oldest first. Whoever knows what
  /// became of them ends them.
  [[nodiscard]] const std::vector<UnfinishedAct>& unfinished() const {
    return operations_->unfinished();
  }

  /// Writes the counts of refusals when their minute has ended; call it every second or so.
  void tick();
  /// Writes the counts so far: whoever reads refusals sees those of a moment ago.
  void count_so_far();

  /// False while the disk refuses writes of either log.
  [[nodiscard]] bool healthy() const { return operations_->healthy() && refusals_->healthy(); }
  /// False while what operators do cannot be recorded.
  [[nodiscard]] bool can_record() const { return operations_->healthy(); }

  [[nodiscard]] AuditLog& operations() { return *operations_; }
  [[nodiscard]] AuditLog& refusals() { return *refusals_; }

  /// Reads and checks both logs.
  [[nodiscard]] AuditReport verify();

 private:
  Audit(std::unique_ptr<AuditLog> operations, std::unique_ptr<AuditLog> refusals,
        const Clock& clock, Metrics& metrics, const RefusalBounds& bounds);
  void write_counts();  // with the mutex

  std::unique_ptr<AuditLog> operations_;
  std::unique_ptr<AuditLog> refusals_;
  const Clock& clock_;
  Metrics& metrics_;
  std::mutex mutex_;  ///< of what follows
  Refusals kinds_;
};

/// Checks what is on disk: of the directory of both logs, both; of one log's directory or file,
/// that one (verify_audit_log). Fails when it cannot be read.
[[nodiscard]] Result<AuditReport> verify_audit(const std::filesystem::path& path);

}  // namespace caisson::observe
