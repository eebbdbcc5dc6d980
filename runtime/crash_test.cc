// Kills the shipped program in the middle of its clients' writes, again and again. Clients keep a
// journal of every write they were told is done; at the end all of it must be there.

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/http/test_client.h"
#include "runtime/storage/database.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using http::TestClient;

constexpr int kills = 200;
constexpr int kills_between_checks = 50;
constexpr int clients = 4;
constexpr std::array<std::string_view, 2> tenants{"globex", "initech"};

/// A port that was free a moment ago.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// A running `caisson-runtime serve`.
class Server {
 public:
  explicit Server(const TestDeployment& deployment) {
    std::string program = CAISSON_BINARY_DIR "/bin/caisson-runtime";
    std::string serve = "serve";
    std::string option = "--config=" + deployment.configuration_file().string();
    const std::string log = (deployment.directory() / "log").string();
    std::array<char*, 4> argv{program.data(), serve.data(), option.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { end(SIGKILL); }

  /// False when it has ended by itself.
  [[nodiscard]] bool runs() const {
    siginfo_t state{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT);
    return state.si_pid == 0;
  }
  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

/// A client as soon as the server listens.
std::optional<TestClient> connect(std::uint16_t port, const std::atomic<bool>& stop) {
  while (!stop) {
    try {
      return std::optional<TestClient>(std::in_place, port);
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  return std::nullopt;
}

class Crash : public testing::Test {
 protected:
  Crash() { deployment_.write_configuration(port_, free_port()); }

  /// Writes until the server is gone, and notes each record that was acknowledged.
  void write(int number, const std::atomic<bool>& stop) {
    auto client = connect(port_, stop);
    for (int i = number; client; ++i) {
      const auto tenant = tenants[static_cast<std::size_t>(i) % tenants.size()];
      const auto answer = client->ask(
          tenant_request(tenant, "POST", "/v1/records/notes", R"({"text":"something to keep"})"));
      if (!answer) return;
      if (answer->status != 201) {
        ADD_FAILURE() << answer->status << ": " << answer->body;
        return;
      }
      const std::string id(json::parse(answer->body).at("id").as_string());
      const std::scoped_lock lock(mutex_);
      journal_[static_cast<std::size_t>(i) % tenants.size()].insert(id);
      ++acknowledged_;
    }
  }

  /// Runs the server under load and kills it after `writes` acknowledgements.
  void run_and_kill(int writes) {
    const int target = acknowledged_ + writes;
    std::atomic<bool> stop = false;
    Server server(deployment_);
    std::vector<std::thread> writers;
    for (int i = 0; i < clients; ++i) writers.emplace_back([&, i] { write(i, stop); });
    while (acknowledged_ < target && server.runs()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(server.runs()) << "the server ended by itself";
    server.end(SIGKILL);
    stop = true;
    for (auto& writer : writers) writer.join();
  }

  std::set<std::string> stored(std::string_view tenant) {
    std::atomic<bool> never = false;
    auto client = connect(port_, never);
    std::set<std::string> ids;
    std::string cursor;
    while (true) {
      const auto answer =
          client->ask(tenant_request(tenant, "GET", "/v1/records/notes?limit=1000" + cursor));
      if (!answer || answer->status != 200) {
        ADD_FAILURE() << "cannot list: " << (answer ? answer->body : "no answer");
        return ids;
      }
      const json::value page = json::parse(answer->body);
      for (const auto& record : page.at("records").as_array()) {
        ids.emplace(record.at("id").as_string());
      }
      if (page.at("next").is_null()) return ids;
      cursor = "&cursor=" + std::string(page.at("next").as_string());
    }
  }

  void check() {
    {
      Server server(deployment_);
      ASSERT_TRUE(server.runs());
      for (std::size_t i = 0; i < tenants.size(); ++i) {
        const auto ids = stored(tenants[i]);
        std::size_t missing = 0;
        for (const auto& id : journal_[i]) missing += ids.contains(id) ? 0 : 1;
        EXPECT_EQ(missing, 0U) << "of " << journal_[i].size() << " acknowledged by " << tenants[i];
      }
      server.end(SIGTERM);
    }
    int stores = 0;
    for (const auto& entry : fs::recursive_directory_iterator(deployment_.directory() / "data")) {
      if (entry.path().extension() != ".db") continue;
      auto database = storage::Database::open(fs::canonical(entry.path()), {});
      ASSERT_TRUE(database) << database.error().what;
      auto verdict = database->prepare("PRAGMA integrity_check");
      ASSERT_TRUE(verdict.step());
      EXPECT_EQ(verdict.text_at(0), "ok") << entry.path();
      ++stores;
    }
    EXPECT_EQ(stores, 3) << "the registry and two tenants";
  }

  TestDeployment deployment_;
  std::uint16_t port_ = free_port();
  std::mutex mutex_;
  std::array<std::set<std::string>, tenants.size()> journal_;
  std::atomic<int> acknowledged_ = 0;
};

TEST_F(Crash, ARuntimeThatIsKilledLosesNoAcknowledgedWrite) {
  std::minstd_rand random(std::random_device{}());
  for (int killed = 1; killed <= kills && !HasFailure(); ++killed) {
    run_and_kill(std::uniform_int_distribution(1, 60)(random));
    if (killed % kills_between_checks == 0) check();
  }
  EXPECT_GT(acknowledged_, kills);
  RecordProperty("acknowledged_writes", acknowledged_);
}

}  // namespace
}  // namespace caisson::runtime
