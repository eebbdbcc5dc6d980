#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/storage/store.h"

namespace caisson::tenancy {

using Deadline = std::chrono::steady_clock::time_point;

/// Why a job has no answer. Nothing of it was kept; only when the store broke while it was being
/// committed is that unknown.
enum class Refusal : std::uint8_t {
  overloaded,   ///< the tenant's mailbox is full, or there is no memory
  unavailable,  ///< the tenant's store cannot be opened, is damaged, or broke
  gone,         ///< the tenant was deleted meanwhile
  deadline,     ///< its deadline passed, or it computed for longer than a job may
  full,         ///< the storage quota, or the disk
  failed,       ///< the engine refused what the job did: a defect of the job
};

/// Work for one tenant; `submit` makes one of a job and its reply. `run` may be called again after
/// its effects were undone, so it leaves its inputs as they are. `release` is called exactly once,
/// when what `run` wrote is durable (no refusal), or else with the reason why it is not; it must
/// not throw.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;
  virtual void run(storage::TenantStore& store) = 0;
  virtual void release(std::optional<Refusal> refusal) = 0;

  storage::Access access = storage::Access::write;
  Deadline deadline = Deadline::max();
  std::chrono::steady_clock::time_point queued{};  ///< set when it begins to wait

 private:
  friend class TaskQueue;
  std::unique_ptr<Task> next_;
};

/// Tasks in the order in which they came, linked in place: queueing needs no memory. One thread at
/// a time.
class TaskQueue {
 public:
  TaskQueue() = default;
  TaskQueue(TaskQueue&& other) noexcept
      : first_(std::move(other.first_)),
        last_(std::exchange(other.last_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  TaskQueue& operator=(TaskQueue&&) = delete;
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  ~TaskQueue() {
    while (pop()) {  // one by one: a long chain would not fit the stack
    }
  }

  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Task& front() const { return *first_; }
  void push(std::unique_ptr<Task> task) noexcept {
    Task* const last = task.get();
    (last_ == nullptr ? first_ : last_->next_) = std::move(task);
    last_ = last;
    ++size_;
  }
  /// Null when it is empty.
  [[nodiscard]] std::unique_ptr<Task> pop() noexcept {
    if (first_ == nullptr) return nullptr;
    std::unique_ptr<Task> task = std::move(first_);
    first_ = std::move(task->next_);
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return task;
  }

 private:
  std::unique_ptr<Task> first_;
  Task* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace caisson::tenancy
