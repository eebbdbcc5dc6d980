#include "cli/progress.h"

#include <algorithm>

#include <unistd.h>

#include "installer/command/progress.h"

namespace caisson::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
/// Back to the first column, and clear the line.
constexpr std::string_view kClear = "\r\x1b[K";

}  // namespace

TerminalProgress::TerminalProgress(Console& console)
    : console_(console), shown_(!console.quiet() && isatty(STDERR_FILENO) == 1) {}

TerminalProgress::~TerminalProgress() {
  if (shown_ && last_ != 0) console_.error(kClear);
}

void TerminalProgress::begin(std::string_view what, std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  what_ = what;
  all_ = bytes;
  done_ = 0;
  began_ = clock_.steady_ns();
}

void TerminalProgress::advance(std::uint64_t bytes) {
  if (!shown_) return;
  const std::scoped_lock lock(mutex_);
  done_ += bytes;
  const auto now = clock_.steady_ns();
  if (now - last_ < kSecond / 5 && done_ < all_) return;
  last_ = now;
  show();
}

void TerminalProgress::show() {
  console_.error(std::string(kClear) +
                 installer::progress_text(what_, done_, all_, last_ - began_));
}

}  // namespace caisson::cli
