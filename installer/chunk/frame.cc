#include "installer/chunk/frame.h"

#include <new>

// For ZSTD_getFrameHeader, which tells window and dictionary before anything is decoded.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

namespace caisson::installer {
namespace {

/// What can be told before anything is decoded.
Checked<void> check_header(const std::string& shown, std::string_view frame, bool patch,
                           std::size_t size) {
  const auto refused = [&](Code code, const std::string& why) {
    return refuse(code, shown + ": " + why);
  };
  ZSTD_frameHeader header{};
  const auto status = ZSTD_getFrameHeader(&header, frame.data(), frame.size());
  if (ZSTD_isError(status) != 0) return refused(Code::bad_chunk, "it is no zstd frame");
  if (status > 0) return refused(Code::bad_chunk, "it ends within the header of its frame");
  if (header.frameType != ZSTD_frame) return refused(Code::bad_chunk, "its frame is to be skipped");
  if (header.dictID != 0) return refused(Code::bad_chunk, "it needs a dictionary");
  if (header.frameContentSize != size) {
    return refused(Code::chunk_size,
                   header.frameContentSize == ZSTD_CONTENTSIZE_UNKNOWN
                       ? std::string("its frame does not say how many bytes it holds")
                       : "its frame says that it holds " + std::to_string(header.frameContentSize) +
                             " bytes, and " + std::to_string(size) + " were signed");
  }
  if (header.windowSize > (patch ? kPatchWindow : kChunkWindow)) {
    return refused(Code::chunk_window,
                   "its frame has a window of " + std::to_string(header.windowSize) + " bytes");
  }
  const auto length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(length) != 0) return refused(Code::bad_chunk, "its frame is not whole");
  if (length != frame.size()) return refused(Code::bad_chunk, "more follows its frame");
  return {};
}

}  // namespace

void FrameDecoder::Free::operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }

FrameDecoder::FrameDecoder() : context_(ZSTD_createDCtx()) {
  if (!context_) throw std::bad_alloc();
}

Checked<void> FrameDecoder::decode(const std::string& shown, std::string_view frame,
                                   std::string_view base, std::span<char> content) {
  if (auto checked = check_header(shown, frame, !base.empty(), content.size()); !checked) {
    return checked;
  }
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
  if (!base.empty() &&
      ZSTD_isError(ZSTD_DCtx_refPrefix(context_.get(), base.data(), base.size())) != 0) {
    throw std::bad_alloc();  // the one thing that it can lack
  }
  // A frame that names a size and holds more is cut off by the size of the output.
  const auto size = ZSTD_decompressDCtx(context_.get(), content.data(), content.size(),
                                        frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) {
    return refuse(Code::bad_chunk,
                  shown + ": its frame cannot be decoded: " + ZSTD_getErrorName(size));
  }
  if (size != content.size()) {
    return refuse(Code::chunk_size, shown + ": its frame holds " + std::to_string(size) +
                                        " bytes, and " + std::to_string(content.size()) +
                                        " were signed");
  }
  return {};
}

}  // namespace caisson::installer
