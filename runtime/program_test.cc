// The programs as they ship: real processes, their exit codes, their signals.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/http/test_client.h"
#include "runtime/test_deployment.h"
#include "runtime/test_process.h"

namespace caisson::runtime {
namespace {

using namespace std::chrono_literals;
using http::TestClient;
using testing::HasSubstr;

const std::string shipped = CAISSON_BINARY_DIR "/bin/caisson-runtime";
const std::string sabotaged = CAISSON_BINARY_DIR "/bin/caisson-runtime-sabotaged";

/// A port that was free a moment ago.
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

class Program : public testing::Test {
 protected:
  TestDeployment deployment_;
  std::uint16_t data_port_ = free_port();
  std::filesystem::path output_ = deployment_.directory() / "output";

  Program() { deployment_.write_configuration(data_port_, free_port()); }

  std::string config() { return deployment_.configuration_file().string(); }

  int run(const std::vector<std::string>& arguments) {
    return Process(shipped, arguments, output_).wait();
  }

  bool becomes_ready() {
    for (int i = 0; i < 1000; ++i) {
      try {
        TestClient client(data_port_);
        const auto answer = client.ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
        if (answer && answer->status == 200) return true;
      } catch (const std::runtime_error&) {
        std::this_thread::sleep_for(10ms);
      }
    }
    return false;
  }
};

TEST_F(Program, TellsItsVersionAndHowItIsUsed) {
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_THAT(read(output_), HasSubstr("caisson-runtime " CAISSON_VERSION));
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(read(output_), HasSubstr("serve     --config"));
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"serve"},
                                             {"serve", "--config"},
                                             {"dance"},
                                             {"audit"},
                                             {"version", "now"},
                                             {"restore"},
                                             {"restore", "globex"},
                                             {"restore", "--config", "backup.json"}}) {
    EXPECT_EQ(run(wrong), 2);
  }
}

TEST_F(Program, ChecksItsConfiguration) {
  EXPECT_EQ(run({"check", "--config", config()}), 0);
  deployment_.write_configuration(0, 0, R"("colour": "red", )");
  EXPECT_EQ(run({"check", "--config=" + config()}), 2);
  EXPECT_THAT(read(output_), HasSubstr("colour"));
  EXPECT_EQ(run({"serve", "--config", "/nonexistent.json"}), 2);
  EXPECT_THAT(read(output_), HasSubstr("/nonexistent.json"));
}

TEST_F(Program, ChecksEachOfSeveralConfigurations) {
  EXPECT_EQ(run({"check", "--config", config(), config()}), 0);
  EXPECT_EQ(run({"check", "--config", "/nonexistent.json", config()}), 2);
  EXPECT_THAT(read(output_), HasSubstr("/nonexistent.json"));
  EXPECT_THAT(read(output_), HasSubstr(config() + ": fine"));
}

TEST_F(Program, ServesAsTheFirstReplicaAlone) {
  for (const auto* name : {"runtime-1", "runtime-10", "runtime", ""}) {
    Process second(shipped, {"serve", "--config", config()}, output_,
                   {std::string("CAISSON_REPLICA=") + name});
    EXPECT_EQ(second.wait(), 2) << name;
    EXPECT_THAT(read(output_), HasSubstr("only the one with the number 0 may serve")) << name;
  }
}

TEST_F(Program, GivesAVolumeToItsUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may";
  const auto volume = output_.parent_path() / "volume";
  std::filesystem::create_directories(volume / "a/b");
  std::ofstream(volume / "a/b/file") << "kept";
  std::ofstream(output_.parent_path() / "elsewhere") << "not in it";
  std::filesystem::create_symlink(output_.parent_path() / "elsewhere", volume / "link");
  const auto owner = [](const std::filesystem::path& path) {
    struct stat found{};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
    return std::pair{found.st_uid, found.st_gid};
  };
  EXPECT_EQ(run({"own", "20001", volume.string()}), 0);
  const auto user = std::pair<uid_t, gid_t>{20001, 20001};
  for (const auto* path : {"", "a", "a/b", "a/b/file", "link"}) {
    EXPECT_EQ(owner(volume / path), user) << path;
  }
  EXPECT_EQ(owner(output_.parent_path() / "elsewhere").first, 0U);
  // Whose volume it is already, its user decides what is in it.
  ASSERT_EQ(::chown((volume / "a").c_str(), 0, 0), 0);
  EXPECT_EQ(run({"own", "20001", volume.string()}), 0);
  EXPECT_EQ(owner(volume / "a").first, 0U);
  EXPECT_EQ(run({"own", "20001", (volume / "a/b/file").string()}), 3);
  EXPECT_EQ(run({"own", "nobody", volume.string()}), 2);
}

