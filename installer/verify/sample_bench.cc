// Writes the bundle that bench/verify.sh measures: DIR with SIZE megabytes stored, three quarters
// of them in chunks of files that compress about as programs do, one quarter in layers of an image.
// Prints the root's fingerprint.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/hex.h"
#include "installer/verify/bundle_testing.h"

namespace caisson::installer {
namespace {

/// Half of it repeats, in pieces as long as an instruction or two.
std::string like_a_program(std::size_t size, std::uint64_t seed) {
  auto bytes = testing::noise(size, seed);
  const auto words = testing::noise(4096, 1);
  for (std::size_t at = 0; at + 16 < size; at += 16) {
    const auto word = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) * 15;
    bytes.replace(at, 10, words, word, 10);
  }
  return bytes;
}

int run(const std::string& directory, std::size_t megabytes) {
  constexpr std::size_t kMega = 1'000'000;
  testing::Maker maker;
  std::size_t stored = 0;
  for (std::uint64_t i = 0; stored < megabytes * kMega * 3 / 4; ++i) {
    const auto& pack =
        maker.add_large("bin/program-" + std::to_string(1000 + i), like_a_program(32 * kMega, i));
    for (const auto& chunk : pack.chunks) stored += chunk.stored;
  }
  for (std::uint64_t i = 0; stored < megabytes * kMega; ++i, stored += 25 * kMega) {
    maker.add_image("registry.example/app:" + std::to_string(1000 + i),
                    testing::noise(25 * kMega, 1000 + i));
  }
  maker.seal();
  maker.put_directory(directory);
  std::printf("%s\n", hex(sha256(maker.root_text)).c_str());
  return 0;
}

}  // namespace
}  // namespace caisson::installer

int main(int count, char** arguments) {
  if (count != 3) return 2;
  return caisson::installer::run(arguments[1], std::strtoul(arguments[2], nullptr, 10));
}
