#include "installer/media/tar.h"

#include <cstdio>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

/// The header with bytes put somewhere and its checksum made right again.
std::string changed(std::string block, std::size_t at, std::string_view bytes) {
  block.replace(at, bytes.size(), bytes);
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  block.replace(148, 7, std::string(digits, 7));
  return block;
}

std::string header() { return tar_header({.path = "shop-1.0.0-amd64/README", .size = 12}); }

Code code_of(const std::string& block) {
  const auto member = read_tar_header("shop.tar", block);
  EXPECT_FALSE(member.has_value());
  return member ? Code::wrong_base : member.error().code;
}

TEST(TarHeader, IsReadAsItWasWritten) {
  const std::string longest = std::string(155, 'd') + "/" + std::string(100, 'n');
  for (const auto& path : {std::string("a/b"), std::string(100, 'x'), longest,
                           "shop/blobs/sha256/" + std::string(64, 'a'),
                           std::string(60, 'p') + "/blobs/sha256/" + std::string(64, 'a')}) {
    const Member written{.path = path, .size = kMostOfMember};
    const auto block = tar_header(written);
    ASSERT_EQ(block.size(), kTarBlock) << path;
    const auto read = read_tar_header("shop.tar", block);
    ASSERT_TRUE(read.has_value()) << read.error().what;
    EXPECT_EQ(read->path, written.path);
    EXPECT_EQ(read->size, written.size);
  }
}

TEST(TarHeader, IsNotWrittenWhereUstarHasNoRoom) {
  EXPECT_EQ(tar_header({.path = std::string(101, 'x'), .size = 1}), "");
  EXPECT_EQ(tar_header({.path = std::string(156, 'd') + "/n", .size = 1}), "")
      << "the name has room for 100 bytes, and its directory for 155";
  EXPECT_EQ(tar_header({.path = "a", .size = kMostOfMember + 1}), "");
}

TEST(TarHeader, RefusesWhatAnotherReaderCouldUnderstandDifferently) {
  const auto valid = header();
  auto broken = valid;
  broken[0] = 'S';
  EXPECT_EQ(code_of(broken), Code::bad_archive) << "checksum";
  const std::pair<std::size_t, std::string_view> cases[] = {
      {100, "0004755"},                  // set-uid
      {100, "0000777"},                  // another mode
      {108, "0000001"},                  // an owner
      {116, "0000001"},                  // a group
      {124, "\x80"},                     // size in base 256
      {124, "          12"},             // blanks instead of zeros
      {124, "-0000000012"},              // a sign
      {136, "00000000001"},              // a time
      {156, std::string_view("\0", 1)},  // the old way to say a file
      {156, "7"},                        // contiguous
      {156, "L"},                        // long names
      {156, "K"},
      {156, "S"},  // sparse
      {156, "x"},  // pax
      {156, "g"},
      {157, "target"},   // what a link points to
      {257, "ustar  "},  // GNU's own form
      {265, "root"},     // names of owners
      {297, "root"},
      {329, "0000001"},  // a device's number
      {500, "x"},        // the rest of the block
      {50, "behind the end of the name"},
  };
  for (const auto& [at, bytes] : cases) {
    EXPECT_EQ(code_of(changed(valid, at, bytes)), Code::bad_archive) << at << " " << bytes;
  }
  for (const char type : {'1', '2', '3', '4', '5', '6'}) {
    EXPECT_EQ(code_of(changed(valid, 156, std::string(1, type))), Code::not_a_regular_file);
  }
  EXPECT_EQ(code_of(valid.substr(0, 300)), Code::cut_short);
}

TEST(TarHeader, RefusesPathsThatLeaveTheirDirectory) {
  for (const std::string path :
       {"../x", "/etc/x", "a//b", "a/./b", "a/../b", "a/", "a\\b", "a\nb", "a\x1b[2J", "\xff"}) {
    auto name = path;
    name.resize(30, '\0');
    EXPECT_EQ(code_of(changed(header(), 0, name)), Code::text_path) << path;
  }
  EXPECT_EQ(code_of(changed(header(), 0, std::string(30, '\0'))), Code::text_path) << "empty";
  EXPECT_EQ(code_of(changed(header(), 345, "..")), Code::text_path) << "in the prefix";
  EXPECT_EQ(code_of(changed(header(), 345, "a")), Code::bad_archive)
      << "a short path stands in the name alone";
}

TEST(TarHeader, IsNamedInMessagesWithoutWhatSteersATerminal) {
  auto name = std::string("a\x1b[31m");
  name.resize(30, '\0');
  const auto refused = read_tar_header("shop.tar", changed(header(), 0, name));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().what, testing::Not(testing::HasSubstr("\x1b")));
}

}  // namespace
}  // namespace caisson::installer
