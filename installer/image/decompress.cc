#include "installer/image/decompress.h"

#include <memory>
#include <new>
#include <string>

#include <zlib.h>
#include <zstd.h>

namespace caisson::installer {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{64} << 30U;

tl::unexpected<Refusal> damaged(const std::string& how) {
  return refuse(Code::bad_layer, "the layer is damaged: " + how);
}

}  // namespace

/// What turns the pieces of a layer into those of its archive.
class Decompressor::Filter {
 public:
  Filter() = default;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  virtual ~Filter() = default;
  [[nodiscard]] virtual Checked<void> feed(std::string_view bytes, const Take& take) = 0;
  [[nodiscard]] virtual Checked<void> finish() { return {}; }
};

class Decompressor::Plain final : public Filter {
 public:
  Checked<void> feed(std::string_view bytes, const Take& take) override { return take(bytes); }
};

class Decompressor::Gzip final : public Filter {
 public:
  Gzip() : out_(piece, '\0') {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override { inflateEnd(&stream_); }

  Checked<void> feed(std::string_view bytes, const Take& take) override {
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

  Checked<void> finish() override {
    return ended_ ? Checked<void>() : damaged("its gzip stream is cut short");
  }

 private:
  z_stream stream_{};
  std::string out_;
  bool ended_ = false;
};

class Decompressor::Zstd final : public Filter {
 public:
  Zstd() : stream_(ZSTD_createDStream()), out_(piece, '\0') {
    if (!stream_) throw std::bad_alloc();
    // 128 MiB, as the zstd program reads without being asked.
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 27);
  }

  Checked<void> feed(std::string_view bytes, const Take& take) override {
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

  Checked<void> finish() override {
    return left_ == 0 ? Checked<void>() : damaged("its zstd frame is cut short");
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::string out_;
  std::size_t left_ = 1;
};

Decompressor::Decompressor() = default;
Decompressor::~Decompressor() = default;

Checked<void> Decompressor::feed(std::string_view bytes, const Take& take) {
  if (bytes.empty()) return {};
  if (!filter_) {
    if (bytes.starts_with("\x1f\x8b")) {
      filter_ = std::make_unique<Gzip>();
    } else if (bytes.starts_with("\x28\xb5\x2f\xfd")) {
      filter_ = std::make_unique<Zstd>();
    } else {
      filter_ = std::make_unique<Plain>();
    }
  }
  return filter_->feed(bytes, [&](std::string_view given) -> Checked<void> {
    sum_ += given.size();
    if (sum_ > kMost) return refuse(Code::layer_too_large, "the layer holds more than 64 GiB");
    return take(given);
  });
}

Checked<void> Decompressor::finish() {
  return filter_ ? filter_->finish() : damaged("it is empty");
}

}  // namespace caisson::installer
