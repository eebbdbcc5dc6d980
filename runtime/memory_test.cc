// A tenant that asks for everything and reads nothing, against the program as it ships, under a
// limit of memory: the program lives, says 503, serves the others, and keeps nothing afterwards.

#include "runtime/host/memory.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/http/test_client.h"
#include "runtime/http/test_socket.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using http::TestClient;
using testing::HasSubstr;

constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::int64_t limit = 512 * mib;

TEST(PlanMemory, SplitsWhatThereIs) {
  const host::MemoryPlan plan = host::plan_memory(limit, {}, false);
  EXPECT_EQ(plan.buffered, 128U << 20U);
  EXPECT_EQ(plan.open_stores, 256U);
  EXPECT_EQ(plan.connections, 8192U);
  EXPECT_EQ(plan.workers, 4U);
  EXPECT_EQ(host::plan_memory(limit, {}, true).connections, 1365U);
  const host::MemoryPlan roomy = host::plan_memory(64 * 1024 * mib, {}, true);
  EXPECT_EQ(roomy.buffered, 256U << 20U);
  EXPECT_EQ(roomy.connections, 10'000U);
  EXPECT_EQ(roomy.workers, 16U);
  const host::MemoryPlan told =
      host::plan_memory(64 * 1024 * mib, {.memory = limit, .buffered = 8 * mib}, false);
  EXPECT_EQ(told.memory, limit);
  EXPECT_EQ(told.buffered, 8U << 20U);
  EXPECT_EQ(told.open_stores, 256U);
  // Whoever may send larger bodies is worked for by fewer at a time.
  EXPECT_EQ(host::plan_memory(limit, {.body = 10 * mib}, false).workers, 3U);
  const host::MemoryPlan tight = host::plan_memory(64 * mib, {}, false);
  EXPECT_EQ(tight.buffered, 16U << 20U);
  EXPECT_EQ(tight.workers, 1U);
}

// The sanitizer's own memory is several times the program's, and in no plan.
#ifndef __SANITIZE_ADDRESS__

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A control group of our own with a limit of memory; empty where none can be made.
class MemoryGroup {
 public:
  MemoryGroup() {
    const bool unified = fs::exists("/sys/fs/cgroup/cgroup.controllers");
    const fs::path top = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    if (::geteuid() != 0 || !fs::exists(top / "cgroup.procs")) return;
    std::error_code error;
    const fs::path path = top / ("caisson-test-" + std::to_string(::getpid()));
    if (!fs::create_directory(path, error)) return;
    path_ = path;
    peak_ = unified ? "memory.peak" : "memory.max_usage_in_bytes";
    const fs::path most = path / (unified ? "memory.max" : "memory.limit_in_bytes");
    std::ofstream(most) << limit;
    if (std::stoll("0" + read_file(most)) != limit) remove();
  }
  ~MemoryGroup() { remove(); }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] std::int64_t peak() const { return std::stoll("0" + read_file(path_ / peak_)); }

 private:
  void remove() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
    path_.clear();
  }
  fs::path path_;
  std::string peak_;
};

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// The runtime in a process of its own, which `confine` bounds before the program begins.
class Bounded {
 public:
  explicit Bounded(const std::function<void()>& confine, std::string_view extra = "") {
    deployment_.write_configuration(data_port, operator_port, extra, metrics_port);
    const std::string program = CAISSON_BINARY_DIR "/bin/caisson-runtime";
    const std::string config = deployment_.configuration_file().string();
    const std::string log = (deployment_.directory() / "output").string();
    pid_ = ::fork();
    if (pid_ != 0) return;
    confine();
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "serve", "--config", config.c_str(), nullptr);
    ::_exit(127);
  }
  ~Bounded() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  Bounded(const Bounded&) = delete;
  Bounded& operator=(const Bounded&) = delete;

  [[nodiscard]] bool becomes_ready() const {
    return eventually([this] {
      try {
        const auto answer = TestClient(data_port).ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        return answer && answer->status == 200;
      } catch (const std::runtime_error&) {
        return false;
      }
    });
  }
  [[nodiscard]] bool lives() {
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
    pid_ = 0;
    return false;
  }
  [[nodiscard]] std::string log() const { return read_file(deployment_.directory() / "output"); }
  /// Bytes that were resident at most.
  [[nodiscard]] std::int64_t high_water() const {
    const std::string status = read_file("/proc/" + std::to_string(pid_) + "/status");
    return std::stoll(status.substr(status.find("VmHWM:") + 6)) * 1024;
  }
  void create(const std::string& tenant) const {
    const std::string body = R"({"slug":")" + tenant + R"(","tier":"free"})";
    const auto made = TestClient(operator_port)
                          .ask("POST /v1/tenants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                               std::string(TestDeployment::operator_token) +
                               "\r\nContent-Type: application/json\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body);
    ASSERT_TRUE(made);
    ASSERT_EQ(made->status, 201) << made->body;
  }
  /// The sum of a metric over its labels.
  [[nodiscard]] double metric(const std::string& name) const {
    const auto answer = TestClient(metrics_port).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    double sum = 0;
    std::istringstream lines(answer ? answer->body : "");
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + "{")) sum += std::stod(line.substr(line.rfind(' ')));
    }
    return sum;
  }

  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const std::uint16_t data_port = free_port();
  const std::uint16_t operator_port = free_port();
  const std::uint16_t metrics_port = free_port();

 private:
  TestDeployment deployment_;
  pid_t pid_ = 0;
};

