// Any allocation of an event loop may fail: it lives, leaks no descriptor and closes none twice.

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <new>
#include <thread>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/http/server.h"
#include "runtime/http/test_client.h"

namespace {

std::atomic<long> allocations = 0;
std::atomic<long> failing = 0;  // the allocation that fails, of those of event loops; 0: none
std::atomic<int> wrong_closes = 0;
thread_local bool spared = false;  // what the test itself needs

}  // namespace

__attribute__((noinline)) void* operator new(std::size_t size) {
  const bool fails = failing != 0 && !spared && ++allocations == failing;
  void* const memory = fails ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

/// In place of the C library's: notes what is closed that is not open.
extern "C" int close(int descriptor) {
  const auto result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (result != 0 && errno == EBADF) ++wrong_closes;
  return result;
}

namespace caisson::http {
namespace {

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(LoopWithoutMemory, LivesAndClosesEverySocketOnce) {
  spared = true;
  auto server = Server::start({.threads = 1, .limits = {.connections = 4}},
                              [](Request&&, Reply&& reply) { reply(Response{.body = "x"}); });
  ASSERT_TRUE(server);
  const auto descriptors = open_descriptors();
  wrong_closes = 0;
  int cut = 0;
  for (long place = 1;; ++place) {
    allocations = 0;
    failing = place;
    for (int i = 0; i < 2; ++i) {
      TestClient client(server->port());
      client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      const auto answer = client.receive();
      if (!answer || answer->status != 200) ++cut;
    }
    const bool all = allocations < place;
    failing = 0;
    TestClient client(server->port());
    const auto answer = client.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ASSERT_TRUE(answer) << "after allocation " << place;
    ASSERT_EQ(answer->status, 200);
    if (all) break;
  }
  EXPECT_GT(cut, 3);
  for (int i = 0; i < 4000 && server->connections() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(wrong_closes, 0);
}

}  // namespace
}  // namespace caisson::http
