#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "installer/format/answers.h"
#include "installer/format/chart.h"
#include "installer/format/journal.h"
#include "installer/format/manifest.h"
#include "installer/format/root.h"
#include "installer/format/site.h"
#include "installer/format/waiver.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;

/// Why a text cannot be read; empty when it can be.
std::string fault(const auto& read) { return read ? "" : read.error().what; }

const std::map<std::string, std::function<std::string(std::string_view)>, std::less<>> kReaders{
    {"answers", [](std::string_view text) { return fault(read_answers("answers", text)); }},
    {"chart", [](std::string_view text) { return fault(read_chart_needs(text)); }},
    {"journal", [](std::string_view text) { return fault(read_journal(text)); }},
    {"manifest", [](std::string_view text) { return fault(read_manifest(text)); }},
    {"root", [](std::string_view text) { return fault(read_root("root", text)); }},
    {"site", [](std::string_view text) { return fault(read_site_needs(text)); }},
    {"waiver", [](std::string_view text) { return fault(read_waiver(text)); }},
};

/// `scripts/test-released --record` keeps a text of every kind at each release, named KIND or
/// KIND_WHICH. A version has the kinds of its time; this one has them all.
TEST(TextsOfEveryReleasedVersion, AreRead) {
  int versions = 0;
  for (const auto& version : fs::directory_iterator(CAISSON_SOURCE_DIR "/specs/released")) {
    ++versions;
    std::set<std::string> seen;
    for (const auto& file : fs::directory_iterator(version.path() / "texts")) {
      const auto name = file.path().filename().string();
      const auto kind = name.substr(0, name.find('_'));
      std::ifstream in(file.path(), std::ios::binary);
      const std::string text(std::istreambuf_iterator<char>(in), {});
      ASSERT_TRUE(kReaders.contains(kind)) << file.path();
      EXPECT_EQ(kReaders.find(kind)->second(text), "") << file.path();
      seen.insert(kind);
    }
    EXPECT_FALSE(seen.empty()) << version.path();
    const bool newest = version.path().filename() == CAISSON_VERSION;
    EXPECT_TRUE(!newest || seen.size() == kReaders.size()) << version.path();
  }
  EXPECT_GT(versions, 0);
}

}  // namespace
}  // namespace caisson::installer
