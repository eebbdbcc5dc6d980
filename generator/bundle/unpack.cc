#include "generator/bundle/unpack.h"

#include <algorithm>
#include <optional>
#include <string>

#include "installer/image/decompress.h"

namespace caisson::bundle {

Failure failure_of(const installer::Refusal& refusal) {
  return {.what = refusal.what, .remedy = std::string(installer::entry_of(refusal.code).remedy)};
}

Result<void> unpack(const Source& layer,
                    const std::function<Result<void>(std::string_view)>& stored,
                    const std::function<installer::Checked<void>(std::string_view)>& take) {
  installer::Decompressor decompressor;
  std::string piece;
  for (std::uint64_t at = 0; at < layer.size(); at += piece.size()) {
    const auto size = std::min<std::uint64_t>(installer::Decompressor::piece, layer.size() - at);
    if (auto read = layer.read(at, size, piece); !read) return read;
    if (auto done = stored(piece); !done) return done;
    if (auto done = decompressor.feed(piece, take); !done) {
      return tl::unexpected(failure_of(done.error()));
    }
  }
  if (auto whole = decompressor.finish(); !whole) {
    return tl::unexpected(failure_of(whole.error()));
  }
  return {};
}

}  // namespace caisson::bundle
