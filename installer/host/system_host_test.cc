#include "installer/host/system_host.h"

#include <csignal>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/files.h"
#include "base/scratch.h"
#include "installer/host/process.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Checked<Ended> shell(const std::string& script, std::chrono::seconds deadline = 60s) {
  return run_process({"/bin/sh", "-c", script}, deadline);
}

TEST(AProcess, TellsHowItEndedAndWhatItSaid) {
  const auto ended = shell("echo out; echo error >&2; exit 3");
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(ended->status, 3);
  EXPECT_EQ(ended->output, "out\nerror");
  EXPECT_EQ(shell("kill -9 $$")->status, 128 + SIGKILL);
  EXPECT_EQ(shell("printf '\\033[31mred'")->output.find('\033'), std::string::npos);
  EXPECT_THAT(run_process({"/no/program"}, 60s).error().what,
              HasSubstr("/no/program cannot be started"));
}

TEST(AProcess, SaysNoMoreThanTheEndOfWhatItSaid) {
  const auto ended = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  ASSERT_TRUE(ended);
  EXPECT_LE(ended->output.size(), 4096U);
  EXPECT_THAT(ended->output, ::testing::EndsWith("line 19999"));
}

TEST(AProcess, IsKilledAfterItsDeadlineWithAllThatItStarted) {
  const Scratch scratch;
  const auto pipe = (scratch / "pipe").string();
  const auto ended = shell("sleep 1000 & echo $! >" + pipe + "; wait", 1s);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::host_command);
  const auto other = std::stoi(scratch.read("pipe"));
  // It is nobody's child here: it is gone, or waits for its new parent.
  while (kill(other, 0) == 0) {
    const auto state = read_file("/proc/" + std::to_string(other) + "/stat");
    if (!state || state->find(") Z ") != std::string::npos) break;
    usleep(10'000);
  }
}

TEST(AProcess, IsOverWhenSomebodyElseStillHasItsOutput) {
  const Scratch scratch;
  const auto ended = shell("sleep 1000 & echo $! >" + (scratch / "pid").string() + "; echo said");
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->output, "said");
  kill(std::stoi(scratch.read("pid")), SIGKILL);
}

TEST(AProcess, HoldsTheLockOfWhoStartedIt) {
  const Scratch scratch;
  scratch.write("lock", "");
  const auto path = (scratch / "lock").string();
  Descriptor lock(open(path.c_str(), O_RDONLY));  // not close-on-exec
  ASSERT_EQ(flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  const auto ended = shell("sleep 1000 & echo $! >" + (scratch / "pid").string());
  ASSERT_TRUE(ended);
  lock = Descriptor();
  const Descriptor other(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_NE(flock(other.get(), LOCK_EX | LOCK_NB), 0);
  kill(std::stoi(scratch.read("pid")), SIGKILL);
  EXPECT_EQ(flock(other.get(), LOCK_EX), 0);
}

TEST(AHost, RunsAgainUntilAProgramEndsWell) {
  const Scratch scratch;
  const auto host = system_host();
  const auto script = "echo x >>" + (scratch / "runs").string() + "; test $(wc -l <" +
                      (scratch / "runs").string() + ") -ge 3";
  const Command once{.program = "/bin/sh", .arguments = {"-c", script}, .account = {}};
  EXPECT_NE(host->run(once)->status, 0);
  auto patient = once;
  patient.patience = 60s;
  EXPECT_EQ(host->run(patient)->status, 0);
  EXPECT_EQ(scratch.read("runs"), "x\nx\nx\n");
}

TEST(AHost, KnowsItsAccountsGroupsSpaceAndPorts) {
  const auto host = system_host();
  EXPECT_EQ(*host->user("root"), 0U);
  EXPECT_EQ(host->user("no-such-account").error().code, Code::host_command);
  EXPECT_EQ(*host->group("root"), 0U);
  EXPECT_EQ(host->group("no-such-group").error().code, Code::host_command);
  const auto space = host->space("/tmp/not/there/yet");
  ASSERT_TRUE(space);
  EXPECT_GT(space->bytes, 0U);
  EXPECT_GT(space->inodes, 0U);

  const Descriptor listener(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  EXPECT_FALSE(*host->is_taken(ntohs(address.sin_port)));
  ASSERT_EQ(listen(listener.get(), 1), 0);
  EXPECT_TRUE(*host->is_taken(ntohs(address.sin_port)));
}

TEST(AHost, HandsOverWhatAProgramReportsAndNothingElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root writes below /run";
  const auto ended = system_host()->run(
      {.program = "/bin/sh",
       .arguments = {"-c",
                     "echo \"$0\"; echo found >$0/report.txt; ln -s /etc/passwd $0/link; "
                     "head -c 5000000 /dev/zero >$0/large; mkdir $0/inner"},
       .account = {},
       .reports = true});
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(ended->report, (std::map<std::string, std::string>{{"report.txt", "found\n"}}));
  EXPECT_FALSE(*is_there(ended->output)) << "it is left";
}

TEST(AHost, KnowsWhatIsMountedBelowADirectory) {
  const auto host = system_host();
  const auto all = host->mounts_below("");
  ASSERT_TRUE(all) << all.error().what;
  EXPECT_THAT(*all, ::testing::Contains("/proc"));
  EXPECT_THAT(*host->mounts_below("/proc/self"), ::testing::IsEmpty());
}

TEST(AHost, RunsAProgramAsAnotherAccount) {
  if (geteuid() != 0) GTEST_SKIP() << "only root becomes somebody else";
  const auto ended =
      system_host()->run({.program = "/usr/bin/id", .arguments = {"-un"}, .account = "daemon"});
  ASSERT_TRUE(ended) << ended.error().what;
  EXPECT_EQ(ended->output, "daemon");
}

}  // namespace
}  // namespace caisson::installer
