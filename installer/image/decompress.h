#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// Takes the next piece of something, and says whether to go on.
using Take = std::function<Checked<void>(std::string_view bytes)>;

/// Turns the pieces of a layer into those of the archive that it holds: it may be compressed with
/// gzip or zstd, which its first four bytes tell, so that the first piece has to have them. What is
/// damaged, and more than 64 GiB, are refused (`Code::bad_layer`, `Code::layer_too_large`). Takes
/// 128 MiB of memory at the most.
class Decompressor {
 public:
  Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor();

  [[nodiscard]] Checked<void> feed(std::string_view bytes, const Take& take);
  /// Nothing may be missing.
  [[nodiscard]] Checked<void> finish();

  /// What a piece of a layer should have.
  static constexpr std::size_t piece = std::size_t{256} * 1024;

 private:
  class Filter;
  class Gzip;
  class Plain;
  class Zstd;

  std::unique_ptr<Filter> filter_;
  std::uint64_t sum_ = 0;
};

}  // namespace caisson::installer
