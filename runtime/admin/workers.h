#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace caisson::admin {

/// Threads for what may wait for disks, in two lanes: lengthy work never holds up quick work. Jobs
/// of one turn run one after the other, in the order in which they came, also across lanes; a job
/// that waits for its turn holds no thread. Thread-safe.
class Workers {
 public:
  enum class Lane : std::uint8_t { quick, lengthy };
  struct Bounds {
    std::size_t threads;
    std::size_t waiting;  ///< jobs that may wait
  };

  Workers(Bounds quick, Bounds lengthy);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Runs what waits, then stops.
  ~Workers();

  /// `job` runs on a thread of `lane` when it is its turn; an empty `turn` is always. False when
  /// too many wait in this lane.
  [[nodiscard]] bool submit(Lane lane, std::string turn, std::function<void()> job);

 private:
  struct Job {
    std::uint64_t number = 0;  ///< in the order of submission
    std::string turn;
    std::function<void()> run;
  };
  struct Queue {
    Bounds bounds;
    std::deque<Job> jobs;
    std::condition_variable changed;
  };

  void work(Queue& queue);
  [[nodiscard]] std::deque<Job>::iterator next_of(Queue& queue);
  [[nodiscard]] bool is_first_of_its_turn(const Job& job) const;

  std::mutex mutex_;
  std::array<Queue, 2> queues_;
  std::set<std::string> busy_;  ///< turns of the jobs that run
  std::uint64_t submitted_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace caisson::admin
