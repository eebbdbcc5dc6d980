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
  std::unique_lock lock(mutex_);
  if (free_ > 0) {  // then nobody waits
    --free_;
    return true;
  }
  Waiter waiter{.place = standing_of(share)};
  line_up(waiter);
  if (waiter.granted.wait_until(lock, deadline, [&] { return waiter.has_turn; })) return true;
  step_out(waiter);
  return false;
}

void Turns::end(Share& share, std::chrono::nanoseconds used, bool in_turn) {
  const std::scoped_lock lock(mutex_);
  share.used_ns_ = standing_of(share) + used.count();
  const std::size_t competing =
      waiting_count_ + (processors_ - free_) + static_cast<std::size_t>(in_turn ? 0 : 1);
  floor_ns_ += used.count() / static_cast<std::int64_t>(competing);
  if (in_turn) give_next();
}

void Turns::give_next() {
  if (first_ == nullptr) {
    ++free_;
    return;
  }
  Waiter& next = *first_;
  step_out(next);
  floor_ns_ = std::max(floor_ns_, next.place);
  next.has_turn = true;
  next.granted.notify_one();
}

void Turns::line_up(Waiter& waiter) {
  Waiter** before = &first_;
  while (*before != nullptr && (*before)->place <= waiter.place) before = &(*before)->next;
  waiter.next = std::exchange(*before, &waiter);
  waiting_count_.fetch_add(1, std::memory_order_relaxed);
}

void Turns::step_out(const Waiter& waiter) {
  Waiter** before = &first_;
  while (*before != &waiter) before = &(*before)->next;
  *before = waiter.next;
  waiting_count_.fetch_sub(1, std::memory_order_relaxed);
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
  return true;
}

void Turn::pause() {
  if (!computing_) return;
  computing_ = false;
  const auto now = Clock::now();
  used_up_ = used_up_ || now - since_ >= turns_.slice_;
  share_.heavy_.store(used_up_, std::memory_order_relaxed);
  turns_.end(share_, now - since_, std::exchange(has_turn_, false));
}

bool Turn::over() const {
  return used_up_ || (computing_ && Clock::now() - since_ >= turns_.slice_);
}

bool Turn::go_on(Clock::time_point now) {
  // Nobody computes for longer than time passes, which is cheap to ask for.
  if (now - job_since_ > budget_ && computed() - job_computed_from_ > budget_) return false;
  if (now - since_ < turns_.slice_ || (has_turn_ && !turns_.others_wait())) return true;
  must_wait_ = true;
  pause();
  return resume();
}

}  // namespace caisson::tenancy
