#include "runtime/observe/faults.h"

#include <gtest/gtest.h>

#include "runtime/observe/problem.h"

namespace caisson::observe {
namespace {

TEST(Faults, TellsTheFirstAndCountsTheOthers) {
  Faults faults;
  for (int i = 0; i < 1000; ++i) faults.note("/" + std::to_string(i), "is wrong");
  ASSERT_EQ(faults.size(), 65U);
  EXPECT_EQ(faults.noted(), 1000U);
  EXPECT_EQ(faults[63].pointer, "/63");
  EXPECT_EQ(faults[64].pointer, "");
  EXPECT_EQ(faults[64].detail, "and 936 more, which are not told");
}

TEST(Faults, CutsTextsBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("aé", 2), "a…") << "é has two bytes";
  EXPECT_EQ(shortened("\xF0\x9F\x98\x80!", 3), "…");
  Faults faults;
  faults.note(std::string(1'000'000, 'p'), std::string(1'000'000, 'd'));
  EXPECT_EQ(faults[0].pointer.size(), Faults::longest_pointer + 3);
  EXPECT_EQ(faults[0].detail.size(), Faults::longest_detail + 3);
}

TEST(Faults, AProblemIsBoundedHoweverMuchIsWrong) {
  Problem problem{.code = Code::invalid_record, .detail = std::string(1'000'000, '\x01')};
  for (int i = 0; i < 100'000; ++i)
    problem.errors.note(std::string(10'000, '"'), std::string(10'000, '\\'));
  EXPECT_LT(problem_body(problem, "id").size(), 128U * 1024);
}

}  // namespace
}  // namespace caisson::observe
