// Kills the shipped program in the middle of its clients' writes and its operators' acts, again and
// again. Clients keep a journal of what they were told is done; at the end all of it must be there.

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
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

/// Kills the program in the middle of what operators do. What the audit log says then must be what
/// there is: each act that took effect has its record, and each intent exactly one outcome.
class OperatorCrash : public testing::Test {
 protected:
  OperatorCrash() { deployment_.write_configuration(port_, operator_port_); }

  /// The answer of an operator call; none when the server is gone.
  static std::optional<TestClient::Answer> call(TestClient& client, std::string_view method,
                                                const std::string& target,
                                                const std::string& body = "") {
    std::string request;
    request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: x\r\n");
    request.append("Authorization: Bearer ").append(TestDeployment::operator_token);
    request.append("\r\nContent-Type: application/json\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return client.ask(request);
  }

  /// Does what operators do until the server is gone, and notes what it was told is done.
  void operate(int number, const std::atomic<bool>& stop) {
    std::minstd_rand random(static_cast<unsigned>(number) + std::random_device{}());
    const auto below = [&](int bound) {
      return std::uniform_int_distribution(0, bound - 1)(random);
    };
    auto client = connect(operator_port_, stop);
    std::string key;
    std::string snapshot;
    while (client) {
      const std::string slug = "t" + std::to_string(below(operated));
      const std::string path = "/v1/tenants/" + slug;
      std::optional<TestClient::Answer> answer;
      switch (below(10)) {
        case 0:
        case 1:
        case 2:
          answer = call(*client, "POST", "/v1/tenants", R"({"slug":")" + slug + R"("})");
          break;
        case 3:
          answer = call(*client, "PATCH", path, R"({"name":"N"})");
          break;
        case 4:
          answer = call(*client, "POST", path + "/suspend");
          break;
        case 5:
          answer = call(*client, "POST", path + "/resume");
          break;
        case 6:
          answer = call(*client, "POST", path + "/keys");
          if (answer && answer->status == 201) key = path + "/keys/" + id_in(answer->body);
          break;
        case 7:
          if (!key.empty())
            answer = call(*client, "DELETE", std::exchange(key, {}));
          else
            continue;
          break;
        case 8:
          answer = call(*client, "POST", path + "/snapshots");
          break;
        default:
          answer = call(*client, "DELETE", path);
          break;
      }
      if (!answer) return;
      if (answer->status >= 300) continue;
      const std::scoped_lock lock(mutex_);
      done_.insert(answer->field("Caisson-Request-Id"));
    }
  }

  static std::string id_in(const std::string& body) {
    return std::string(json::parse(body).at("id").as_string());
  }

  /// What the records say that there is.
  struct Tenant {
    std::string id;
    bool suspended = false;
    std::set<std::string> keys;
    std::set<std::string> snapshots;
  };
  using World = std::map<std::string, Tenant>;

  World recorded(TestClient& client) {
    World world;
    std::map<std::int64_t, int> outcomes;
    std::map<std::string, int> acknowledged;
    std::int64_t after = 0;
    while (true) {
      const auto answer =
          call(client, "GET", "/v1/audit?limit=1000&after=" + std::to_string(after));
      if (!answer || answer->status != 200) throw std::runtime_error("no audit log");
      const json::value page = json::parse(answer->body);
      for (const json::value& record : page.at("records").as_array()) {
        after = record.at("seq").as_int64();
        const std::string outcome(record.at("outcome").as_string());
        if (outcome == "intent") {
          EXPECT_TRUE(outcomes.emplace(after, 0).second);
          continue;
        }
        if (const auto* intent = record.as_object().if_contains("intent"))
          ++outcomes.at(intent->as_int64());
        if (record.at("actor") == "runtime") settled_.insert(after);
        if (outcome == "unknown") unknown_.emplace(record.at("tenant_id").as_string());
        if (outcome != "ok") continue;
        ++acknowledged[std::string(record.at("request_id").as_string())];
        apply(world, record.as_object());
      }
      if (page.at("next").is_null()) break;
    }
    for (const auto& [seq, count] : outcomes) EXPECT_EQ(count, 1) << "outcomes of intent " << seq;
    for (const std::string& id : done_)
      EXPECT_EQ(acknowledged[id], 1) << "records of the acknowledged " << id;
    return world;
  }

  static void apply(World& world, const json::object& record) {
    const std::string action(record.at("action").as_string());
    const std::string slug(record.at("tenant").as_string());
    const std::string reason(record.at("reason").as_string());
    const std::string what = reason.substr(0, reason.find(':'));
    if (action == "tenant.create") {
      world[slug] = {.id = std::string(record.at("tenant_id").as_string())};
      return;
    }
    const auto found = world.find(slug);
    if (found == world.end()) {
      EXPECT_EQ(action, "tenants.apply") << slug;
      return;
    }
    Tenant& tenant = found->second;
    EXPECT_TRUE(record.at("tenant_id") == json::string_view(tenant.id)) << action << " " << slug;
    if (action == "tenant.delete") {
      world.erase(found);
    } else if (action == "tenant.suspend" || action == "tenant.resume") {
      tenant.suspended = action == "tenant.suspend";
    } else if (action == "key.create") {
      tenant.keys.insert(what);
    } else if (action == "key.revoke") {
      tenant.keys.erase(what);
    } else if (action == "snapshot.create") {
      tenant.snapshots.insert(what);
    }
  }

  World existing(TestClient& client) {
    World world;
    const auto listed = call(client, "GET", "/v1/tenants?limit=1000");
    const json::value page = json::parse(listed->body);
    for (const json::value& tenant : page.at("tenants").as_array()) {
      if (tenant.at("status") == "deleted") continue;
      const std::string slug(tenant.at("slug").as_string());
      Tenant& found = world[slug];
      found.id = tenant.at("id").as_string();
      found.suspended = tenant.at("status") == "suspended";
      const auto keys = call(client, "GET", "/v1/tenants/" + slug + "/keys");
      const json::value of_keys = json::parse(keys->body);
      for (const json::value& key : of_keys.at("keys").as_array())
        if (!key.at("revoked").as_bool()) found.keys.emplace(key.at("id").as_string());
      const auto snapshots = call(client, "GET", "/v1/tenants/" + slug + "/snapshots");
      const json::value of_snapshots = json::parse(snapshots->body);
      for (const json::value& snapshot : of_snapshots.at("snapshots").as_array())
        found.snapshots.emplace(snapshot.at("id").as_string());
    }
    return world;
  }

  static std::string told(const World& world, const std::string& slug) {
    const auto found = world.find(slug);
    if (found == world.end()) return "none";
    const Tenant& tenant = found->second;
    std::string text = tenant.id + (tenant.suspended ? " suspended" : " active");
    for (const auto& key : tenant.keys) text += " key " + key;
    for (const auto& snapshot : tenant.snapshots) text += " snapshot " + snapshot;
    return text;
  }

  /// Of the tenants of which the log knows everything: an act whose outcome is `unknown` may have
  /// been done or not.
  [[nodiscard]] std::string difference(const World& recorded, const World& existing) const {
    std::set<std::string> slugs;
    for (const World* world : {&recorded, &existing})
      for (const auto& [slug, tenant] : *world)
        if (!unknown_.contains(tenant.id)) slugs.insert(slug);
    std::string text;
    for (const auto& slug : slugs) {
      const auto said = told(recorded, slug);
      const auto is = told(existing, slug);
      if (said != is)
        text.append(slug).append(": recorded ").append(said).append(", is ").append(is) += '\n';
    }
    return text;
  }

  static constexpr int operated = 40;  ///< slugs, so that most calls meet a tenant
  TestDeployment deployment_;
  std::uint16_t port_ = free_port();
  std::uint16_t operator_port_ = free_port();
  std::mutex mutex_;
  std::set<std::string> done_;
  std::set<std::string> unknown_;   ///< tenants of acts whose outcome nobody can tell
  std::set<std::int64_t> settled_;  ///< records of outcomes that were found at a start
};

TEST_F(OperatorCrash, WhatTheAuditLogSaysIsWhatThereIs) {
  constexpr int operator_kills = 40;
  std::minstd_rand random(std::random_device{}());
  for (int killed = 0; killed < operator_kills && !HasFailure(); ++killed) {
    const std::size_t target =
        done_.size() + static_cast<std::size_t>(std::uniform_int_distribution(1, 40)(random));
    {
      std::atomic<bool> stop = false;
      Server server(deployment_);
      std::vector<std::thread> operators;
      for (int i = 0; i < clients; ++i) operators.emplace_back([&, i] { operate(i, stop); });
      const auto enough = [&] {
        const std::scoped_lock lock(mutex_);
        return done_.size() >= target;
      };
      while (!enough() && server.runs()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      EXPECT_TRUE(server.runs()) << "the server ended by itself";
      server.end(SIGKILL);
      stop = true;
      for (auto& thread : operators) thread.join();
    }
    Server server(deployment_);
    std::atomic<bool> never = false;
    auto client = connect(operator_port_, never);
    const World expected = recorded(*client);
    const World found = existing(*client);
    EXPECT_EQ(difference(expected, found), "")
        << "after " << killed + 1 << " kills and " << done_.size() << " acts";
    EXPECT_NE(call(*client, "POST", "/v1/audit/verify")->body.find(R"("valid":true)"),
              std::string::npos);
    server.end(SIGTERM);
  }
  EXPECT_FALSE(settled_.empty()) << "no kill met an act";
  EXPECT_LT(unknown_.size(), settled_.size()) << "nothing is known of any act that a kill met";
  RecordProperty("acknowledged_acts", static_cast<int>(done_.size()));
  RecordProperty("settled_acts", static_cast<int>(settled_.size()));
}

/// Tenants of the configuration: what was acknowledged of them holds at every start from then on.
TEST_F(OperatorCrash, AnEmergencyHoldsAfterAKillOnceItIsAcknowledged) {
  constexpr int emergency_kills = 20;
  std::string status = "active";
  std::int64_t burst = 0;
  for (int killed = 0; killed < emergency_kills && !HasFailure(); ++killed) {
    Server server(deployment_);
    std::atomic<bool> never = false;
    auto client = connect(operator_port_, never);
    const auto shown = call(*client, "GET", "/v1/tenants/globex");
    const json::value tenant = json::parse(shown->body);
    EXPECT_EQ(tenant.at("status").as_string(), status) << shown->body;
    if (burst > 0) {
      EXPECT_EQ(tenant.at("limits").at("burst").as_int64(), burst) << shown->body;
    }
    if (killed % 2 == 0) {
      const bool active = status == "active";
      const std::string act = active ? "suspend" : "resume";
      EXPECT_EQ(call(*client, "POST", "/v1/tenants/globex/" + act)->status, 200);
      status = active ? "suspended" : "active";
    } else {
      burst = 100 + killed;
      const std::string limits = R"({"limits":{"burst":)" + std::to_string(burst) + "}}";
      EXPECT_EQ(call(*client, "PATCH", "/v1/tenants/globex", limits)->status, 200);
    }
    server.end(SIGKILL);
  }
}

}  // namespace
}  // namespace caisson::runtime