/// Records of `tenant` that a list of 1,000 answers with more than 4 MiB.
void fill(std::uint16_t port, std::string_view tenant) {
  TestClient client(port);
  const std::string value = R"({"text":")" + std::string(60'000, 'x') + "\"}";
  std::string operations;
  for (int i = 0; i < 16; ++i) {
    operations += std::string(i == 0 ? "" : ",") +
                  R"({"op":"create","collection":"notes","value":)" + value + "}";
  }
  for (int i = 0; i < 5; ++i) {
    const auto made = client.ask(
        tenant_request(tenant, "POST", "/v1/batch", R"({"operations":[)" + operations + "]}"));
    ASSERT_TRUE(made);
    ASSERT_EQ(made->status, 200);
  }
}

/// Everything that tenants and one peer can have the program keep, all at once.
class Flood {
 public:
  Flood(std::uint16_t port, const std::vector<std::string>& tenants) {
    for (const std::string& tenant : tenants) {
      const std::string list = tenant_request(tenant, "GET", "/v1/records/notes?limit=1000");
      std::string lists;
      for (int i = 0; i < 64; ++i) lists += list;
      for (int i = 0; i < 25; ++i) start(port, lists);
    }
    const std::string list = tenant_request("globex", "GET", "/v1/records/notes?limit=1000");
    const std::string post = tenant_request("globex", "POST", "/v1/records/notes",
                                            R"({"text":")" + std::string(900'000, 'y') + "\"}");
    std::string posts;
    for (int i = 0; i < 8; ++i) posts += post;
    for (int i = 0; i < 25; ++i) start(port, list + posts);
    for (int i = 0; i < 25; ++i) start(port, posts.substr(0, 800'000));
    // Nobody in particular.
    for (int i = 0; i < 100; ++i) {
      start(port, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'a'));
    }
    const std::string watch =
        tenant_request("globex", "GET", "/v1/watch", "", std::string(http::handshake_fields));
    for (int i = 0; i < 50; ++i) start(port, watch);
  }
  ~Flood() {
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    for (std::thread& sender : senders_) sender.join();
    for (const int socket : sockets_) ::close(socket);
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

 private:
  void start(std::uint16_t port, const std::string& bytes) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    sockets_.push_back(socket);
    senders_.emplace_back([socket, bytes] {
      std::string_view rest = bytes;
      while (!rest.empty()) {
        const auto sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(sent));
      }
    });
  }
  std::vector<int> sockets_;
  std::vector<std::thread> senders_;
};

/// Connections of eight peers that ask for `request` over and over and read nothing.
class Strangers {
 public:
  static constexpr int count = 2000;

