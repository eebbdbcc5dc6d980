#include "generator/bundle/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace caisson::bundle {

Result<void> in_parallel(std::size_t count, unsigned threads,
                         const std::function<Result<void>(std::size_t)>& work) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::optional<std::pair<std::size_t, Failure>> first;
  std::exception_ptr thrown;
  const auto run = [&] {
    try {
      while (!stop) {
        const auto index = next++;
        if (index >= count) return;
        auto done = work(index);
        if (done) continue;
        stop = true;
        const std::scoped_lock lock(mutex);
        if (!first || index < first->first) first = {index, std::move(done.error())};
      }
    } catch (...) {
      stop = true;
      const std::scoped_lock lock(mutex);
      thrown = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < std::min<std::size_t>(threads, count); ++i) others.emplace_back(run);
    run();
  }
  if (thrown) std::rethrow_exception(thrown);
  if (first) return tl::unexpected(std::move(first->second));
  return {};
}

}  // namespace caisson::bundle
