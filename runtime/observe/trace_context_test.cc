#include "runtime/observe/trace_context.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::observe {
namespace {

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

bool valid(std::string_view traceparent) { return read_trace(traceparent, "").has_value(); }

TEST(ReadTrace, ReadsTheExampleOfTheStandard) {
  const auto trace = read_trace(parent, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->parent_id, "00f067aa0ba902b7");
  EXPECT_TRUE(trace->sampled);
  EXPECT_EQ(trace->state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_FALSE(read_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", "")->sampled);
}

TEST(ReadTrace, IgnoresWhatIsNotExact) {
  for (const std::string_view bad : {
           "",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
           " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
       }) {
    EXPECT_FALSE(valid(bad)) << bad;
  }
  EXPECT_TRUE(valid("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
}

TEST(ReadTrace, BoundsTheState) {
  const auto state = [](const std::string& text) { return read_trace(parent, text)->state; };
  EXPECT_EQ(state("a=1, b@c=2,,d=3"), "a=1, b@c=2,,d=3");
  EXPECT_EQ(state("no equals"), "");
  EXPECT_EQ(state("A=1"), "");
  EXPECT_EQ(state("a="), "");
  EXPECT_EQ(state("a=x=y"), "");
  EXPECT_EQ(state("a=" + std::string(600, 'x')), "");
  std::string many;
  for (int i = 0; i < 32; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_EQ(state(many), many);
  EXPECT_EQ(state(many + "one=more"), "");
}

}  // namespace
}  // namespace caisson::observe
