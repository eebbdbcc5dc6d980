#include "installer/format/sums.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "installer/format/testing.h"

namespace caisson::installer {
namespace {

using testing::digits;

std::string line(std::string_view digest, std::string_view path) {
  return digits(digest) + "  " + std::string(path) + "\n";
}

TEST(ReadSums, ReadsWhatItWrites) {
  const auto text = line("aa", "MANIFEST") + line("bb", "INSTALLED") + line("cc", "blobs/x y");
  const auto sums = read_sums("SHA256SUMS", text, kManifest);
  ASSERT_TRUE(sums) << sums.error().what;
  EXPECT_EQ(sums->size(), 3U);
  EXPECT_EQ(write_sums(*sums, kManifest), text);
  EXPECT_EQ(write_sums({}, {}), "");
}

TEST(ReadSums, Sha256sumTakesWhatIsWritten) {
  const auto directory = std::filesystem::temp_directory_path() / "caisson-sums-test";
  std::filesystem::create_directories(directory);
  std::vector<Sum> sums;
  for (const std::string name : {"MANIFEST", "a b", "\u00fcber"}) {
    std::ofstream(directory / name) << name;
    sums.push_back({.digest = sha256(name), .path = name});
  }
  std::ofstream(directory / "SHA256SUMS") << write_sums(sums, kManifest);
  const auto command =
      "cd '" + directory.string() + "' && sha256sum -c --strict --status SHA256SUMS";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(directory);
}

TEST(ReadSums, RefusesEachWithItsCode) {
  const auto manifest = line("aa", "MANIFEST");
  const auto code = [](const std::string& text) {
    const auto sums = read_sums("SHA256SUMS", text, kManifest);
    return sums ? "taken" : std::string(entry_of(sums.error().code).number);
  };
  const auto number = [](Code each) { return std::string(entry_of(each).number); };
  EXPECT_EQ(code(""), number(Code::text_encoding));
  EXPECT_EQ(code(line("bb", "a") + manifest), number(Code::text_order));
  EXPECT_EQ(code(manifest + manifest), number(Code::text_order));
  EXPECT_EQ(code(manifest + line("bb", "b") + line("cc", "a")), number(Code::text_order));
  EXPECT_EQ(code(manifest + line("bb", "a") + line("cc", "a")), number(Code::text_order));
  EXPECT_EQ(code(manifest + line("bb", "a") + line("cc", "a/b")), number(Code::path_conflict));
  EXPECT_EQ(code(manifest + line("bb", "../a")), number(Code::text_path));
  // `sha256sum -c` reads its standard input for it.
  EXPECT_EQ(code(manifest + line("bb", "-")), number(Code::text_path));
  EXPECT_EQ(code(manifest + line("bb", "a\u061cb")), number(Code::text_encoding));
  EXPECT_EQ(code(manifest + line("bb", "a\u200db")), number(Code::text_path));
  EXPECT_EQ(code(manifest + digits("bb") + " a\n"), number(Code::text_line));
  EXPECT_EQ(code(manifest + digits("bb") + " *a\n"), number(Code::text_line));
  EXPECT_EQ(code(manifest + "# comment\n"), number(Code::text_digest));
  EXPECT_EQ(code(manifest + "\\" + digits("bb") + "  a\\nb\n"), number(Code::text_digest));
  EXPECT_EQ(code(manifest + "SHA256 (a) = " + digits("bb") + "\n"), number(Code::text_digest));
  EXPECT_EQ(code(manifest + digits("BB") + "  a\n"), number(Code::text_digest));
  EXPECT_EQ(code(manifest + line("bb", "a") + "\n"), number(Code::text_line));
}

}  // namespace
}  // namespace caisson::installer
