#include "installer/format/refusal.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

TEST(Refusals, HaveOneSortedNumberEachAndAllAreThere) {
  const auto table = refusals();
  EXPECT_TRUE(std::ranges::is_sorted(table, std::less<>{}, &Entry::number));
  std::set<std::string_view> numbers;
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(table[i].code), i) << table[i].number;
    numbers.insert(table[i].number);
    EXPECT_FALSE(table[i].title.empty());
    EXPECT_TRUE(table[i].remedy.ends_with('.')) << table[i].number;
    EXPECT_EQ(&entry_of(table[i].code), &table[i]);
  }
  EXPECT_EQ(numbers.size(), table.size());
  EXPECT_EQ(table.size(), static_cast<std::size_t>(Code::image_program) + 1);
}

}  // namespace
}  // namespace caisson::installer
