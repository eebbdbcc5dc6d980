#include "installer/media/parts.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

using ::testing::HasSubstr;

/// A file in memory.
class Bytes final : public Source {
 public:
  Bytes(std::string name, std::string bytes)
      : Source(bytes.size(), std::move(name)), bytes_(std::move(bytes)) {}

  Checked<void> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset + into.size() > bytes_.size()) return refuse(Code::cut_short, shown());
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }

 private:
  std::string bytes_;
};

constexpr std::string_view kTransport = "0123456789abcdefghij";

/// The transport in parts of 7 bytes: 7, 7 and 6.
std::vector<std::pair<PartHeader, std::string>> cut(unsigned char bundle = 1) {
  std::vector<std::pair<PartHeader, std::string>> parts;
  for (std::uint64_t offset = 0; offset < kTransport.size(); offset += 7) {
    const auto bytes = kTransport.substr(offset, 7);
    PartHeader header{.number = offset / 7 + 1,
                      .parts = 3,
                      .offset = offset,
                      .length = bytes.size(),
                      .total = kTransport.size()};
    header.manifest[0] = bundle;
    parts.emplace_back(header, bytes);
  }
  return parts;
}

Checked<Parts> joined(const std::vector<std::pair<PartHeader, std::string>>& parts) {
  std::vector<std::unique_ptr<Source>> files;
  char letter = 'A';
  for (const auto& [header, bytes] : parts) {
    files.push_back(std::make_unique<Bytes>(std::string(1, letter++) + ".BIN",
                                            write_part_header(header) + bytes));
  }
  return join_parts(std::move(files), "stick");
}

Refusal refusal_of(const std::vector<std::pair<PartHeader, std::string>>& parts) {
  const auto result = joined(parts);
  EXPECT_FALSE(result.has_value());
  return result ? Refusal{Code::wrong_base, ""} : result.error();
}

TEST(Parts, AreReadInAnyOrderAndAcrossTheirEdges) {
  auto parts = cut();
  std::ranges::reverse(parts);
  const auto result = joined(parts);
  ASSERT_TRUE(result.has_value()) << result.error().what;
  EXPECT_EQ(result->manifest[0], 1);
  const auto& transport = *result->transport;
  ASSERT_EQ(transport.size(), kTransport.size());
  for (std::size_t from = 0; from <= kTransport.size(); ++from) {
    for (std::size_t size = 0; from + size <= kTransport.size(); ++size) {
      std::string bytes(size, '\0');
      ASSERT_TRUE(transport.read(from, bytes));
      EXPECT_EQ(bytes, kTransport.substr(from, size));
    }
  }
  std::string beyond(2, '\0');
  EXPECT_EQ(transport.read(kTransport.size() - 1, beyond).error().code, Code::cut_short);
  EXPECT_EQ(transport.read(~std::uint64_t{0}, beyond).error().code, Code::cut_short);
}

TEST(Parts, TellWhichOneIsWrong) {
  auto parts = cut();
  parts.erase(parts.begin() + 1);
  auto refusal = refusal_of(parts);
  EXPECT_EQ(refusal.code, Code::missing_part);
  EXPECT_THAT(refusal.what, HasSubstr("part 2 of 3"));

  parts = cut();
  parts.pop_back();
  EXPECT_THAT(refusal_of(parts).what, HasSubstr("part 3 of 3"));

  parts = cut();
  parts.push_back(parts[2]);
  refusal = refusal_of(parts);
  EXPECT_EQ(refusal.code, Code::doubled_part);
  EXPECT_THAT(refusal.what, HasSubstr("C.BIN and D.BIN"));
  parts = cut();
  parts[2] = parts[0];
  EXPECT_EQ(refusal_of(parts).code, Code::doubled_part);

  parts = cut();
  parts[1] = cut(2)[1];
  refusal = refusal_of(parts);
  EXPECT_EQ(refusal.code, Code::foreign_part) << "left from another bundle";
  EXPECT_THAT(refusal.what, HasSubstr("B.BIN"));

  parts = cut();
  parts[1].second.pop_back();
  refusal = refusal_of(parts);
  EXPECT_EQ(refusal.code, Code::cut_short);
  EXPECT_THAT(refusal.what, HasSubstr("B.BIN has 518 bytes"));
  parts[1].second += "xx";
  EXPECT_EQ(refusal_of(parts).code, Code::bad_part) << "longer than it says";

  parts = cut();
  parts[1].first.offset = 8;
  EXPECT_EQ(refusal_of(parts).code, Code::foreign_part) << "a gap";
  parts = cut();
  parts.front().first.total = 21;
  EXPECT_EQ(refusal_of(parts).code, Code::foreign_part) << "cut in two ways";
  parts = cut();
  for (auto& part : parts) part.first.total = 21;
  EXPECT_EQ(refusal_of(parts).code, Code::bad_part) << "the end is in none of them";
  EXPECT_EQ(refusal_of({}).code, Code::missing_part);
}

TEST(PartHeader, HasOneForm) {
  const auto valid = write_part_header(cut().front().first);
  ASSERT_EQ(valid.size(), kPartHeader);
  ASSERT_TRUE(read_part_header("A.001", valid));
  const auto refused = [&](std::string_view what, std::string_view other) {
    auto bytes = valid;
    const auto at = bytes.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    bytes.replace(at, what.size(), other);
    bytes.resize(kPartHeader, ' ');
    bytes.back() = '\n';
    const auto header = read_part_header("A.001", bytes);
    EXPECT_FALSE(header.has_value()) << other;
    return header ? Code::wrong_base : header.error().code;
  };
  EXPECT_EQ(refused("caisson-part 1", "caisson-part 2"), Code::future_format);
  for (const auto& [what, other] :
       {std::pair<std::string_view, std::string_view>{"\npart 1\n", "\npart 0\n"},
        {"\npart 1\n", "\npart 4\n"},
        {"\npart 1\n", "\npart 01\n"},
        {"\npart 1\n", "\npart -1\n"},
        {"parts 3", "parts 501"},
        {"offset 0", "offset 7"},
        {"length 7", "length 0"},
        {"length 7", "length 21"},
        {"length 7", "length 9223372036854775808"},
        {"total 20", "total 9223372036854775807"},
        {"total 20\n", ""},
        {"total 20\n", "total 20\nmore 1\n"},
        {"manifest 01", "manifest 0G"},
        {"manifest", "digest"}}) {
    EXPECT_EQ(refused(what, other), Code::bad_part) << other;
  }
  auto padded = valid;
  padded[400] = 'x';
  EXPECT_EQ(read_part_header("A.001", padded).error().code, Code::bad_part);
  padded[400] = '\n';
  EXPECT_EQ(read_part_header("A.001", padded).error().code, Code::bad_part);
  EXPECT_EQ(read_part_header("A.001", "").error().code, Code::bad_part);
}

TEST(PartName, HasEightAndThreeCharacters) {
  EXPECT_EQ(part_name("agentik", 1), "AGENTIK.001");
  EXPECT_EQ(part_name("multi-tenant-9", 500), "MULTITEN.500");
}

}  // namespace
}  // namespace caisson::installer
