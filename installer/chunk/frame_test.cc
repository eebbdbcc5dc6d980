#include "installer/chunk/frame.h"

#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

namespace caisson::installer {
namespace {

using ::testing::HasSubstr;

struct Options {
  int level = 3;
  int window_log = 0;
  bool size = true;
  std::string_view prefix = {};
  std::string_view dictionary = {};
};

std::string frame_of(std::string_view content, const Options& options = {}) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                        ZSTD_freeCCtx);
  auto* const c = context.get();
  ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, options.level);
  ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, options.size ? 1 : 0);
  if (options.window_log > 0) {
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, options.window_log);
  }
  if (!options.prefix.empty()) {
    ZSTD_CCtx_refPrefix(c, options.prefix.data(), options.prefix.size());
  }
  if (!options.dictionary.empty()) {
    ZSTD_CCtx_loadDictionary(c, options.dictionary.data(), options.dictionary.size());
  }
  std::string frame(ZSTD_compressBound(content.size()) + 100, '\0');
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  if (options.size) ZSTD_CCtx_setPledgedSrcSize(c, content.size());
  // In two steps, so that a frame without a size really is one.
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_flush)), 0U);
  EXPECT_EQ(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0U);
  frame.resize(out.pos);
  return frame;
}

/// Bytes that do not repeat.
std::string noise(std::size_t size, std::uint64_t seed = 1) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(seed >> 56);
  }
  return bytes;
}

Checked<std::string> decoded(std::string_view frame, std::size_t size, std::string_view base = {}) {
  FrameDecoder decoder;
  std::string content(size, '\0');
  auto done = decoder.decode("chunk", frame, base, content);
  if (!done) return tl::unexpected(done.error());
  return content;
}

Refusal refusal_of(std::string_view frame, std::size_t size, std::string_view base = {}) {
  const auto result = decoded(frame, size, base);
  EXPECT_FALSE(result.has_value());
  return result ? Refusal{Code::wrong_base, ""} : result.error();
}

TEST(FrameDecoder, DecodesWhatZstdWrites) {
  const auto large = noise(8 << 20);
  for (const auto& content : {std::string(), std::string("a"), std::string(1 << 20, 'x'), large}) {
    for (const int level : {1, 3}) {
      const auto result = decoded(frame_of(content, {.level = level}), content.size());
      ASSERT_TRUE(result.has_value()) << result.error().what;
      EXPECT_EQ(*result, content);
    }
  }
}

TEST(FrameDecoder, DecodesAPatchWithItsBaseAlone) {
  const auto base = noise(3 << 20);
  auto content = base;
  content.replace(1000, 100, noise(100, 7));
  const auto patch = frame_of(content, {.window_log = 23, .prefix = base});
  EXPECT_LT(patch.size(), 4096U);
  const auto result = decoded(patch, content.size(), base);
  ASSERT_TRUE(result.has_value()) << result.error().what;
  EXPECT_EQ(*result, content);
  const auto other = decoded(patch, content.size(), noise(3 << 20, 9));
  EXPECT_TRUE(!other || *other != content);
  EXPECT_EQ(refusal_of(patch, content.size()).code, Code::bad_chunk) << "without a base";
}

TEST(FrameDecoder, RefusesABombWhateverItSays) {
  const std::string zeros(64 << 20, '\0');
  const auto bomb = frame_of(zeros);
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_EQ(refusal_of(bomb, 1000).code, Code::chunk_size);
  EXPECT_EQ(refusal_of(frame_of(zeros, {.window_log = 20, .size = false}), 1000).code,
            Code::chunk_size);
  // The size in the header is a lie: one byte of the content size, of a frame of 200 bytes.
  auto lie = frame_of(std::string(200, 'x'));
  const auto at = lie.find('\xc8');
  ASSERT_NE(at, std::string::npos);
  lie[at] = 100;
  EXPECT_EQ(refusal_of(lie, 100).code, Code::bad_chunk);
  lie[at] = '\xff';
  EXPECT_EQ(refusal_of(lie, 255).code, Code::bad_chunk);
}

TEST(FrameDecoder, RefusesAWindowThatIsTooLarge) {
  const auto content = noise(9 << 20);
  const auto frame = frame_of(content, {.window_log = 24});
  EXPECT_EQ(refusal_of(frame, content.size()).code, Code::chunk_window);
}

TEST(FrameDecoder, RefusesEverythingButOneFrame) {
  const std::string content = "the same words, the same words, the same words";
  const auto frame = frame_of(content);
  ASSERT_TRUE(decoded(frame, content.size()));
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  for (const auto& bytes : {frame + frame, frame + skippable, frame + "x", frame + '\0',
                            frame.substr(0, frame.size() - 1)}) {
    EXPECT_EQ(refusal_of(bytes, content.size()).code, Code::bad_chunk);
  }
  EXPECT_THAT(refusal_of(skippable + frame, content.size()).what, HasSubstr("skipped"));
  EXPECT_EQ(refusal_of(skippable, 4).code, Code::bad_chunk);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(refusal_of(frame.substr(0, size), content.size()).code, Code::bad_chunk) << size;
  }
  EXPECT_EQ(refusal_of("not compressed at all", 21).code, Code::bad_chunk);
  EXPECT_EQ(refusal_of(frame, content.size() + 1).code, Code::chunk_size);
  EXPECT_EQ(refusal_of(frame, content.size() - 1).code, Code::chunk_size);
}

TEST(FrameDecoder, RefusesADictionary) {
  // The header of a dictionary with the number 7, as `zstd --train` writes one, is not needed: the
  // number in the frame is enough. Magic, descriptor with a byte for it, window, number.
  const std::string frame(
      "\x28\xb5\x2f\xfd\x21\x07\x04\x21\x00\x00"
      "abcd",
      14);
  EXPECT_THAT(refusal_of(frame, 4).what, HasSubstr("dictionary"));
}

}  // namespace
}  // namespace caisson::installer