/// The first SIGTERM says to nobody who routes by readiness, the second that none of them is left.
TEST_F(Program, ServesOnAsALameDuckUntilItIsAskedAgain) {
  deployment_.write_configuration(data_port_, free_port(), R"("lame-duck-ms": 3600000, )");
  Process server(shipped, {"serve", "--config", config()}, deployment_.directory() / "log");
  ASSERT_TRUE(becomes_ready());
  server.signal(SIGTERM);
  while (run({"health", "--config", config()}) == 0) std::this_thread::yield();
  TestClient client(data_port_);
  const auto made =
      client.ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"text":"hi"})"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->field("Connection"), "close");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  EXPECT_THAT(read(deployment_.directory() / "log"),
              HasSubstr("\"message\":\"stopped\",\"cut_connections\":0"));
}

TEST_F(Program, ServesUntilSigtermAndTellsItsHealth) {
  EXPECT_EQ(run({"health", "--config", config()}), 1);
  Process server(shipped, {"serve", "--config", config()}, deployment_.directory() / "log");
  ASSERT_TRUE(becomes_ready());
  EXPECT_EQ(run({"health", "--config", config()}), 0);
  EXPECT_EQ(run({"serve", "--config", config()}), 3) << "the port is taken";
  TestClient client(data_port_);
  const auto made =
      client.ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"text":"hi"})"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(client.ask("GET /v1/whoami HTTP/1.1\r\nHost: globex.acme.localhost\r\n\r\n")->status,
            401);
  server.signal(SIGHUP);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
  const std::string log = read(deployment_.directory() / "log");
  EXPECT_THAT(log, HasSubstr("\"message\":\"stopped\",\"cut_connections\":0"));
  EXPECT_THAT(log, testing::Not(HasSubstr("Bearer")));
  const std::string logs = deployment_.directory() / "data/audit";
  EXPECT_EQ(run({"audit", "verify", logs}), 0);
  EXPECT_THAT(read(output_), HasSubstr("operations: 4 records, the chain is whole; complete from"));
  EXPECT_THAT(read(output_), HasSubstr("refusals: 1 records, the chain is whole; complete from"));
  EXPECT_EQ(run({"audit", "verify", logs + "/audit.ndjson"}), 0);
  const std::string audit = logs + "/refusals/audit.ndjson";
  EXPECT_EQ(run({"audit", "verify", audit}), 0);
  std::string records = read(audit);
  ASSERT_THAT(records, HasSubstr("unauthenticated"));
  records.replace(records.find("unauthenticated"), 2, "UN");
  std::ofstream(audit, std::ios::binary) << records;
  EXPECT_EQ(run({"audit", "verify", audit}), 1);
  EXPECT_EQ(run({"audit", "verify", logs}), 1);
  EXPECT_THAT(read(output_), HasSubstr("refusals: broken at record 1"));
}

TEST_F(Program, ServesWithRelativePathsFromAnyDirectory) {
  // The key of tokens is read again while the process is confined: it may also be a link.
  namespace fs = std::filesystem;
  const fs::path& place = deployment_.directory();
  fs::create_directories(place / "secrets");
  fs::create_directories(place / "deep/er");
  fs::rename(place / "token.key", place / "secrets/token.key");
  fs::create_symlink("secrets/token.key", place / "token.key");
  const std::array<std::pair<fs::path, std::string>, 5> ways{
      {{place, "runtime.json"},
       {place, "./runtime.json"},
       {place / "deep/er", "../../runtime.json"},
       {"/", fs::relative(config(), "/")},
       {place.parent_path(), place.filename() / "runtime.json"}}};
  for (const auto& [directory, file] : ways) {
    Process server("/usr/bin/env",
                   {"--chdir=" + directory.string(), shipped, "serve", "--config", file}, output_);
    ASSERT_TRUE(becomes_ready()) << directory << " " << file << " " << read(output_);
    TestClient client(data_port_);
    const auto made =
        client.ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"text":"hi"})"));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->status, 201) << directory << " " << file;
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_EQ(
        Process("/usr/bin/env",
                {"--chdir=" + directory.string(), shipped, "check", "--config", file}, output_)
            .wait(),
        0);
  }
}

