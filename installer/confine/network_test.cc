#include "installer/confine/network.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace caisson::installer {
namespace {

/// What a child that has given up the network ends with.
template <class Try>
int in_child(const Try& attempt) {
  const pid_t child = fork();
  if (child == 0) _exit(give_up_network() ? attempt() : 99);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

TEST(GiveUpNetwork, LeavesNoFamilyButUnix) {
  for (const int family : {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK, AF_VSOCK, AF_BLUETOOTH}) {
    EXPECT_EQ(in_child([family] { return socket(family, SOCK_DGRAM, 0) < 0 ? errno : 0; }), EACCES)
        << family;
  }
  EXPECT_EQ(in_child([] { return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0; }), 0);
  EXPECT_EQ(in_child([] {
              int pair[2];
              return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? errno : 0;
            }),
            0);
}

TEST(GiveUpNetwork, LeavesNoWayAround) {
  EXPECT_EQ(in_child([] { return syscall(SYS_io_uring_setup, 1, nullptr) < 0 ? errno : 0; }),
            EACCES);
#if defined(__x86_64__)
  // The same call by its number in the convention of x32.
  EXPECT_EQ(in_child([] {
              return syscall(0x40000000 | SYS_socket, AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
            }),
            EACCES);
  // The lower half of the argument alone counts.
  EXPECT_EQ(in_child([] {
              return syscall(SYS_socket, 0x100000000L | AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
            }),
            EACCES);
#endif
}

TEST(GiveUpNetwork, HoldsForWhatIsStartedAfterwards) {
  EXPECT_EQ(in_child([] {
              const pid_t child = fork();
              if (child == 0) _exit(socket(AF_INET, SOCK_STREAM, 0) < 0 ? 7 : 0);
              int status = 0;
              waitpid(child, &status, 0);
              return WEXITSTATUS(status);
            }),
            7);
}

TEST(WithoutNetwork, RunsWhatItIsGivenAndLeavesItToTheCaller) {
  EXPECT_EQ(run_without_network([] { return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 7 : 0; }), 7);
  EXPECT_EQ(run_without_network([] { return raise(SIGKILL); }), std::nullopt);
  const int here = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_GE(here, 0);
  close(here);
}

}  // namespace
}  // namespace caisson::installer
