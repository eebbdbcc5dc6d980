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

void Turns::end(Share& share, std::chrono::nanoseconds used) {
  const std::scoped_lock lock(mutex_);
  share.used_ns_ += used.count();
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

Turn::~Turn() { pause(); }

void Turn::begin_job() {
  if (!held_) {
    turns_.begin(share_);
    held_ = true;
    since_ = Clock::now();
  }
  job_since_ = Clock::now();
  job_used_ = {};
}

void Turn::pause() {
  if (!held_) return;
  held_ = false;
  share_.heavy_.store(heavy_, std::memory_order_relaxed);
  turns_.end(share_, Clock::now() - since_);
}

bool Turn::over() const {
  return heavy_ || (held_ && Clock::now() - since_ >= turns_.slice_);
}

bool Turn::go_on(Clock::time_point now) {
  if (job_used_ + (now - job_since_) > budget_) return false;
  if (now - since_ < turns_.slice_ || !turns_.others_wait()) return true;
  heavy_ = true;
  job_used_ += now - job_since_;
  turns_.end(share_, now - since_);
  turns_.begin(share_);
  since_ = job_since_ = Clock::now();
  return true;
}

}  // namespace caisson::tenancy
