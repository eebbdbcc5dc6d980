#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "installer/format/refusal.h"

// From zstd, whose header stays out of this one.
struct ZSTD_DCtx_s;

namespace caisson::installer {

/// The largest window of a chunk, and of a patch, whose window also covers its base.
inline constexpr std::uint64_t kChunkWindow = std::uint64_t{8} * 1024 * 1024;
inline constexpr std::uint64_t kPatchWindow = std::uint64_t{64} * 1024 * 1024;

/// Decodes the zstd frames of chunks and patches (RFC 8878). Holds 200 KB between two of them;
/// one thread at a time.
class FrameDecoder {
 public:
  FrameDecoder();

  /// Decodes `frame`, which has to be exactly one frame that names its size, without a dictionary,
  /// into `content`, which it has to fill. `base` is what a patch was made for; empty for a chunk.
  /// `shown` is what messages call it. Nothing beyond `content` is written or asked for, whatever
  /// the frame says.
  [[nodiscard]] Checked<void> decode(const std::string& shown, std::string_view frame,
                                     std::string_view base, std::span<char> content);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace caisson::installer
