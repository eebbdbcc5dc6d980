#include "runtime/tenancy/turns.h"

#include <algorithm>

namespace caisson::tenancy {

using Clock = std::chrono::steady_clock;

std::int64_t Turns::place_of(const Share& share) const {
  const std::scoped_lock lock(mutex_);
  return std::max(share.used_ns_, floor_ns_);
}

void Turns::begin(Share& share) {
  std::unique_lock lock(mutex_);
  share.used_ns_ = std::max(share.used_ns_, floor_ns_);
  if (free_ > 0) {  // then nobody waits
    --free_;
    floor_ns_ = share.used_ns_;
    return;
  }
  Waiter waiter;
  waiting_.emplace(share.used_ns_, &waiter);
  waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
  waiter.granted.wait(lock, [&] { return waiter.has_turn; });
}

void Turns::end() {
  const std::scoped_lock lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  const auto next = waiting_.begin();
  floor_ns_ = std::max(floor_ns_, next->first);
  next->second->has_turn = true;
  next->second->granted.notify_one();
  waiting_.erase(next);
  waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
}

void Turns::count(Share& share, std::chrono::nanoseconds used) {
  const std::scoped_lock lock(mutex_);
  share.used_ns_ = std::max(share.used_ns_, floor_ns_) + used.count();
}

void Turn::begin_job() {
  if (!computing_) resume();
  job_since_ = Clock::now();
  job_used_ = {};
}

void Turn::resume() {
  if (must_wait_) {
    turns_.begin(share_);
    has_turn_ = true;
  }
  computing_ = true;
  since_ = job_since_ = Clock::now();
}

void Turn::pause() {
  if (!computing_) return;
  computing_ = false;
  const auto now = Clock::now();
  used_up_ = used_up_ || now - since_ >= turns_.slice_;
  job_used_ += now - job_since_;
  share_.heavy_.store(used_up_, std::memory_order_relaxed);
  turns_.count(share_, now - since_);
  if (has_turn_) turns_.end();
  has_turn_ = false;
}

bool Turn::over() const {
  return used_up_ || (computing_ && Clock::now() - since_ >= turns_.slice_);
}

bool Turn::go_on(Clock::time_point now) {
  if (job_used_ + (now - job_since_) > budget_) return false;
  if (now - since_ < turns_.slice_ || (has_turn_ && !turns_.others_wait())) return true;
  must_wait_ = true;
  pause();
  resume();
  return true;
}

}  // namespace caisson::tenancy
