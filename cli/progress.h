#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/time.h"
#include "cli/console.h"
#include "generator/bundle/progress.h"

namespace caisson::cli {

/// Shows on one line of a terminal how much is done and how long the rest will take. Silent when
/// standard error is no terminal, and under --quiet.
class TerminalProgress final : public bundle::Progress {
 public:
  explicit TerminalProgress(Console& console);
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;
  ~TerminalProgress() override;

  void begin(std::string_view what, std::uint64_t bytes) override;
  void advance(std::uint64_t bytes) override;

 private:
  void show();

  Console& console_;
  bool shown_;
  SystemClock clock_;
  std::mutex mutex_;
  std::string what_;
  std::uint64_t all_ = 0;
  std::uint64_t done_ = 0;
  std::int64_t began_ = 0;  ///< nanoseconds of the clock
  std::int64_t last_ = 0;
};

}  // namespace caisson::cli