  Strangers(std::uint16_t port, const std::string& request) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    while (requests_.size() < 1'000'000) requests_ += request;
    for (int i = 0; i < count; ++i) connect(port, static_cast<std::uint32_t>(i % 8));
  }
  ~Strangers() {
    for (const int socket : sockets_) ::close(socket);
  }
  Strangers(const Strangers&) = delete;
  Strangers& operator=(const Strangers&) = delete;

  /// Gives every connection as many requests as it takes.
  void ask() {
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      const std::string_view rest = std::string_view(requests_).substr(sent_[i] % requests_.size());
      const auto sent = ::send(sockets_[i], rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) sent_[i] += static_cast<std::size_t>(sent);
    }
  }

 private:
  void connect(std::uint16_t port, std::uint32_t peer) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + peer);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    sockets_.push_back(socket);
    sent_.push_back(0);
  }

  std::string requests_;
  std::vector<int> sockets_;
  std::vector<std::size_t> sent_;
};

/// The other tenant gets its answers, or is told to come back.
void expect_service(std::uint16_t port, int& served) {
  TestClient client(port);
  for (int i = 0; i < 100; ++i) {
    const auto made =
        client.ask(tenant_request("initech", "POST", "/v1/records/notes", R"({"text":"a note"})"));
    ASSERT_TRUE(made) << "an answer is always given";
    ASSERT_THAT(made->status, testing::AnyOf(201, 503)) << made->body;
    const auto listed = client.ask(tenant_request("initech", "GET", "/v1/records/notes?limit=10"));
    ASSERT_TRUE(listed);
    ASSERT_THAT(listed->status, testing::AnyOf(200, 503)) << listed->body;
    served += (made->status == 201 ? 1 : 0) + (listed->status == 200 ? 1 : 0);
  }
}

/// Small answers have a place like large ones: whoever reads none of them is cut.
void survive_strangers(const std::function<void()>& confine) {
  for (const std::string request : {"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
                                    "GET /v1/records/notes HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    Bounded runtime(confine);
    ASSERT_TRUE(runtime.becomes_ready()) << runtime.log();
    Strangers strangers(runtime.data_port, request);
    for (int round = 0; round < 8; ++round) {
      strangers.ask();
      EXPECT_LE(runtime.metric("caisson_buffered_bytes"),
                runtime.metric("caisson_buffered_limit_bytes"));
    }
    EXPECT_TRUE(
        Bounded::eventually([&] { return runtime.metric("caisson_connections_cut_total") > 0; }));
    ASSERT_TRUE(runtime.becomes_ready()) << "what was asked before comes first";
    int served = 0;
    expect_service(runtime.data_port, served);
    EXPECT_EQ(served, 200);
    ASSERT_TRUE(runtime.lives());
    std::cout << "resident at most: " << runtime.high_water() / mib << " MiB\n";
    EXPECT_LT(runtime.high_water(), limit / 2);
  }
}

void survive(const std::function<void()>& confine) {
  Bounded runtime(confine);
  ASSERT_TRUE(runtime.becomes_ready()) << runtime.log();
  EXPECT_THAT(runtime.log(), HasSubstr("\"bytes\":" + std::to_string(limit)));
  std::vector<std::string> greedy{"globex"};
  for (int i = 0; i < 8; ++i) {
    greedy.push_back("greedy-" + std::to_string(i));
    runtime.create(greedy.back());
  }
  for (const std::string& tenant : greedy) fill(runtime.data_port, tenant);
  int served = 0;
  {
    const Flood flood(runtime.data_port, greedy);
    // It has come to its bounds once somebody was refused more.
    EXPECT_TRUE(
        Bounded::eventually([&] { return runtime.metric("caisson_buffered_refusals_total") > 0; }));
    expect_service(runtime.data_port, served);
    EXPECT_LE(runtime.metric("caisson_buffered_bytes"),
              runtime.metric("caisson_buffered_limit_bytes"));
    EXPECT_GT(runtime.metric("caisson_buffered_bytes"), 20.0 * mib) << "there was a flood";
    ASSERT_TRUE(runtime.lives()) << runtime.log().substr(0, 4000);
  }
  EXPECT_EQ(served, 200) << "nine greedy tenants leave the next one its share";
  EXPECT_TRUE(Bounded::eventually([&] { return runtime.metric("caisson_buffered_bytes") == 0; }))
      << runtime.metric("caisson_buffered_bytes");
  ASSERT_TRUE(runtime.lives());
  TestClient client(runtime.data_port);
  for (const std::string_view tenant : {"globex", "initech"}) {
    const auto listed = client.ask(tenant_request(tenant, "GET", "/v1/records/notes?limit=1000"));
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->status, 200);
  }
  std::cout << "resident at most: " << runtime.high_water() / mib << " MiB\n";
  EXPECT_LT(runtime.high_water(), limit);
}

