#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

// From zstd, whose headers stay out of this one.
struct ZSTD_CCtx_s;

namespace caisson::bundle {

/// Makes zstd frames (RFC 8878). One thread's; the same bytes and level give the same frame.
class Compressor {
 public:
  explicit Compressor(int level);

  [[nodiscard]] int level() const { return level_; }

  /// One frame that says how long its content is. What hardly becomes smaller, because it is
  /// compressed already, is not tried hard. The result holds until the next call.
  [[nodiscard]] Result<std::string_view> frame(std::string_view bytes);

  /// The same as a difference to `base`: `zstd -d --patch-from` restores it.
  [[nodiscard]] Result<std::string_view> patch(std::string_view bytes, std::string_view base);

 private:
  [[nodiscard]] Result<std::string_view> compress(std::string_view bytes);
  [[nodiscard]] bool is_compressed(std::string_view bytes);

  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  int level_;
  std::string out_;
};

}  // namespace caisson::bundle
