#pragma once

#include <cstdint>
#include <string_view>

namespace caisson::bundle {

/// Who is told how far the work is. Any thread may tell.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  /// A stage of the work begins, of so many bytes.
  virtual void begin(std::string_view what, std::uint64_t bytes) = 0;
  /// So many bytes more are done.
  virtual void advance(std::uint64_t bytes) = 0;
};

}  // namespace caisson::bundle
