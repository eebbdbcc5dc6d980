#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "base/hex.h"
#include "installer/trust/public_key.h"

namespace caisson::installer {
namespace {

std::string unhex(std::string_view digits) {
  std::string bytes;
  if (digits == "-") return bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(hex_value(digits[i]) << 4 | hex_value(digits[i + 1]));
  }
  return bytes;
}

TEST(PublicKey, AnswersEveryWycheproofVectorAsItShould) {
  std::ifstream lines(CAISSON_SOURCE_DIR "/installer/trust/testdata/wycheproof.txt");
  int valid = 0;
  int invalid = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string algorithm, hash, point, message, signature, result;
    words >> algorithm >> hash >> point >> message >> signature >> result;
    const auto bytes = unhex(point);
    const Key key{.algorithm = algorithm == "p256" ? Algorithm::p256 : Algorithm::ed25519,
                  .hash = hash == "sha256" ? Hash::sha256 : Hash::sha512,
                  .point = {bytes.begin(), bytes.end()}};
    auto digest = unhex(message);
    if (key.algorithm == Algorithm::p256) {
      Hashing hashing(key.hash);
      hashing.update(digest);
      digest = hashing.finish();
    }
    EXPECT_EQ(verifies(key, digest, unhex(signature)), result == "valid") << line;
    ++(result == "valid" ? valid : invalid);
  }
  EXPECT_GT(valid, 100);
  EXPECT_GT(invalid, 200);
}

TEST(PublicKey, RefusesPointsUnderWhichAnythingFits) {
  const auto fault = [](Algorithm algorithm, std::string_view point) {
    const auto bytes = unhex(point);
    return fault_of_key({.algorithm = algorithm, .point = {bytes.begin(), bytes.end()}});
  };
  const std::string zeros(60, '0');
  const std::string ones(60, 'f');
  for (const auto* sign : {"00", "80"}) {
    EXPECT_EQ(fault(Algorithm::ed25519, "00" + zeros + sign), "its point is of small order");
    EXPECT_EQ(fault(Algorithm::ed25519, "01" + zeros + sign), "its point is of small order");
  }
  for (const auto* end : {"7f", "ff"}) {
    EXPECT_EQ(fault(Algorithm::ed25519, "ec" + ones + end), "its point is of small order");
    EXPECT_EQ(fault(Algorithm::ed25519, "ed" + ones + end), "its point is not canonical");
    EXPECT_EQ(fault(Algorithm::ed25519, "ee" + ones + end), "its point is not canonical");
    EXPECT_EQ(fault(Algorithm::ed25519, "ff" + ones + end), "its point is not canonical");
  }
  for (const auto* order8 : {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                             "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"}) {
    EXPECT_EQ(fault(Algorithm::ed25519, order8), "its point is of small order");
  }
  // No point has y = 2.
  EXPECT_EQ(fault(Algorithm::ed25519, "02" + zeros + "00"), "its point is not on the curve");
  // The base point; and a multiple of it, with a point of order 2, 4 and 8 added.
  EXPECT_EQ(fault(Algorithm::ed25519, "58" + std::string(62, '6')), "");
  for (const auto* point : {"82ed2b2faa426bcdf9fcb4bfd1419fe408ea5c44188d32539549a46b265f8409",
                            "0db6cc8c6fa1a757956518286cce9b362fb61c6d12208752d8d6ffe0d14cba44",
                            "e9c6aa47f2c1dc30d08679feb45162ca38dfa1e557af575b803e03f30110eff5"}) {
    EXPECT_EQ(fault(Algorithm::ed25519, point), "a part of its point is of small order");
  }
  const std::string g =
      "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
  EXPECT_EQ(fault(Algorithm::p256, g), "");
  EXPECT_EQ(fault(Algorithm::p256, g.substr(0, 128) + "f4"), "its point is not on the curve");
  EXPECT_EQ(fault(Algorithm::p256, "06" + g.substr(2)), "its point is not uncompressed");
  EXPECT_EQ(fault(Algorithm::p256, g.substr(0, 128)), "its point has another size");
}

}  // namespace
}  // namespace caisson::installer
