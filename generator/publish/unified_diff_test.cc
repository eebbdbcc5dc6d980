#include "generator/publish/unified_diff.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;

std::string diff_of(std::string_view before, std::string_view after) {
  return unified_diff(before, after, {.before = "f", .after = "f"});
}

struct Applied {
  std::string text;
  std::size_t edits = 0;
};

/// Applies a unified diff by the rules of patch(1), refusing hunks that do not fit.
Applied apply_diff(const std::string& before, const std::string& diff) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < before.size();) {
    const auto end = std::min(before.find('\n', at), before.size() - 1) + 1;
    lines.push_back(before.substr(at, end - at));
    at = end;
  }
  std::istringstream in(diff);
  std::string line;
  Applied out;
  std::size_t next = 0;
  std::string* last = nullptr;
  std::string removed;
  while (std::getline(in, line)) {
    if (line.starts_with("--- ") || line.starts_with("+++ ")) continue;
    if (line.starts_with("@@ -")) {
      const auto start = std::stoul(line.substr(4));
      const auto comma = line.find_first_of(", ", 4);
      const auto count = line[comma] == ',' ? std::stoul(line.substr(comma + 1)) : 1UL;
      const auto begin = count == 0 ? start : start - 1;
      while (next < begin) out.text += lines.at(next++);
      continue;
    }
    if (line.starts_with("\\")) {
      last->pop_back();
      if (last == &removed) {
        RC_ASSERT(lines.at(next - 1) == removed);
      }
      continue;
    }
    const auto content = line.substr(1) + "\n";
    if (line[0] == '+') {
      out.text += content;
      last = &out.text;
      ++out.edits;
      continue;
    }
    removed = content;
    last = line[0] == ' ' ? &out.text : &removed;
    const auto& expected = lines.at(next++);
    RC_ASSERT(expected == content || expected + "\n" == content);
    if (line[0] == ' ') {
      out.text += content;
    } else {
      ++out.edits;
    }
  }
  while (next < lines.size()) out.text += lines.at(next++);
  return out;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) +
         (!text.empty() && text.back() != '\n' ? 1 : 0);
}

/// Length of a shortest edit script by the quadratic textbook recurrence.
std::size_t shortest(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = a[i - 1] == b[j - 1] ? diagonal : std::min(row[j - 1], above) + 1;
      diagonal = above;
    }
  }
  return row.back();
}

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

rc::Gen<std::vector<std::string>> some_lines() {
  return rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a", "b", "c", "d", ""));
}

TEST(UnifiedDiff, EqualTextsGiveNothing) { EXPECT_EQ(diff_of("a\nb\n", "a\nb\n"), ""); }

TEST(UnifiedDiff, ShowsThreeLinesOfContext) {
  EXPECT_EQ(diff_of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, JoinsHunksWhoseContextsTouch) {
  std::string before;
  for (int i = 1; i <= 20; ++i) before += std::to_string(i) + "\n";
  auto near = before;
  near.replace(near.find("5\n"), 2, "x\n").replace(near.find("12\n"), 3, "y\n");
  EXPECT_EQ(std::count(near.begin(), near.end(), '\n'), 20);
  EXPECT_EQ(diff_of(before, near).find("@@ -2,14 +2,14 @@"), 16U);
  auto far = before;
  far.replace(far.find("5\n"), 2, "x\n").replace(far.find("13\n"), 3, "y\n");
  const auto text = diff_of(before, far);
  EXPECT_NE(text.find("@@ -2,7 +2,7 @@"), std::string::npos);
  EXPECT_NE(text.find("@@ -10,7 +10,7 @@"), std::string::npos);
}

TEST(UnifiedDiff, NamesAbsentSidesDevNull) {
  EXPECT_EQ(unified_diff("", "x\n", {.before = "", .after = "new"}),
            "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n");
  EXPECT_EQ(unified_diff("x\ny\n", "", {.before = "old", .after = ""}),
            "--- a/old\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n");
}

TEST(UnifiedDiff, MarksAMissingLastNewline) {
  EXPECT_EQ(diff_of("a", "a\n"),
            "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST(UnifiedDiff, OnlyNamesBinaryFiles) {
  EXPECT_EQ(diff_of(std::string("a\0b", 3), "x"), "binary files f and f differ\n");
}

TEST(UnifiedDiff, ColourMakesControlCharactersVisible) {
  const auto text = unified_diff("", "\x1b[2J\tx\n", {.before = "", .after = "f"}, true);
  EXPECT_NE(text.find("\x1b[32m+^[[2J\tx\x1b[0m\n"), std::string::npos);
}

TEST(UnifiedDiff, UnrelatedLargeTextsStayBounded) {
  std::string before;
  std::string after;
  for (int i = 0; i < 50'000; ++i) {
    before += "old " + std::to_string(i) + "\n";
    after += "new " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(apply_diff(before, diff_of(before, after)).text, after);
}

TEST(UnifiedDiff, PropertyAppliesToTheOtherSideAndIsMinimal) {
  EXPECT_TRUE(rc::check("a diff applied to one side gives the other, with the fewest edits", [] {
    const auto a = *some_lines();
    const auto b = *some_lines();
    const auto applied = apply_diff(join(a), diff_of(join(a), join(b)));
    RC_ASSERT(applied.text == join(b));
    RC_ASSERT(applied.edits == shortest(a, b));
  }));
}

TEST(UnifiedDiff, PropertyHoldsWithoutLastNewlines) {
  EXPECT_TRUE(rc::check("texts without a last newline survive too", [] {
    const auto trimmed = [](std::string text) {
      if (!text.empty()) text.pop_back();
      return text;
    };
    const auto a = trimmed(join(*some_lines()));
    const auto b = trimmed(join(*some_lines()));
    const auto applied = apply_diff(a, diff_of(a, b));
    RC_ASSERT(applied.text == b);
    RC_ASSERT(applied.edits <= lines_in(a) + lines_in(b));
  }));
}

TEST(UnifiedDiff, IsAcceptedByGitApply) {
  auto name = (fs::temp_directory_path() / "caisson-diff-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path directory = name;
  const std::string before = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight";
  const std::string after = "zero\none\ntwo\nthree\nfour\nfive\nsix\nSEVEN\neight\n";
  std::ofstream(directory / "f") << before;
  std::ofstream(directory / "patch") << diff_of(before, after);
  EXPECT_EQ(std::system(("cd '" + name + "' && git apply patch").c_str()), 0);
  std::ostringstream now;
  now << std::ifstream(directory / "f").rdbuf();
  EXPECT_EQ(now.str(), after);
  fs::remove_all(directory);
}

}  // namespace
}  // namespace caisson::publish
