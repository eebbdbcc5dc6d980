#include "conformance/scan/scanner.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base64url.h"
#include "conformance/scan/files.h"

namespace caisson::conformance {
namespace {

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string hex(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::string wide(std::string_view text, bool little) {
  std::string out;
  for (const char c : text) {
    if (!little) out += '\0';
    out += c;
    if (little) out += '\0';
  }
  return out;
}

/// What an adversary's or a bug's output may do to a canary.
std::vector<std::pair<std::string, std::string>> disguises(const std::string& text) {
  std::string percent;
  for (const unsigned char c : text) percent += "%" + hex(std::string(1, static_cast<char>(c)));
  std::string upper = hex(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  return {{"raw", text},
          {"base64", encode_base64(text)},
          {"base64", encode_base64("x" + text + "yz")},
          {"base64", encode_base64("xy" + text + "z")},
          {"base64", encode_base64url("xyz" + text)},
          {"hex", hex(text)},
          {"hex", upper},
          {"percent", percent},
          {"utf-16", wide(text, true)},
          {"utf-16", wide(text, false)},
          {"gzip/raw", gzip("before " + text + " after")},
          {"gzip/gzip/raw", gzip("outer" + gzip("inner " + text))},
          {"gzip/base64", gzip(encode_base64(text))}};
}

TEST(Canary, HasTheDocumentedShape) {
  const Canary canary = make_canary("r1", "globex", "row");
  EXPECT_TRUE(canary.text.starts_with("CAISSON-r1-globex-row-"));
  EXPECT_EQ(canary.needle.size(), 32U);
  EXPECT_TRUE(canary.text.ends_with(canary.needle));
  EXPECT_NE(canary.needle, make_canary("r1", "globex", "row").needle);
}

TEST(Scanner, SeesEveryDisguise) {
  const Canary canary = make_canary("r1", "globex", "row");
  const Scanner scanner({make_canary("r1", "initech", "row"), canary});
  for (const auto& [form, bytes] : disguises(canary.text)) {
    const auto seen = scanner.scan("noise " + bytes + " noise");
    ASSERT_FALSE(seen.empty()) << form;
    EXPECT_EQ(seen.front().canary, 1U) << form;
    EXPECT_TRUE(std::ranges::any_of(seen, [&](const Sighting& s) { return s.form == form; }))
        << form;
  }
}

TEST(Scanner, SeesTheNonceAlone) {
  const Canary canary = make_canary("r1", "globex", "row");
  EXPECT_EQ(Scanner({canary}).scan("..." + canary.needle).size(), 1U);
}

TEST(Scanner, IsSilentOnForeignText) {
  const Scanner scanner({make_canary("r1", "globex", "row")});
  for (int i = 0; i < 100; ++i) {
    for (const auto& [form, bytes] : disguises(make_canary("r1", "globex", "row").text)) {
      EXPECT_TRUE(scanner.scan(bytes).empty());
    }
  }
}

TEST(ScanStream, FindsWhatIsCutAnywhere) {
  const Canary canary = make_canary("r1", "globex", "row");
  const Scanner scanner({canary});
  for (const auto& [form, bytes] : disguises(canary.text)) {
    const std::string text = "head" + bytes + "tail";
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      ScanStream stream(scanner);
      stream.feed(std::string_view(text).substr(0, cut));
      stream.feed(std::string_view(text).substr(cut));
      EXPECT_FALSE(stream.sightings().empty()) << form << " cut at " << cut;
    }
  }
}

TEST(ScanStream, SaysWhenABoundStoppedIt) {
  const Scanner scanner({make_canary("r1", "globex", "row")});
  std::string nested = "core";
  for (int i = 0; i < 6; ++i) nested = gzip(nested);
  ScanStream stream(scanner);
  stream.feed(nested);
  EXPECT_FALSE(stream.complete());
}

TEST(ScanStream, SurvivesBrokenGzip) {
  const Canary canary = make_canary("r1", "globex", "row");
  const Scanner scanner({canary});
  std::string broken;
  for (int i = 0; i < 50; ++i) broken += std::string("\x1f\x8b\x08\x00garbage", 11);
  ScanStream stream(scanner);
  stream.feed(broken + canary.text);
  EXPECT_FALSE(stream.sightings().empty());
}

TEST(Scanner, FindsAnyPatternInAnyNoise) {
  EXPECT_TRUE(rc::check("a planted canary is always found", [] {
    const auto noise = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const auto more = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const Canary canary = make_canary("r", "t", "s");
    const auto shapes = disguises(canary.text);
    const auto& bytes = shapes[*rc::gen::inRange<std::size_t>(0, 10)].second;
    const Scanner scanner({canary});
    RC_ASSERT(!scanner.scan(noise + bytes + more).empty());
  }));
}

TEST(ScanFiles, WalksTreesAndNames) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("caisson-scan-" + std::to_string(getpid()));
  fs::create_directories(root / "a/b");
  const Canary inside = make_canary("r", "t", "row");
  const Canary named = make_canary("r", "t", "file");
  std::ofstream(root / "a/b/data") << std::string(70000, 'x') << inside.text;
  std::ofstream(root / ("a/" + named.text)) << "nothing";
  fs::create_symlink("/etc", root / "link");
  const FileScan scan = scan_files(Scanner({inside, named}), root);
  fs::remove_all(root);
  EXPECT_EQ(scan.files, 2U);
  EXPECT_TRUE(scan.unread.empty());
  ASSERT_EQ(scan.hits.size(), 2U);
  EXPECT_NE(scan.hits[0].sighting.canary, scan.hits[1].sighting.canary);
}

}  // namespace
}  // namespace caisson::conformance