constexpr std::size_t largest_body = 10 * mib;

/// Bodies of `largest_body` bytes that say little and are much when they are taken apart.
std::vector<std::string> costly_bodies() {
  const auto filled = [](std::string body, const std::function<std::string(std::size_t)>& item,
                         std::string_view end) {
    for (std::size_t i = 0;; ++i) {
      const std::string next = item(i);
      if (body.size() + next.size() + end.size() > largest_body) break;
      body += next;
    }
    return body.append(end);
  };
  const auto hex = [](std::size_t number) {
    std::ostringstream text;
    text << std::hex << number;
    return text.str();
  };
  return {
      filled(
          R"({"a":[)", [](std::size_t) { return "1,"; }, "1]}"),
      filled(
          R"({"a":[)", [](std::size_t) { return "[],"; }, "1]}"),
      filled(
          "{", [&](std::size_t i) { return "\"" + hex(i) + "\":1,"; }, R"("end":1})"),
      filled(
          "{", [&](std::size_t i) { return "\"\\n" + hex(i) + "\":1,"; }, R"("end":1})"),
      filled(
          R"({"a":")", [](std::size_t) { return std::string(1000, 'x'); }, "\"}"),
  };
}

/// The largest bodies that may be sent, from more connections than can be worked for.
void survive_bodies(const std::function<void()>& confine) {
  Bounded runtime(confine, R"("limits": {"body": )" + std::to_string(largest_body) + "}, ");
  ASSERT_TRUE(runtime.becomes_ready()) << runtime.log();
  for (const auto& body : costly_bodies()) {
    std::atomic<int> made = 0;
    std::vector<std::thread> senders;
    for (int i = 0; i < 24; ++i) {
      senders.emplace_back([&, i] {
        TestClient client(runtime.data_port);
        // Whoever is refused may find the connection closed before all of it is sent.
        client.send(
            tenant_request(i % 2 == 0 ? "globex" : "initech", "POST", "/v1/records/large", body));
        const auto answer = client.receive();
        if (!answer) return;
        EXPECT_THAT(answer->status, testing::AnyOf(201, 503)) << answer->body;
        made += answer->status == 201 ? 1 : 0;
      });
    }
    for (auto& sender : senders) sender.join();
    ASSERT_TRUE(runtime.lives()) << body.substr(0, 20);
    EXPECT_GT(made, 0) << body.substr(0, 20);
  }
  std::cout << "resident at most: " << runtime.high_water() / mib << " MiB\n";
  EXPECT_LT(runtime.high_water(), limit / 2);
}

TEST(UnderALimitOfMemory, OfAddressSpaceTheProgramLives) {
  const auto confine = [] {
    const rlimit space{.rlim_cur = static_cast<rlim_t>(limit),
                       .rlim_max = static_cast<rlim_t>(limit)};
    ::setrlimit(RLIMIT_AS, &space);
  };
  survive(confine);
  survive_strangers(confine);
  survive_bodies(confine);
}

TEST(UnderALimitOfMemory, OfAControlGroupTheProgramLives) {
  const MemoryGroup group;
  if (group.path().empty()) GTEST_SKIP() << "no control group can be made here";
  const std::string processes = (group.path() / "cgroup.procs").string();
  const auto confine = [&processes] {
    const int file = ::open(processes.c_str(), O_WRONLY);
    if (::write(file, "0", 1) != 1) ::_exit(126);
    ::close(file);
  };
  survive(confine);
  survive_strangers(confine);
  survive_bodies(confine);
  std::cout << "control group at most: " << group.peak() / mib << " MiB\n";
  EXPECT_LE(group.peak(), limit);
}

#endif

}  // namespace
}  // namespace caisson::runtime
