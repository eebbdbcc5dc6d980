#include "installer/verify/turns.h"

#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace caisson::installer {

Checked<void> Turns::run(unsigned threads, const std::function<Work()>& worker) {
  std::vector<std::thread> others;
  for (unsigned more = 1; more < threads; ++more) {
    try {
      others.emplace_back([&] { work(worker); });
    } catch (const std::system_error&) {
      more = threads;  // fewer threads do the same work
    }
  }
  work(worker);
  for (auto& other : others) other.join();
  if (refusal_) return tl::unexpected(*refusal_);
  return {};
}

void Turns::work(const std::function<Work()>& worker) {
  const auto lacking = [] {
    return refuse(Code::host_memory, "there is too little memory, or too many files are open");
  };
  Work each;
  try {
    each = worker();
  } catch (const std::bad_alloc&) {
    return finish(0, lacking());
  }
  while (const auto piece = take()) {
    try {
      finish(*piece, each(*piece));
    } catch (const std::bad_alloc&) {
      finish(*piece, lacking());
    }
  }
}

std::optional<std::size_t> Turns::take() {
  const std::lock_guard lock(mutex_);
  if (taken_ >= end_) return std::nullopt;
  return taken_++;
}

bool Turns::wait(std::size_t piece) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ == piece || end_ <= piece; });
  return end_ > piece;
}

void Turns::finish(std::size_t piece, Checked<void> result) {
  {
    const std::lock_guard lock(mutex_);
    if (result) {
      done_ = piece + 1;
    } else if (piece < end_) {
      end_ = piece;
      refusal_ = std::move(result.error());
    }
  }
  changed_.notify_all();
}

}  // namespace caisson::installer
