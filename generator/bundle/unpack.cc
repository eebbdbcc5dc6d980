#include "generator/bundle/unpack.h"

#include <algorithm>
#include <memory>
#include <new>
#include <string>

#include <zlib.h>
#include <zstd.h>

namespace caisson::bundle {
namespace {

using Take = std::function<Result<void>(std::string_view)>;

constexpr std::size_t kPiece = std::size_t{256} * 1024;
constexpr std::uint64_t kMost = std::uint64_t{64} << 30U;

tl::unexpected<Failure> damaged(const std::string& how) {
  return fail("the layer is damaged: " + how, "get the image again");
}

/// What turns the pieces of a layer into those of its archive.
class Filter {
 public:
  Filter() = default;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  virtual ~Filter() = default;
  virtual Result<void> feed(std::string_view bytes, const Take& take) = 0;
  virtual Result<void> finish() { return {}; }
};

class Plain final : public Filter {
 public:
  Result<void> feed(std::string_view bytes, const Take& take) override { return take(bytes); }
};

class Gzip final : public Filter {
 public:
  Gzip() : out_(kPiece, '\0') {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override { inflateEnd(&stream_); }

  Result<void> feed(std::string_view bytes, const Take& take) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0 || stream_.avail_out == 0) {
      // Several members in a row are one text (RFC 1952).
      if (ended_ && stream_.avail_in == 0) break;
      if (ended_ && inflateReset(&stream_) != Z_OK) return damaged("gzip");
      ended_ = false;
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int state = inflate(&stream_, Z_NO_FLUSH);
      if (state == Z_MEM_ERROR) throw std::bad_alloc();
      if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
        return damaged("it is not gzip to its end");
      }
      ended_ = state == Z_STREAM_END;
      if (auto taken = take(std::string_view(out_).substr(0, out_.size() - stream_.avail_out));
          !taken) {
        return taken;
      }
      if (state == Z_BUF_ERROR) break;
    }
    return {};
  }

  Result<void> finish() override {
    return ended_ ? Result<void>() : damaged("its gzip stream is cut short");
  }

 private:
  z_stream stream_{};
  std::string out_;
  bool ended_ = false;
};

class Zstd final : public Filter {
 public:
  Zstd() : stream_(ZSTD_createDStream()), out_(kPiece, '\0') {
    if (!stream_) throw std::bad_alloc();
    // 128 MiB, as the zstd program reads without being asked.
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 27);
  }

  Result<void> feed(std::string_view bytes, const Take& take) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool full = false;
    while (in.pos < in.size || full) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      left_ = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(left_) != 0) return damaged(ZSTD_getErrorName(left_));
      // A frame that has ended gives nothing more: asked again, zstd would wait for another one.
      full = out.pos == out.size && left_ != 0;
      if (auto taken = take(std::string_view(out_).substr(0, out.pos)); !taken) return taken;
    }
    return {};
  }

  Result<void> finish() override {
    return left_ == 0 ? Result<void>() : damaged("its zstd frame is cut short");
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::string out_;
  std::size_t left_ = 1;
};

std::unique_ptr<Filter> filter_for(std::string_view begin) {
  if (begin.starts_with("\x1f\x8b")) return std::make_unique<Gzip>();
  if (begin.starts_with("\x28\xb5\x2f\xfd")) return std::make_unique<Zstd>();
  return std::make_unique<Plain>();
}

}  // namespace

Result<void> unpack(const Source& layer, const Take& stored, const Take& take) {
  std::unique_ptr<Filter> filter;
  std::uint64_t sum = 0;
  const Take bounded = [&](std::string_view bytes) -> Result<void> {
    sum += bytes.size();
    if (sum > kMost) return fail("the layer holds more than 64 GiB");
    return take(bytes);
  };
  std::string piece;
  for (std::uint64_t at = 0; at < layer.size(); at += piece.size()) {
    const auto size = std::min<std::uint64_t>(kPiece, layer.size() - at);
    if (auto read = layer.read(at, size, piece); !read) return read;
    if (!filter) filter = filter_for(piece);
    if (auto done = stored(piece); !done) return done;
    if (auto done = filter->feed(piece, bounded); !done) return done;
  }
  return filter ? filter->finish() : damaged("it is empty");
}

}  // namespace caisson::bundle
