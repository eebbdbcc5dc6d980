#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"

namespace caisson::installer {

/// "verify: 12.3 MB of 600.0 MB, 8 s left": what is done of all bytes, and after the first second
/// how long the rest will take at the pace so far. `spent` is in nanoseconds.
[[nodiscard]] std::string progress_text(std::string_view what, std::uint64_t done,
                                        std::uint64_t all, std::int64_t spent);

/// A line on standard error that tells how much has been read, five times a second, and is cleared
/// at the end. Nothing unless standard error is a terminal.
class ReadingProgress {
 public:
  /// `all` is how many bytes there are to be read, about.
  ReadingProgress(std::string_view what, std::uint64_t all);
  ReadingProgress(const ReadingProgress&) = delete;
  ReadingProgress& operator=(const ReadingProgress&) = delete;
  ~ReadingProgress();

  /// Counts bytes; from any thread.
  void advance(std::uint64_t bytes);

 private:
  bool shown_;
  SystemClock clock_;
  std::mutex mutex_;
  std::string what_;
  std::uint64_t all_;
  std::uint64_t done_ = 0;
  std::int64_t began_;
  std::int64_t last_ = 0;
};

}  // namespace caisson::installer
