#include "runtime/admin/workers.h"

#include <algorithm>
#include <utility>

namespace caisson::admin {

Workers::Workers(Bounds quick, Bounds lengthy) {
  queues_[0].bounds = quick;
  queues_[1].bounds = lengthy;
  for (Queue& queue : queues_) {
    for (std::size_t i = 0; i < queue.bounds.threads; ++i)
      threads_.emplace_back([this, &queue] { work(queue); });
  }
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (Queue& queue : queues_) queue.changed.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Workers::submit(Lane lane, std::string turn, std::function<void()> job) {
  Queue& queue = queues_.at(static_cast<std::size_t>(lane));
  const std::lock_guard lock(mutex_);
  if (queue.jobs.size() >= queue.bounds.waiting) return false;
  queue.jobs.push_back({.number = ++submitted_, .turn = std::move(turn), .run = std::move(job)});
  queue.changed.notify_one();
  return true;
}

bool Workers::is_first_of_its_turn(const Job& job) const {
  if (job.turn.empty()) return true;
  if (busy_.contains(job.turn)) return false;
  return std::ranges::none_of(queues_, [&](const Queue& queue) {
    return std::ranges::any_of(queue.jobs, [&](const Job& other) {
      return other.turn == job.turn && other.number < job.number;
    });
  });
}

std::deque<Workers::Job>::iterator Workers::next_of(Queue& queue) {
  return std::ranges::find_if(queue.jobs,
                              [this](const Job& job) { return is_first_of_its_turn(job); });
}

void Workers::work(Queue& queue) {
  std::unique_lock lock(mutex_);
  while (true) {
    auto next = queue.jobs.end();
    queue.changed.wait(lock, [&] {
      next = next_of(queue);
      return next != queue.jobs.end() || (stopping_ && queue.jobs.empty());
    });
    if (next == queue.jobs.end()) return;
    Job job = std::move(*next);
    queue.jobs.erase(next);
    if (!job.turn.empty()) busy_.insert(job.turn);
    lock.unlock();
    job.run();
    job.run = {};  // what it holds goes before its turn ends
    lock.lock();
    if (job.turn.empty()) continue;
    busy_.erase(job.turn);
    for (Queue& other : queues_) other.changed.notify_all();
  }
}

}  // namespace caisson::admin
