#include "installer/command/progress.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "installer/command/command.h"

namespace caisson::installer {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
/// Back to the first column, and clear the line.
constexpr std::string_view kClear = "\r\x1b[K";

void write_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t all,
                          std::int64_t spent) {
  auto text = std::string(what) + ": " + bytes_text(done) + " of " + bytes_text(all);
  if (spent > kSecond && done > 0 && done < all) {
    const auto left = static_cast<double>(spent) / static_cast<double>(done) *
                      static_cast<double>(all - done) / static_cast<double>(kSecond);
    text += ", " + std::to_string(static_cast<std::int64_t>(left) + 1) + " s left";
  }
  return text;
}

ReadingProgress::ReadingProgress(std::string_view what, std::uint64_t all)
    : shown_(isatty(STDERR_FILENO) == 1), what_(what), all_(all), began_(clock_.steady_ns()) {}

ReadingProgress::~ReadingProgress() {
  if (shown_ && last_ != 0) write_error(kClear);
}

void ReadingProgress::advance(std::uint64_t bytes) {
  if (!shown_) return;
  const std::scoped_lock lock(mutex_);
  done_ = std::min(done_ + bytes, all_);
  const auto now = clock_.steady_ns();
  if (now - last_ < kSecond / 5 && done_ < all_) return;
  last_ = now;
  write_error(std::string(kClear) + progress_text(what_, done_, all_, now - began_));
}

}  // namespace caisson::installer
