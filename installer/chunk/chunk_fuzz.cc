#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "installer/chunk/frame.h"

/// Frames of foreign bytes, as a chunk and as a patch. The first two bytes are the size that was
/// signed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view frame(reinterpret_cast<const char*>(data) + 2, size - 2);
  static caisson::installer::FrameDecoder decoder;
  std::string content(static_cast<std::size_t>(data[0] | data[1] << 8), '\0');
  (void)decoder.decode("chunk", frame, {}, content);
  (void)decoder.decode("patch", frame, "what the patch was made for", content);
  return 0;
}
