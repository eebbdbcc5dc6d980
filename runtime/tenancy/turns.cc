#include "runtime/tenancy/turns.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace caisson::tenancy {

using Clock = std::chrono::steady_clock;

namespace {

/// What the calling thread has computed since it began.
std::chrono::nanoseconds computed() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::int64_t Turns::place_of(const Share& share) const {
  const std::scoped_lock lock(mutex_);
  return standing_of(share);
}

std::int64_t Turns::standing_of(const Share& share) const {
  return std::clamp(share.used_ns_, floor_ns_, floor_ns_ + most_debt * slice_.count());
}

bool Turns::begin(Share& share, Clock::time_point deadline) {
  Waiter waiter;
  {
    const std::scoped_lock lock(mutex_);
    if (free_ > 0) {  // then nobody waits
      --free_;
      return true;
    }
    waiter.place = standing_of(share);
    line_up(waiter);
  }
  const auto has_turn = [&] { return waiter.has_turn; };
  std::unique_lock own(waiter.mutex);
  if (waiter.granted.wait_until(own, deadline, has_turn)) return true;
  own.unlock();
  {
    const std::scoped_lock lock(mutex_);
    if (step_out(waiter)) return false;
  }
  own.lock();  // its turn is on its way
  waiter.granted.wait(own, has_turn);
  return true;
}

void Turns::end(Share& share, std::chrono::nanoseconds used, bool in_turn) {
  Waiter* next = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    share.used_ns_ = standing_of(share) + used.count();
    const std::size_t competing =
        waiting_count_ + (processors_ - free_) + static_cast<std::size_t>(in_turn ? 0 : 1);
    floor_ns_ += used.count() / static_cast<std::int64_t>(competing);
    if (in_turn) next = take_next();
  }
  if (next == nullptr) return;
  // Whoever wakes may get this thread's processor at once: no lock that others need may be held.
  const std::scoped_lock own(next->mutex);
  next->has_turn = true;
  next->granted.notify_one();
}

Turns::Waiter* Turns::take_next() {
  Waiter* const next = first_;
  if (next == nullptr) {
    ++free_;
    return nullptr;
  }
  step_out(*next);
  floor_ns_ = std::max(floor_ns_, next->place);
  return next;
}

void Turns::line_up(Waiter& waiter) {
  Waiter** before = &first_;
  while (*before != nullptr && (*before)->place <= waiter.place) before = &(*before)->next;
  waiter.next = std::exchange(*before, &waiter);
  waiting_count_.fetch_add(1, std::memory_order_relaxed);
}

bool Turns::step_out(const Waiter& waiter) {
  Waiter** before = &first_;
  while (*before != nullptr && *before != &waiter) before = &(*before)->next;
  if (*before == nullptr) return false;
  *before = waiter.next;
  waiting_count_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

bool Turn::begin_job(Clock::time_point deadline) {
  deadline_ = deadline;
  if (!computing_ && !resume()) return false;
  job_since_ = Clock::now();
  job_computed_from_ = computed();
  return true;
}

bool Turn::resume() {
  if (must_wait_ && !turns_.begin(share_, deadline_)) return false;
  has_turn_ = must_wait_;
  computing_ = true;
  since_ = Clock::now();
  computed_from_ = computed();
  return true;
}

std::chrono::nanoseconds Turn::spent(Clock::time_point now) const {
  const auto passed = now - since_;
  // Nobody computes for longer than time passes, which is cheap to ask for.
  if (has_turn_ || passed < turns_.slice_) return passed;
  return std::min(passed, computed() - computed_from_);
}

void Turn::pause() {
  if (!computing_) return;
  computing_ = false;
  const std::chrono::nanoseconds used = spent(Clock::now());
  used_up_ = used_up_ || used >= turns_.slice_;
  share_.heavy_.store(used_up_, std::memory_order_relaxed);
  turns_.end(share_, used, std::exchange(has_turn_, false));
}

bool Turn::over() const {
  if (used_up_ || !computing_) return used_up_;
  const auto now = Clock::now();
  // Who waits for the disk is not heavy, but keeps a worker.
  return now - since_ >= Turns::most_debt * turns_.slice_ || spent(now) >= turns_.slice_;
}

bool Turn::go_on(Clock::time_point now) {
  if (now - job_since_ > budget_ && computed() - job_computed_from_ > budget_) return false;
  if ((has_turn_ && !turns_.others_wait()) || spent(now) < turns_.slice_) return true;
  must_wait_ = true;
  pause();
  return resume();
}

}  // namespace caisson::tenancy