TEST_F(Program, WaitsForAServiceThatIsNotThereYet) {
  const std::string url = "http://127.0.0.1:" + std::to_string(data_port_) + "/readyz";
  EXPECT_EQ(run({"wait"}), 2);
  EXPECT_EQ(run({"wait", "--url", "ftp://127.0.0.1"}), 2);
  Process waiting(shipped, {"wait", "--url", url}, output_);
  EXPECT_EQ(run({"health", "--url", url}), 1);
  const Process server(shipped, {"serve", "--config", config()}, deployment_.directory() / "log");
  EXPECT_EQ(waiting.wait(), 0) << read(output_);
}

TEST_F(Program, ServesFromAVolumeThatRootLendsToItsGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can lend one";
  constexpr uid_t user = 10001;
  const auto& place = deployment_.directory();
  const std::string program = place / "program";
  std::filesystem::copy_file(shipped, program);
  ASSERT_EQ(::chmod(place.c_str(), 0711), 0);
  for (const auto& entry : std::filesystem::directory_iterator(place)) {
    ASSERT_EQ(::chown(entry.path().c_str(), user, user), 0);
  }
  // As the kubelet leaves a volume of a pod with fsGroup.
  const std::string data = place / "data";
  std::filesystem::create_directory(data);
  const auto lend = [&](mode_t mode) {
    ASSERT_EQ(::chown(data.c_str(), 0, user), 0);
    ASSERT_EQ(::chmod(data.c_str(), mode), 0);
  };
  const std::vector<std::string> serve{"--reuid=10001", "--regid=10001", "--clear-groups", program,
                                       "serve",         "--config",      config()};
  for (const mode_t too_open : {02777U, 02755U}) {
    lend(too_open);
    EXPECT_EQ(Process("/usr/bin/setpriv", serve, output_).wait(), 3) << too_open;
    EXPECT_THAT(read(output_), HasSubstr("refusing " + data));
  }
  EXPECT_FALSE(std::filesystem::exists(data + "/private")) << "it is no volume";
  lend(02775);
  Process server("/usr/bin/setpriv", serve, output_);
  ASSERT_TRUE(becomes_ready()) << read(output_);
  struct stat status{};
  ASSERT_EQ(::stat((data + "/registry.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, user);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

/// As provisioners of a node's own disk make them; with and without fsGroup.
TEST_F(Program, KeepsDataToItselfInAVolumeToWhichEverybodyMayWrite) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount one";
  constexpr uid_t user = 10001;
  const auto& place = deployment_.directory();
  const std::string program = place / "program";
  std::filesystem::copy_file(shipped, program);
  ASSERT_EQ(::chmod(place.c_str(), 0711), 0);
  for (const auto& entry : std::filesystem::directory_iterator(place)) {
    ASSERT_EQ(::chown(entry.path().c_str(), user, user), 0);
  }
  const std::string data = place / "data";
  const std::string volume = place / "volume";
  std::filesystem::create_directory(data);
  std::filesystem::create_directory(volume);
  const auto lend = [&](gid_t group, mode_t mode) {
    ASSERT_EQ(::chown(volume.c_str(), 0, group), 0);
    ASSERT_EQ(::chmod(volume.c_str(), mode), 0);
  };
  // Seen by this process alone, as a pod's volume is.
  const auto in_volume = [&](const std::string& command) {
    return std::vector<std::string>{
        "--mount", "sh", "-c",
        "mount --bind " + volume + " " + data +
            " && exec setpriv --reuid=10001 --regid=10001 --clear-groups " + program + " " +
            command + " --config " + config()};
  };
  const auto owner_and_mode = [](const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return std::pair{status.st_uid, status.st_mode & 07777U};
  };
  const auto serve_until_ready = [&] {
    const auto log = deployment_.directory() / "log";
    Process server("/usr/bin/unshare", in_volume("serve"), log);
    EXPECT_TRUE(becomes_ready()) << read(log);
    EXPECT_EQ(run({"operator", "--config", config(), "tenants", "show", "globex"}), 0);
    std::string shown = read(output_);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    return shown;
  };
  lend(0, 0777);
  // Files of others there are of no account.
  std::ofstream(volume + "/registry.db") << "planted";
  const std::string first = serve_until_ready();
  EXPECT_EQ(owner_and_mode(volume), (std::pair{0U, 0777U}));
  EXPECT_EQ(owner_and_mode(volume + "/private"), (std::pair{user, 0700U}));
  EXPECT_EQ(owner_and_mode(volume + "/private/registry.db"), (std::pair{user, 0600U}));
  // The same data whatever becomes of the mode: with fsGroup, without it, closed again.
  for (const auto& [group, mode] : {std::pair{user, 02777U}, {user, 02775U}, {0U, 0777U}}) {
    lend(group, mode);
    EXPECT_EQ(serve_until_ready(), first) << std::oct << mode;
  }
  EXPECT_EQ(Process("/usr/bin/unshare", in_volume("migrate"), output_).wait(), 0) << read(output_);

  // A directory of somebody else, or a link, is not taken for it.
  std::filesystem::remove_all(volume + "/private");
  std::filesystem::create_directory(volume + "/private");
  ASSERT_EQ(::chmod((volume + "/private").c_str(), 0777), 0);
  EXPECT_EQ(Process("/usr/bin/unshare", in_volume("serve"), output_).wait(), 3);
  EXPECT_THAT(read(output_), HasSubstr("refusing " + data + "/private"));
  std::filesystem::remove(volume + "/private");
  std::filesystem::create_directory_symlink("/tmp", volume + "/private");
  EXPECT_EQ(Process("/usr/bin/unshare", in_volume("serve"), output_).wait(), 3);
  EXPECT_THAT(read(output_), HasSubstr("cannot open directory " + data + "/private"));
  std::filesystem::remove(volume + "/private");
  std::filesystem::remove(volume + "/registry.db");

  // Data that are in the volume itself are not left behind when it is opened to everybody.
  lend(user, 02775);
  const std::string directly = serve_until_ready();
  EXPECT_EQ(owner_and_mode(volume + "/registry.db").first, user);
  lend(user, 02777);
  EXPECT_EQ(Process("/usr/bin/unshare", in_volume("serve"), output_).wait(), 3);
  EXPECT_THAT(read(output_), HasSubstr("it has data, and everybody may write to it"));
  lend(user, 02775);
  EXPECT_EQ(serve_until_ready(), directly);
  EXPECT_FALSE(std::filesystem::exists(volume + "/private"));
}

TEST_F(Program, ServesOnTheSocketsThatSystemdPasses) {
  const auto place = [&](const char* name) { return (deployment_.directory() / name).string(); };
  auto text = read(config());
  for (const auto& [key, name] : {std::pair{"\"data\": \"127", "data.sock"},
                                  std::pair{"\"operator\": \"127", "operator.sock"}}) {
    const auto at = text.find(key);
    ASSERT_NE(at, std::string::npos) << text;
    const auto value = text.find("127", at);
    text.replace(value, text.find('"', value) - value, "unix:" + place(name));
  }
  std::ofstream(config(), std::ios::binary) << text;

  EXPECT_EQ(run({"serve", "--config", config()}), 3);
  EXPECT_THAT(read(output_), HasSubstr("systemd passed no stream socket that listens at"));

  const int manager = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const auto notify = place("notify.sock");
  std::ranges::copy(notify, address.sun_path);
  ASSERT_EQ(::bind(manager, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const auto told = [&] {
    std::array<char, 64> state;
    const auto got = ::recv(manager, state.data(), state.size(), 0);
    return std::string(state.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  };

  Process server("/usr/bin/systemd-socket-activate",
                 {"--listen=" + place("data.sock"), "--listen=" + place("operator.sock"),
                  "--setenv=NOTIFY_SOCKET=" + notify, shipped, "serve", "--config", config()},
                 deployment_.directory() / "log");
  // The first connection is what starts it, and it is answered.
  int healthy = 1;
  for (int i = 0; i < 200 && healthy != 0; ++i) {
    std::this_thread::sleep_for(10ms);
    healthy = run({"health", "--config", config()});
  }
  EXPECT_EQ(healthy, 0) << read(deployment_.directory() / "log");
  EXPECT_EQ(told(), "READY=1");
  EXPECT_EQ(run({"operator", "--config", config(), "status", "show"}), 0) << read(output_);
  server.signal(SIGTERM);
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(server.wait(), 0);
  ::close(manager);
}

TEST_F(Program, CallsTheOperatorApi) {
  const auto operate = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"operator", "--config", config()});
    return run(words);
  };
  EXPECT_EQ(operate({"tenants", "list"}), 3);
  EXPECT_THAT(read(output_), HasSubstr("does the runtime run?"));
  const Process server(shipped, {"serve", "--config", config()}, deployment_.directory() / "log");
  ASSERT_TRUE(becomes_ready());
  EXPECT_EQ(operate({"tenants", "create", "slug=hooli", "tier=free", R"(metadata:={"plan":"a"})"}),
            0)
      << read(output_);
  EXPECT_THAT(read(output_), HasSubstr(R"("metadata":{"plan":"a"})"));
  EXPECT_EQ(operate({"tenants", "list", "limit=3", "status=active"}), 0);
  EXPECT_THAT(read(output_), HasSubstr(R"("slug":"hooli")"));
  EXPECT_EQ(operate({"snapshots", "create", "hooli"}), 0);
  EXPECT_EQ(operate({"tenants", "delete", "hooli"}), 0);
  EXPECT_EQ(read(output_), "");
  EXPECT_EQ(operate({"tenants", "show", "hooli"}), 1);
  EXPECT_THAT(read(output_), HasSubstr("404"));
  EXPECT_THAT(read(output_), HasSubstr("there is no tenant with this slug"));
  EXPECT_EQ(operate({"tenants", "create", "slug=A", "tier=none"}), 1);
  EXPECT_THAT(read(output_), HasSubstr("/slug"));
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"tenants"},
                                             {"tenants", "dance"},
                                             {"tenants", "show"},
                                             {"tenants", "list", "limit"},
                                             {"tenants", "create", "limits:={"}}) {
    EXPECT_EQ(operate(wrong), 2);
  }
  operate({});
  EXPECT_THAT(read(output_), HasSubstr("  keys revoke SLUG ID\n"));
}

/// The wall names of runtime/observe/walls.cc.
const std::vector<std::string> wall_names{"trust-tenant-header", "accept-alg-none", "drop-scope",
                                          "operator-everywhere", "CAISSON_SABOTAGE"};

TEST_F(Program, HasNoSwitchForItsWallsAsShipped) {
  const std::string program = read(shipped);
  const std::string other = read(sabotaged);
  ASSERT_GT(program.size(), 100'000U);
  for (const auto& name : wall_names) {
    EXPECT_EQ(program.find(name), std::string::npos) << name;
    EXPECT_NE(other.find(name), std::string::npos) << name;
  }
}

TEST_F(Program, IgnoresTheSabotageVariableAsShipped) {
  for (const auto& [program, status] : {std::pair{shipped, 401}, std::pair{sabotaged, 200}}) {
    Process server(program, {"serve", "--config", config()}, deployment_.directory() / "log",
                   {"CAISSON_SABOTAGE=public-tenant-labels"});
    ASSERT_TRUE(becomes_ready());
    TestClient client(data_port_);
    EXPECT_EQ(client.ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, status);
    server.signal(SIGINT);
    EXPECT_EQ(server.wait(), 0);
  }
}

}  // namespace
}  // namespace caisson::runtime
