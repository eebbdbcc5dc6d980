#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "runtime/storage/database.h"

namespace caisson::tenancy {

/// Which threads may compute for long. As many as there are processors have a turn at a time; it
/// lasts for as long as nobody else waits, and for a slice when somebody does. Whoever has computed
/// least goes first, where time is counted by tenant and an idle tenant saves up none. Thread-safe.
class Turns {
 public:
  /// `processors`: turns at a time, at least 1.
  Turns(std::size_t processors, std::chrono::nanoseconds slice)
      : slice_(slice), free_(processors) {}

  /// What a tenant has computed. One Turn of a tenant at a time.
  class Share {
   public:
    /// The tenant's last batch used up its slice.
    [[nodiscard]] bool heavy() const { return heavy_.load(std::memory_order_relaxed); }

   private:
    friend class Turn;
    friend class Turns;
    std::int64_t used_ns_ = 0;  // guarded by Turns::mutex_
    std::atomic<bool> heavy_ = false;
  };

  /// Where a tenant that begins to wait now stands: the lower, the sooner.
  [[nodiscard]] std::int64_t place_of(const Share& share) const;

 private:
  friend class Turn;
  struct Waiter {
    std::condition_variable granted;
    bool has_turn = false;
  };

  void begin(Share& share);
  /// Gives a turn back.
  void end();
  void count(Share& share, std::chrono::nanoseconds used);
  [[nodiscard]] bool others_wait() const {
    return waiting_count_.load(std::memory_order_relaxed) > 0;
  }

  const std::chrono::nanoseconds slice_;
  mutable std::mutex mutex_;
  std::size_t free_;
  std::int64_t floor_ns_ = 0;  // of the turn given last; never falls
  // By the place that each had when it began to wait.
  std::multimap<std::int64_t, Waiter*> waiting_;
  std::atomic<std::size_t> waiting_count_ = 0;
};

/// The computing of one thread while it runs a batch of a tenant's jobs, and what each of them may
/// cost. A tenant that is not heavy computes for its first slice without waiting for a turn.
class Turn final : public storage::Pace {
 public:
  /// `budget`: how long one job may compute.
  Turn(Turns& turns, Turns::Share& share, std::chrono::nanoseconds budget)
      : turns_(turns), share_(share), budget_(budget), must_wait_(share.heavy()) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() override { pause(); }

  /// A new job begins; waits for a turn when it has to.
  void begin_job();
  /// Lets others compute: before waiting for anything else.
  void pause();
  /// The slice is used up: no further job should begin.
  [[nodiscard]] bool over() const;
  /// Called by a job's statements: lets others compute when the slice is used up. False once the
  /// job has used its budget.
  bool go_on(std::chrono::steady_clock::time_point now) override;

 private:
  void resume();

  Turns& turns_;
  Turns::Share& share_;
  const std::chrono::nanoseconds budget_;
  bool must_wait_;
  bool computing_ = false;
  bool has_turn_ = false;
  bool used_up_ = false;                               // a slice
  std::chrono::steady_clock::time_point since_{};      // it has been computing
  std::chrono::steady_clock::time_point job_since_{};  // the same, but at most since the job began
  std::chrono::nanoseconds job_used_{0};               // by the job before that
};

}  // namespace caisson::tenancy
