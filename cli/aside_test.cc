#include "cli/aside.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::cli {
namespace {

using std::chrono::seconds;

std::string all_of(Aside& aside) {
  for (;;)
    if (auto found = aside.take()) return *std::move(found);
}

std::string for_ever() {
  for (;;) pause();
}

bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

TEST(Aside, FindsOutWhatAnotherProcessDoes) {
  Aside aside(seconds(60));
  EXPECT_EQ(aside.descriptor(), -1);
  for (const std::size_t version : {1U, 2U}) {
    ASSERT_TRUE(aside.start(version, [&] { return std::string(300'000, 'x') + "end"; }));
    EXPECT_TRUE(aside.runs());
    EXPECT_EQ(aside.version(), version);
    EXPECT_EQ(all_of(aside), std::string(300'000, 'x') + "end");
    EXPECT_FALSE(aside.runs());
  }
  EXPECT_FALSE(has_children());
}

TEST(Aside, IsOneAndLeavesNoneBehind) {
  {
    Aside aside(seconds(60));
    for (std::size_t i = 0; i < 50; ++i) ASSERT_TRUE(aside.start(i, for_ever));
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), 0) << "the last still runs";
    aside.end();
    EXPECT_FALSE(has_children());
    ASSERT_TRUE(aside.start(50, for_ever));
  }
  EXPECT_FALSE(has_children());
}

TEST(Aside, FindsNothingThatTakesTooLong) {
  Aside aside(seconds(1));
  ASSERT_TRUE(aside.start(1, for_ever));
  EXPECT_EQ(all_of(aside), "");
  EXPECT_FALSE(aside.runs());
}

TEST(Aside, FindsNothingInATerminatedProcess) {
  Aside aside(seconds(60));
  ASSERT_TRUE(aside.start(1, []() -> std::string { throw std::runtime_error("not here"); }));
  EXPECT_EQ(all_of(aside), "");
}

TEST(Aside, HasNoneOfTheStandardInputAndOutput) {
  Aside aside(seconds(60));
  ASSERT_TRUE(aside.start(1, [] {
    std::string targets;
    for (const char* each : {"/proc/self/fd/0", "/proc/self/fd/1"}) {
      std::array<char, 100> target{};
      targets.append(target.data(), readlink(each, target.data(), target.size())).append(" ");
    }
    return targets;
  }));
  EXPECT_EQ(all_of(aside), "/dev/null /dev/null ");
}

TEST(Aside, EndsWithWhoeverStartedIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  Descriptor held(ends[1]);
  const Descriptor watched(ends[0]);
  const pid_t server = fork();
  if (server == 0) {
    Aside aside(seconds(60));
    const bool started = aside.start(1, [&] {
      static_cast<void>(write_all(held.get(), "x"));
      return for_ever();
    });
    if (started) for_ever();
    _exit(1);
  }
  held = Descriptor();
  char byte = 0;
  ASSERT_EQ(read(watched.get(), &byte, 1), 1) << "it runs";
  kill(server, SIGKILL);
  ASSERT_EQ(waitpid(server, nullptr, 0), server);
  EXPECT_EQ(read(watched.get(), &byte, 1), 0) << "nobody holds the pipe any more";
}

}  // namespace
}  // namespace caisson::cli
