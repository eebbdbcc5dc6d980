#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Work in numbered pieces on several threads, parts of which are done in the order of the numbers.
/// The first piece that is refused, by its number, ends the work; which one that is does not depend
/// on the threads, because every piece before it is still done.
class Turns {
 public:
  /// Does a piece. What it returns after `wait` said false does not matter.
  using Work = std::function<Checked<void>(std::size_t piece)>;

  explicit Turns(std::size_t pieces) : end_(pieces) {}

  /// Does all pieces on so many threads, of which this is one. `worker` is called once on each and
  /// gives what does pieces there. Want of memory or descriptors is `Code::host_memory`.
  [[nodiscard]] Checked<void> run(unsigned threads, const std::function<Work()>& worker);

  /// Waits, within a piece, until all pieces before it are done. False when one was refused.
  [[nodiscard]] bool wait(std::size_t piece);

 private:
  void work(const std::function<Work()>& worker);
  std::optional<std::size_t> take();
  void finish(std::size_t piece, Checked<void> result);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t end_;  ///< pieces from here on are not begun
  std::size_t taken_ = 0;
  std::size_t done_ = 0;  ///< pieces before it are done, where they wait for each other
  std::optional<Refusal> refusal_;
};

}  // namespace caisson::installer
