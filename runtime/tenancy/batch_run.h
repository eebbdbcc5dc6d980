#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/storage/store.h"
#include "runtime/tenancy/tenants.h"
#include "runtime/tenancy/turns.h"

namespace caisson::tenancy {

/// Runs jobs on their tenant's store. Those that write commit together; when the engine undoes all
/// because of one, each runs again in a transaction of its own. No job is released before what
/// became of it is certain.
class BatchRun {
 public:
  BatchRun(storage::Store& store, Turn& turn, CommitMeter& meter)
      : store_(store), turn_(turn), meter_(meter) {}

  /// Makes place for `most` jobs; false when there is no memory.
  [[nodiscard]] bool reserve(std::size_t most) noexcept;
  /// At most as many as place was made for.
  void add(std::unique_ptr<Task> task);
  /// False when no further job may be added: time is up, the transaction is lost, or the store is
  /// broken.
  [[nodiscard]] bool goes_on() const { return !lost_ && !broken_ && !turn_.over(); }
  /// Commits. False when the store is broken.
  [[nodiscard]] bool finish();
  /// Answers every job, once.
  void release();

  [[nodiscard]] std::size_t size() const { return jobs_.size(); }
  [[nodiscard]] std::size_t committed() const { return committed_; }

 private:
  struct Job {
    std::unique_ptr<Task> task;
    bool settled = false;  ///< `refusal` is the last word; until then nothing is durable
    std::optional<Refusal> refusal = std::nullopt;
    [[nodiscard]] bool writes() const { return task->access == storage::Access::write; }
  };

  void settle(Job& job, std::optional<Refusal> refusal);
  [[nodiscard]] bool is_late(Job& job);
  [[nodiscard]] bool begin();
  void lose();
  void read(Job& job);
  void write(Job& job);
  [[nodiscard]] bool commit(std::size_t writes);
  void one_by_one();

  storage::Store& store_;
  Turn& turn_;
  CommitMeter& meter_;
  std::vector<Job> jobs_;
  std::size_t written_ = 0;  ///< jobs in the open transaction that wrote
  bool transaction_ = false;
  bool lost_ = false;  ///< the transaction could not begin, or the engine undid all of it
  bool broken_ = false;
  std::size_t committed_ = 0;
};

}  // namespace caisson::tenancy
