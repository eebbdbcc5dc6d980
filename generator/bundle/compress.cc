#include "generator/bundle/compress.h"

#include <algorithm>
#include <bit>
#include <new>

#include <zstd.h>

namespace caisson::bundle {
namespace {

/// The level for what is compressed already: zstd only notices that it is.
constexpr int kLeastLevel = 1;
/// How much of a text is tried, at its beginning, in its middle and at its end.
constexpr std::size_t kSample = std::size_t{16} * 1024;

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept { ZSTD_freeCCtx(context); }

Compressor::Compressor(int level) : context_(ZSTD_createCCtx()), level_(level) {
  if (!context_) throw std::bad_alloc();
}

Result<std::string_view> Compressor::compress(std::string_view bytes) {
  out_.resize(std::max(out_.size(), ZSTD_compressBound(bytes.size())));
  const auto size =
      ZSTD_compress2(context_.get(), out_.data(), out_.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) {
    return fail("zstd cannot compress: " + std::string(ZSTD_getErrorName(size)));
  }
  return std::string_view(out_).substr(0, size);
}

bool Compressor::is_compressed(std::string_view bytes) {
  if (bytes.size() < 4 * kSample) return false;
  std::size_t stored = 0;
  for (const auto at : {std::size_t{0}, bytes.size() / 2, bytes.size() - kSample}) {
    out_.resize(std::max(out_.size(), ZSTD_compressBound(kSample)));
    const auto size = ZSTD_compressCCtx(context_.get(), out_.data(), out_.size(), bytes.data() + at,
                                        kSample, kLeastLevel);
    if (ZSTD_isError(size) != 0) return false;
    stored += size;
  }
  return stored > 3 * kSample / 100 * 97;
}

Result<std::string_view> Compressor::frame(std::string_view bytes) {
  const int level = is_compressed(bytes) ? kLeastLevel : level_;
  ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
  return compress(bytes);
}

Result<std::string_view> Compressor::patch(std::string_view bytes, std::string_view base) {
  ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level_);
  // The base is reached from everywhere only when the window holds the longer of the two.
  const int window = static_cast<int>(std::bit_width(std::max(bytes.size(), base.size())));
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, std::max(window, 10));
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_enableLongDistanceMatching, 1);
  const auto referred = ZSTD_CCtx_refPrefix(context_.get(), base.data(), base.size());
  if (ZSTD_isError(referred) != 0) {
    return fail("zstd cannot compress: " + std::string(ZSTD_getErrorName(referred)));
  }
  return compress(bytes);
}

}  // namespace caisson::bundle
