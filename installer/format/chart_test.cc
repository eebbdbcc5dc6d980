#include "installer/format/chart.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

std::string sample() {
  std::ifstream in(CAISSON_SOURCE_DIR "/installer/format/corpus/chart");
  return {std::istreambuf_iterator<char>(in), {}};
}

Code code_of(std::string_view from, std::string_view to) {
  auto text = sample();
  text.replace(text.find(from), from.size(), to);
  const auto read = read_chart_needs(text);
  EXPECT_FALSE(read.has_value()) << text;
  return read ? Code::host_write : read.error().code;
}

TEST(ChartNeeds, AreReadAsTheyAreWritten) {
  const auto needs = read_chart_needs(sample());
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(write_chart_needs(*needs), sample());
  EXPECT_EQ(needs->space, "shop");
  EXPECT_EQ(needs->oldest_minor, 28U);
  ASSERT_EQ(needs->secrets.size(), 3U);
  EXPECT_EQ(needs->secrets[1].key, "operator.token");
  ASSERT_EQ(needs->workloads.size(), 3U);
  EXPECT_EQ(needs->workloads[0].place, "");
  EXPECT_EQ(needs->workloads[2].place, "shop-umbrella");
  ASSERT_EQ(needs->runtimes.size(), 2U);
  EXPECT_EQ(needs->runtimes[1].operator_api, 9090);
  EXPECT_EQ(needs->runtimes[1].token, "shop-keys");
}

TEST(ChartNeeds, HoldNothingThatACommandLineWouldTakeForSomethingElse) {
  EXPECT_EQ(code_of("workload - statefulset/runtime\n", "workload - pod/runtime\n"),
            Code::text_line);
  EXPECT_EQ(code_of("statefulset/runtime\n", "statefulset/--all\n"), Code::text_line);
  EXPECT_EQ(code_of("namespace shop", "namespace --shop"), Code::text_line);
  EXPECT_EQ(code_of("place shop-umbrella", "place shop,other"), Code::text_line);
  EXPECT_EQ(code_of("given mail-password", "given -o"), Code::text_line);
  EXPECT_EQ(code_of("shop-keys operator.token", "shop-keys \"}}"), Code::text_line);
  EXPECT_EQ(code_of("8080", "0"), Code::text_number);
  EXPECT_EQ(code_of("kubernetes 1.28", "kubernetes 0.28"), Code::text_number);
  EXPECT_EQ(code_of("runtime - statefulset/runtime runtime", "runtime - statefulset/other runtime"),
            Code::text_line);
  EXPECT_EQ(code_of("format 1", "format 2"), Code::future_format);
}

}  // namespace
}  // namespace caisson::installer
