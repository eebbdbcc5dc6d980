#include "runtime/observe/budget.h"

namespace caisson::observe {

bool Share::fits(std::size_t own, std::size_t all, std::size_t taken) const noexcept {
  if (all > budget_->limit_) return false;
  if (own == taken) return true;
  const std::size_t left = budget_->limit_ - all;
  return own <= (bound_ == Bound::many ? left * 2 : left / 2);
}

bool Share::take(std::size_t bytes, Use use) noexcept {
  if (bytes == 0) return true;
  const std::size_t own = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const std::size_t all = budget_->used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const auto kind = static_cast<std::size_t>(use);
  if (fits(own, all, bytes)) {
    budget_->by_use_[kind].fetch_add(bytes, std::memory_order_relaxed);
    return true;
  }
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  budget_->used_.fetch_sub(bytes, std::memory_order_relaxed);
  budget_->refused_[kind].fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Share::add(std::size_t bytes, Use use) noexcept {
  if (bytes == 0) return;
  used_.fetch_add(bytes, std::memory_order_relaxed);
  budget_->used_.fetch_add(bytes, std::memory_order_relaxed);
  budget_->by_use_[static_cast<std::size_t>(use)].fetch_add(bytes, std::memory_order_relaxed);
}

void Share::give_back(std::size_t bytes, Use use) noexcept {
  if (bytes == 0) return;
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  budget_->used_.fetch_sub(bytes, std::memory_order_relaxed);
  budget_->by_use_[static_cast<std::size_t>(use)].fetch_sub(bytes, std::memory_order_relaxed);
}

bool Share::full() const noexcept {
  const std::size_t own = used();
  return !fits(own + 1, budget_->used() + 1, 1);
}

bool Charge::resize(std::size_t bytes) noexcept {
  if (share_ && bytes > bytes_ && !share_->take(bytes - bytes_, use_)) return false;
  if (share_ && bytes < bytes_) share_->give_back(bytes_ - bytes, use_);
  bytes_ = bytes;
  return true;
}

void Charge::set(std::size_t bytes) noexcept {
  if (share_ && bytes > bytes_) share_->add(bytes - bytes_, use_);
  if (share_ && bytes < bytes_) share_->give_back(bytes_ - bytes, use_);
  bytes_ = bytes;
}

}  // namespace caisson::observe
