#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "runtime/storage/database.h"

namespace caisson::tenancy {

/// Which threads may compute for long. As many as there are processors have a turn at a time; it
/// lasts for as long as nobody else waits, and for a slice when somebody does. The tenant that has
/// computed least goes first. Time is counted by tenant, from a floor that rises as the tenants
/// that compete compute on average: an idle tenant saves up none, and of what one has computed more
/// than the others at most `most_debt` slices are held against it. So nobody waits for ever,
/// however many new tenants come. A turn is counted by the clock, not by what its thread computes:
/// it keeps the others waiting just as long while it waits for the disk. What is computed without a
/// turn is counted by the thread's own clock: a tenant is not heavy because the machine is busy.
/// Thread-safe.
class Turns {
 public:
  /// `processors`: turns at a time, at least 1.
  Turns(std::size_t processors, std::chrono::nanoseconds slice)
      : slice_(slice), processors_(processors), free_(processors) {}

  static constexpr int most_debt = 8;

  /// What a tenant has computed. One Turn of a tenant at a time.
  class Share {
   public:
    explicit Share(std::chrono::nanoseconds used = {}) : used_ns_(used.count()) {}
    /// The tenant's last batch used up its slice.
    [[nodiscard]] bool heavy() const { return heavy_.load(std::memory_order_relaxed); }

   private:
    friend class Turn;
    friend class Turns;
    std::int64_t used_ns_;  // guarded by Turns::mutex_
    std::atomic<bool> heavy_ = false;
  };

  /// Where a tenant that begins to wait now stands: the lower, the sooner.
  [[nodiscard]] std::int64_t place_of(const Share& share) const;

 private:
  friend class Turn;
  struct Waiter {
    std::int64_t place = 0;  // this and the next: guarded by Turns::mutex_
    Waiter* next = nullptr;
    std::mutex mutex;
    std::condition_variable granted;
    bool has_turn = false;  // guarded by its mutex
  };

  /// Waits for a turn; false when it does not come until `deadline`.
  [[nodiscard]] bool begin(Share& share, std::chrono::steady_clock::time_point deadline);
  /// Counts what was computed, and gives the turn back when it was `in_turn`.
  void end(Share& share, std::chrono::nanoseconds used, bool in_turn);
  // With `mutex_`.
  [[nodiscard]] std::int64_t standing_of(const Share& share) const;
  /// Who has the turn that was given back; null when nobody waits, then it is free.
  [[nodiscard]] Waiter* take_next();
  void line_up(Waiter& waiter);
  /// False when the waiter has been taken already.
  bool step_out(const Waiter& waiter);
  [[nodiscard]] bool others_wait() const {
    return waiting_count_.load(std::memory_order_relaxed) > 0;
  }

  const std::chrono::nanoseconds slice_;
  const std::size_t processors_;
  mutable std::mutex mutex_;
  std::size_t free_;
  std::int64_t floor_ns_ = 0;  // never falls
  Waiter* first_ = nullptr;    // by the place that each had when it began to wait; a few threads
  std::atomic<std::size_t> waiting_count_ = 0;
};

/// The computing of one thread while it runs a batch of a tenant's jobs, and what each of them may
/// cost. A tenant that is not heavy computes for its first slice without waiting for a turn.
class Turn final : public storage::Pace {
 public:
  /// `budget`: what one job may compute, in time of its thread: a busy machine, a slow disk and
  /// waiting for turns cost a job nothing but its deadline.
  Turn(Turns& turns, Turns::Share& share, std::chrono::nanoseconds budget)
      : turns_(turns), share_(share), budget_(budget), must_wait_(share.heavy()) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() override { pause(); }

  /// A new job begins; waits for a turn when it has to. False when its deadline passes before.
  [[nodiscard]] bool begin_job(std::chrono::steady_clock::time_point deadline);
  /// Lets others compute: before waiting for anything else.
  void pause();
  /// The slice is used up: no further job should begin.
  [[nodiscard]] bool over() const;
  /// Called by a job's statements: lets others compute when the slice is used up. False once the
  /// job has used its budget, or its deadline has passed while others computed.
  bool go_on(std::chrono::steady_clock::time_point now) override;

 private:
  [[nodiscard]] bool resume();
  /// What counts of the time since `since_`.
  [[nodiscard]] std::chrono::nanoseconds spent(std::chrono::steady_clock::time_point now) const;

  Turns& turns_;
  Turns::Share& share_;
  const std::chrono::nanoseconds budget_;
  std::chrono::steady_clock::time_point deadline_{};  // of the job
  bool must_wait_;
  bool computing_ = false;
  bool has_turn_ = false;
  bool used_up_ = false;                               // a slice
  std::chrono::steady_clock::time_point since_{};      // it has been computing
  std::chrono::nanoseconds computed_from_{};           // by the thread before that
  std::chrono::steady_clock::time_point job_since_{};  // when the job began
  std::chrono::nanoseconds job_computed_from_{};       // by the thread before the job
};

}  // namespace caisson::tenancy
