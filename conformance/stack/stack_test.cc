#include <algorithm>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"
#include "conformance/stack/compose.h"
#include "conformance/stack/description.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/local.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/preflight.h"
#include "conformance/stack/process.h"
#include "conformance/stack/state.h"
#include "conformance/wire/http.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// A directory of its own for each test, gone afterwards.
class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("caisson-stack-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    fs::permissions(path_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

std::string process_json(const std::string& name, std::uint16_t port, const std::string& needs,
                         int offset) {
  return R"({"name":")" + name +
         R"(","role":"service","tenant":null,"program":"caddy","args":["respond","--listen","127.0.0.1:)" +
         std::to_string(port) + R"(","--body",")" + name + R"("],"directory":"work/)" + name +
         R"(","config":"","data":"","ports":{"data":)" + std::to_string(port) +
         R"(},"ready":{"port":"data","path":"/"},"needs":[)" + needs +
         R"(],"env":{"HOME":"/nonexistent"},"secret-env":{"TOKEN":"token"},"secrets":["token"],"uid-offset":)" +
         std::to_string(offset) + "}";
}

std::string stack_json(const std::string& processes) {
  return R"({"name":"t","version":"1.0.0","domain":"t.localhost","marker":"disposable","address":"127.0.0.1",
             "url":"http://t.localhost:1","secrets":[{"name":"token","source":"generate","bytes":32,"reference":""}],
             "processes":[)" +
         processes + R"(],"omitted":[]})";
}

TEST(Description, RefusesWhatIsMissingAndCycles) {
  EXPECT_FALSE(parse_stack("{"));
  EXPECT_FALSE(parse_stack(R"({"name":"x"})"));
  const auto circle = parse_stack(
      stack_json(process_json("a", 1, "\"b\"", 0) + "," + process_json("b", 2, "\"a\"", 1)));
  ASSERT_TRUE(circle) << circle.error().text();
  EXPECT_FALSE(start_order(*circle));
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Description, RefusesWhateverLeadsOutOfTheStateDirectory) {
  const auto stack = [](const std::string& one) {
    return stack_json(one + "," + process_json("two", 2, "", 1));
  };
  const std::string one = process_json("one", 1, "", 0);
  ASSERT_TRUE(parse_stack(stack(one)));
  const auto refused = [](const std::string& text, const std::string& place) {
    const auto parsed = parse_stack(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().what, testing::HasSubstr("local/stack.json: " + place + " is '"));
    EXPECT_THAT(parsed.error().remedy, testing::HasSubstr("patch"));
  };
  for (const char* path :
       {"../../../../etc", "/etc", "work", "work/", "work/..", "work/.", "work/one/../../..",
        "work//one", "work/one/deeper", "", ".", "secrets", "data/one", "work/two", "work/o\\ne"}) {
    refused(
        stack(with(one, R"("directory":"work/one")", R"("directory":")" + std::string(path) + '"')),
        "/processes/" + std::string(path == std::string("work/two") ? "1" : "0") + "/directory");
  }
  for (const char* path :
       {"../sibling", "/etc", "data", "data/", "data/..", "work/one", "secrets", "data/one/deeper"})
    refused(stack(with(one, R"("data":"")", R"("data":")" + std::string(path) + '"')),
            "/processes/0/data");
  for (const char* path : {"../sibling", "/etc/passwd", "config", "config/../state.json",
                           "state.json", "owner", "secrets/token", "stack.json", "logs/one.log"})
    refused(stack(with(one, R"("config":"")", R"("config":")" + std::string(path) + '"')),
            "/processes/0/config");
  for (const char* name : {"../x", "/etc/passwd", "", ".", "two words", "x/y"})
    refused(stack(with(one, R"("name":"one")", R"("name":")" + std::string(name) + '"')),
            "/processes/0/name");
  refused(stack(with(one, R"("name":"one")", R"("name":"two")")), "/processes/1/name");
  // 200000 and this are 0 in the 32 bits of a user id.
  refused(stack(with(one, R"("uid-offset":0)", R"("uid-offset":4294767296)")),
          "/processes/0/uid-offset");
  refused(stack(with(one, R"("uid-offset":0)", R"("uid-offset":1)")), "/processes/1/uid-offset");
  refused(stack(with(one, R"("TOKEN":"token")", R"("TOKEN":"../../../etc/shadow")")),
          "/processes/0/secret-env");
  refused(stack(with(one, R"("secrets":["token"])", R"("secrets":["other"])")),
          "/processes/0/secrets");
  const std::string whole = stack(one);
  refused(with(whole, R"("name":"token")", R"("name":"../token")"), "/secrets/0/name");
  refused(with(whole, R"("bytes":32)", R"("bytes":1000000000000)"), "/secrets/0/bytes");
  for (const char* path : {"/etc/shadow", "../shadow", "x/../../shadow"})
    refused(with(whole, R"("source":"generate","bytes":32,"reference":"")",
                 R"("source":"file","bytes":32,"reference":")" + std::string(path) + '"'),
            "/secrets/0/reference");
  refused(with(whole, R"("address":"127.0.0.1")", R"("address":"192.0.2.1")"), "/address");
  EXPECT_FALSE(parse_stack(std::string(std::size_t{17} << 20U, ' ')));
}

TEST(Local, OwnsAndRemovesNothingOutsideOfItsDirectory) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const fs::path sibling = scratch.path() / "sibling";
  ASSERT_TRUE(make_directory(sibling, 0755));
  ASSERT_TRUE(write_file(sibling / "file", "theirs", 0644));
  const auto untouched = [&] {
    struct stat info{};
    for (const auto& [path, mode] : {std::pair(sibling, 0755U), {sibling / "file", 0644U}}) {
      ASSERT_EQ(lstat(path.c_str(), &info), 0) << path;
      EXPECT_EQ(info.st_mode & 07777U, mode) << path;
      EXPECT_EQ(info.st_uid, geteuid()) << path;
    }
  };
  const std::string one = process_json("one", free_port(), "", 0);
  for (const auto& [from, to] : {std::pair<std::string, std::string>{R"("directory":"work/one")",
                                                                     R"("directory":"../sibling")"},
                                 {R"("data":"")", R"("data":"../sibling")"},
                                 {R"("config":"")", R"("config":"../sibling/file")"}}) {
    EXPECT_FALSE(up_local({{"stack.json", stack_json(with(one, from, to))}}, {.state = state}));
    EXPECT_FALSE(fs::exists(state)) << "refused before anything is made";
    untouched();
  }
  // A failed start left a directory in which somebody has put links since.
  ASSERT_TRUE(make_directory(state / "logs", 0711));
  fs::create_directory_symlink(sibling, state / "logs" / "link");
  const auto up = up_local({{"stack.json", stack_json(one)}}, {.state = state});
  ASSERT_TRUE(up) << up.error().text();
  untouched();
  fs::create_directory_symlink(sibling, state / "data" / "link");
  ASSERT_TRUE(down_local(state));
  EXPECT_FALSE(fs::exists(state));
  untouched();
}

/// Ranges that would begin at the same place, or reach into one another, on one machine.
TEST(Users, NoTwoStacksOfAMachineHaveOneInCommon) {
  const fs::path place = fs::temp_directory_path() / ("caisson-users-" + std::to_string(getpid()));
  const fs::path registry = place / "registry/.users";
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  std::mutex mutex;
  std::vector<std::thread> starters;
  for (int starter = 0; starter < 4; ++starter) {
    starters.emplace_back([&, starter] {
      for (int i = 0; i < 40; ++i) {
        const fs::path state = place / std::to_string(starter) / std::to_string(i);
        fs::create_directories(state);
        const std::uint32_t count = i % 2 == 0 ? 7 : 3000;
        const auto base = claim_users(state, count, registry);
        const std::scoped_lock lock(mutex);
        ASSERT_TRUE(base) << base.error().text();
        ranges.emplace_back(*base, *base + count);
      }
    });
  }
  for (auto& starter : starters) starter.join();
  std::ranges::sort(ranges);
  ASSERT_EQ(ranges.size(), 160U);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    ASSERT_GE(ranges[i].first, ranges[i - 1].second);
  }
  const fs::path first = place / "0/0";
  const auto again = claim_users(first, 7, registry);
  EXPECT_EQ(claim_users(first, 7, registry).value(), again.value()) << "a stack keeps its own";
  const fs::path wide = place / "wide";
  fs::create_directories(wide);
  const auto none = claim_users(wide, 1'280'000, registry);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), testing::HasSubstr("user ids in a row"));
  for (int starter = 0; starter < 4; ++starter) fs::remove_all(place / std::to_string(starter));
  EXPECT_TRUE(claim_users(wide, 1'000'000, registry)) << "who is gone has none";
  fs::remove_all(wide);
  release_users(registry);
  EXPECT_FALSE(fs::exists(registry)) << "nothing is left";
  fs::create_directories(wide);
  std::ofstream(registry) << "nonsense\n";
  EXPECT_FALSE(claim_users(wide, 7, registry));
  fs::remove_all(place);
}

TEST(Launch, PassesNothingOn) {
  const Scratch scratch;
  const int leaked = dup2(0, 50);
  setenv("CAISSON_TEST_LEAK", "leaked", 1);
  const auto id = launch({.program = "/bin/sh",
                          .args = {"-c", "env; ls /proc/self/fd; ulimit -c; umask; exec sleep 30"},
                          .env = {{"PATH", "/usr/bin:/bin"}, {"ONLY", "this"}},
                          .directory = scratch.path(),
                          .log = scratch.path() / "log"});
  ASSERT_TRUE(id) << id.error().text();
  std::string log;
  for (int i = 0; i < 2000 && log.find("0077") == std::string::npos; ++i) {
    log = read_file(scratch.path() / "log").value_or("");
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_THAT(log, testing::HasSubstr("ONLY=this"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("leaked")));
  EXPECT_THAT(log, testing::HasSubstr("\n0\n0077"));
  EXPECT_EQ(log.find("\n" + std::to_string(leaked) + "\n"), std::string::npos);
  EXPECT_EQ(status_of(id->pid)["NoNewPrivs"], "1");
  EXPECT_EQ(status_of(id->pid)["CapEff"], "0000000000000000");
  EXPECT_EQ(getsid(id->pid), id->pid);
  EXPECT_TRUE(stop(*id, milliseconds(5000)));
  EXPECT_FALSE(alive(*id));
  close(leaked);
}

TEST(Launch, SaysWhichStepFailed) {
  const Scratch scratch;
  const auto missing = launch({.program = scratch.path() / "none", .log = scratch.path() / "log"});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().what, testing::HasSubstr("none"));
  const auto nowhere = launch({.program = "/bin/true",
                               .directory = scratch.path() / "none",
                               .log = scratch.path() / "log"});
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().what, testing::HasSubstr("enter the state directory"));
}

TEST(Stop, KillsWhatDoesNotListen) {
  const Scratch scratch;
  const auto id = launch({.program = "/bin/sh",
                          .args = {"-c", "trap '' TERM; echo up; while :; do sleep 1; done"},
                          .env = {{"PATH", "/usr/bin:/bin"}},
                          .directory = scratch.path(),
                          .log = scratch.path() / "log"});
  ASSERT_TRUE(id);
  for (int i = 0; i < 2000 && read_file(scratch.path() / "log").value_or("").empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_FALSE(stop(*id, milliseconds(50)));
  EXPECT_FALSE(alive(*id));
}

TEST(Alive, IsNotFooledByANewProcessWithTheSameNumber) {
  auto self = identify(getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(alive(*self));
  --self->start_ticks;
  EXPECT_FALSE(alive(*self));
}

TEST(Alive, SeesThreadsThatOutliveTheFirst) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { pause(); }).detach();
    syscall(SYS_exit, 0);  // the first thread alone
  }
  const auto id = identify(child);
  ASSERT_TRUE(id);
  for (int i = 0; i < 5000 && !status_of(child)["State"].starts_with('Z'); ++i)
    std::this_thread::sleep_for(milliseconds(2));
  ASSERT_THAT(status_of(child)["State"], testing::StartsWith("Z"));
  EXPECT_TRUE(alive(*id)) << "it still holds its ports";
  kill(child, SIGKILL);
  for (int i = 0; i < 5000 && alive(*id); ++i) std::this_thread::sleep_for(milliseconds(2));
  EXPECT_FALSE(alive(*id));
}

TEST(Run, IsBounded) {
  EXPECT_FALSE(run({"sleep", "30"}, milliseconds(50)));
  const auto done = run({"sh", "-c", "echo out; echo err >&2; exit 3"}, milliseconds(5000));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->status, 3);
  EXPECT_EQ(done->output, "out\n");
  EXPECT_EQ(done->errors, "err\n");
}

TEST(Run, EndsWhenItIsNotWanted) {
  const auto unwanted = run({"sleep", "30"}, milliseconds(30'000), {}, [] { return false; });
  ASSERT_FALSE(unwanted);
  EXPECT_EQ(unwanted.error().what, "interrupted");
}

TEST(Secrets, ATokenKeyIsMadeInTheFormThatIsAskedFor) {
  StackDescription stack{.secrets = {{.name = "keys", .source = "external", .bytes = 32}}};
  const auto set =
      make_secrets(stack, {.token_key = {.secret = "keys", .algorithm = "RS256", .in_set = true}});
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_THAT(set->values.at("keys"), testing::StartsWith(R"({"keys":[{"kty":"RSA")"));
  const auto pem = make_secrets(stack, {.token_key = {.secret = "keys", .algorithm = "RS256"}});
  ASSERT_TRUE(pem) << pem.error().text();
  EXPECT_THAT(pem->values.at("keys"), testing::StartsWith("-----BEGIN PUBLIC KEY-----"));
}

TEST(Secrets, SayWhichAreOnlyStandIns) {
  const Scratch scratch;
  ASSERT_TRUE(write_file(scratch.path() / "there.txt", "hunter2", 0644));
  const StackDescription stack{
      .secrets = {{.name = "there", .source = "file", .reference = "there.txt"},
                  {.name = "pepper", .source = "file", .reference = "pepper.txt"},
                  {.name = "salt", .source = "env", .reference = "CAISSON_TEST_NO_SALT"}}};
  const auto made = make_secrets(stack, {.spec_directory = scratch.path()});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->values.at("there"), "hunter2");
  EXPECT_THAT(made->values.at("pepper"), testing::SizeIs(43));
  EXPECT_THAT(made->stand_ins,
              testing::ElementsAre("the secret pepper is a random one: there is no file " +
                                       (scratch.path() / "pepper.txt").string(),
                                   "the secret salt is a random one: CAISSON_TEST_NO_SALT is not "
                                   "set"));
}

TEST(Local, StartsInOrderHardensAndLeavesNothing) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const std::uint16_t first = free_port();
  const std::uint16_t second = free_port();
  std::vector<std::string> steps;
  const LocalOptions options{.state = state,
                             .progress = [&](const std::string& line) { steps.push_back(line); }};
  const auto up = up_local({{"stack.json", stack_json(process_json("late", second, "\"early\"", 1) +
                                                      "," + process_json("early", first, "", 0))}},
                           options);
  ASSERT_TRUE(up) << up.error().text();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_THAT(steps[0], testing::StartsWith("early is ready"));
  EXPECT_TRUE(up->disposable);
  const RunningInstance& late = *up->instance("late");
  EXPECT_EQ(exchange(*late.data, {.host = "t"}, within(milliseconds(5000)))->body, "late");
  LocalOptions twice = options;
  twice.stop_with = "caisson down a/b.yaml --env live --state x";
  const auto again = up_local({{"stack.json", stack_json("")}}, twice);
  ASSERT_FALSE(again) << "a running stack was replaced";
  EXPECT_EQ(again.error().remedy, "stop it with `" + twice.stop_with + "`");

  struct stat info{};
  ASSERT_EQ(stat(late.data_directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  if (geteuid() == 0) {
    EXPECT_EQ(info.st_uid, late.user->uid);
    EXPECT_NE(late.user->uid, up->instance("early")->user->uid);
    EXPECT_THAT(status_of(late.process.pid)["Uid"],
                testing::StartsWith(std::to_string(late.user->uid) + "\t"));
    EXPECT_NE(fs::read_symlink("/proc/" + std::to_string(late.process.pid) + "/ns/mnt"),
              fs::read_symlink("/proc/self/ns/mnt"));
  }
  ASSERT_EQ(stat((state / "secrets/token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007U, 0U);

  const auto attached = attach_local(state);
  ASSERT_TRUE(attached);
  EXPECT_EQ(attached->instance("late")->process, late.process);
  ASSERT_TRUE(stop(late.process, milliseconds(5000)));
  EXPECT_FALSE(attach_local(state));
  ASSERT_TRUE(restart_local(state, "late"));
  ASSERT_TRUE(attach_local(state));

  const ProcessId early = up->instance("early")->process;
  ASSERT_TRUE(down_local(state));
  EXPECT_FALSE(alive(early));
  EXPECT_FALSE(fs::exists(state));
  EXPECT_FALSE(down_local(state));
}

TEST(Local, AFailedStartStopsWhatRan) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const std::uint16_t port = free_port();
  std::string broken = process_json("broken", free_port(), "\"fine\"", 1);
  broken.replace(broken.find("\"respond\""), 9, "\"no-such-command\"");
  const auto up =
      up_local({{"stack.json", stack_json(process_json("fine", port, "", 0) + "," + broken)}},
               {.state = state});
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().what, testing::HasSubstr("broken ended while starting"));
  EXPECT_THAT(up.error().what, testing::HasSubstr("no-such-command")) << "its own last words";
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(state)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("logs")) << "no secret and nothing that blocks the next";
  const auto again =
      up_local({{"stack.json", stack_json(process_json("fine", port, "", 0))}}, {.state = state});
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_TRUE(down_local(state));
}

TEST(Local, SaysBeforeItStartsThatAPortIsNotForItsProcesses) {
  const auto stack = parse_stack(stack_json(process_json("fine", 99, "", 0)));
  ASSERT_TRUE(stack) << stack.error().text();
  std::map<std::string, std::string> programs;
  for (const auto& process : stack->processes) programs[process.program] = "/bin/true";
  const auto ground = check_ground(*stack, programs, 1024);
  ASSERT_FALSE(ground);
  EXPECT_THAT(ground.error().text(),
              testing::AllOf(testing::HasSubstr("nothing was started:\n  fine needs port 99, and "),
                             testing::HasSubstr("may only listen from 1024 on"),
                             testing::HasSubstr("other ports with targets.local.port")));
  EXPECT_EQ(lowest_port({.users = Hardening::Users::starter, .no_capabilities = false}) == 0,
            geteuid() == 0 || lowest_port({}) == 0);
}

TEST(Local, AServiceThatEndsAMomentAfterItStartedHasFailed) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  // Without a port nothing can be asked whether it is ready.
  std::string brief = process_json("brief", free_port(), "\"fine\"", 1);
  brief = with(brief, R"("ready":{"port":"data","path":"/"})", R"("ready":null)");
  brief = with(brief, "\"caddy\"", "\"/bin/sh\"");
  const auto from = brief.find("\"args\":[");
  brief.replace(from, brief.find(']', from) + 1 - from,
                R"("args":["-c","echo migrated with $TOKEN; sleep 0.2"])");
  std::vector<std::string> steps;
  const auto up = up_local(
      {{"stack.json", stack_json(process_json("fine", free_port(), "", 0) + "," + brief)}},
      {.state = state, .settle = milliseconds(30'000), .progress = [&](const std::string& line) {
         steps.push_back(line);
       }});
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().text(),
              testing::AllOf(testing::HasSubstr("brief ended a moment after it had started"),
                             testing::HasSubstr("migrated with [token]"),
                             testing::HasSubstr("a service stays")));
  EXPECT_THAT(steps, testing::Contains("fine stopped"));
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(state)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("logs")) << "nothing is left running";
}

TEST(Compose, SaysBeforeItStartsThatThereIsNoDocker) {
  const Scratch scratch;
  const char* before = getenv("PATH");
  const std::string path = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("PATH", scratch.path().c_str(), 1), 0);
  const auto up = up_compose({}, {}, {.state = scratch.path() / "state"});
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().what, testing::HasSubstr("nothing was started: target compose needs the "
                                                  "program 'docker'"));
  EXPECT_THAT(up.error().remedy, testing::HasSubstr("--target local"));
  EXPECT_FALSE(fs::exists(scratch.path() / "state"));
}

TEST(Compose, EveryStackIsAProjectOfItsOwn) {
  const Scratch scratch;
  const fs::path docker = scratch.path() / "docker";
  ASSERT_TRUE(write_file(docker, "#!/bin/sh\nexit 0\n", 0755));
  const char* before = getenv("PATH");
  const std::string path = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("PATH", (scratch.path().string() + ":" + path).c_str(), 1), 0);
  plan::Plan plan;
  plan.name.value = "acme";
  const std::map<std::string, std::string> files{{"compose/compose.yaml", "name: acme\n"},
                                                 {"docker/edge.Dockerfile", "FROM scratch\n"}};
  std::vector<std::string> projects;
  for (const auto* name : {"one", "two"}) {
    const fs::path state = scratch.path() / name;
    const auto up = up_compose(
        plan, files, {.state = state, .runtime = docker, .origin = {.name = "acme", .down = "d"}});
    ASSERT_TRUE(up) << up.error().text();
    const std::string environment = read_file(state / "compose/.env").value();
    projects.push_back(environment.substr(0, environment.find('\n')));
    EXPECT_THAT(projects.back(), testing::StartsWith("COMPOSE_PROJECT_NAME=acme-"));
    const auto origin = read_origin(state);
    ASSERT_TRUE(origin) << origin.error().text();
    EXPECT_EQ(origin->digest, digest_of(files));
    EXPECT_EQ(origin->down, "d");
  }
  EXPECT_NE(projects[0], projects[1]);
  // What is not a project's stays as it is: `down` would remove it.
  ASSERT_TRUE(make_directory(scratch.path() / "three", 0755));
  ASSERT_TRUE(write_file(scratch.path() / "three/state.json", "{}", 0600));
  const auto up = up_compose(plan, files, {.state = scratch.path() / "three", .runtime = docker});
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().what, testing::HasSubstr("is not empty and holds no project"));
}

TEST(Origin, ChangesWithWhatIsGeneratedAndNotWithDocuments) {
  const std::map<std::string, std::string> files{{"stack.json", "{}"}, {"README.md", "one"}};
  auto changed = files;
  changed["README.md"] = "two";
  EXPECT_EQ(digest_of(changed), digest_of(files));
  changed["stack.json"] = "{ }";
  EXPECT_NE(digest_of(changed), digest_of(files));
  changed = files;
  changed["Caddyfile"] = "";
  EXPECT_NE(digest_of(changed), digest_of(files));
}

TEST(Origin, IsReadAsItWasWritten) {
  const Scratch scratch;
  EXPECT_FALSE(read_origin(scratch.path()));
  const Origin origin{.target = "local",
                      .spec = "/a b/d.yaml",
                      .name = "acme",
                      .version = "1.0.0",
                      .environment = "demo",
                      .digest = "d",
                      .down = "caisson down '/a b/d.yaml'"};
  ASSERT_TRUE(write_origin(scratch.path(), origin));
  const auto read = read_origin(scratch.path());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->target, origin.target);
  EXPECT_EQ(read->spec, origin.spec);
  EXPECT_EQ(read->down, origin.down);
  EXPECT_EQ(in_words(*read), "acme 1.0.0, environment demo");
  ASSERT_TRUE(write_file(scratch.path() / "origin.json", R"({"spec":1})", 0600));
  EXPECT_THAT(read_origin(scratch.path()).error().what, testing::HasSubstr("is damaged"));
}

TEST(Local, SaysWhatItRemovesOfAStackThatDoesNotRunAnyMore) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const LocalTree tree{{"stack.json", stack_json(process_json("one", free_port(), "", 0))}};
  std::vector<std::string> steps;
  const LocalOptions options{.state = state,
                             .origin = {.name = "t", .version = "1.0.0"},
                             .progress = [&](const std::string& line) { steps.push_back(line); }};
  ASSERT_TRUE(up_local(tree, options));
  EXPECT_EQ(read_origin(state)->digest, digest_of(tree));
  const auto again = up_local(tree, options);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().what,
              testing::HasSubstr("already runs in " + state.string() + " (t 1.0.0)"));
  // As a reboot leaves it.
  stop_local(state, "one", milliseconds(0));
  steps.clear();
  ASSERT_TRUE(up_local(tree, options));
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps.front(), "the stack in " + state.string() +
                               " (t 1.0.0) does not run any more; its data, keys and logs are "
                               "removed, and it starts anew");
  ASSERT_TRUE(down_local(state));
}

TEST(Preflight, ShowsTheLastLinesWithoutSecrets) {
  const Scratch scratch;
  ASSERT_TRUE(write_file(scratch.path() / "token", "s3cret-of-the-stack", 0600));
  std::string log;
  for (int i = 0; i < 2'000; ++i) log += "line " + std::to_string(i) + " s3cret-of-the-stack\n";
  const auto shown = last_lines(log, scratch.path());
  EXPECT_THAT(shown, testing::StartsWith("\n    line 1990 [token]\n"));
  EXPECT_THAT(shown, testing::EndsWith("\n    line 1999 [token]"));
}

TEST(Local, SaysBeforeItStartsWhatIsMissingAndWhatIsTaken) {
  const Scratch scratch;
  const std::uint16_t port = free_port();
  const LocalTree tree{{"stack.json", stack_json(process_json("one", port, "", 0))}};
  const auto first = up_local(tree, {.state = scratch.path() / "first"});
  ASSERT_TRUE(first) << first.error().text();
  std::string missing = process_json("two", free_port(), "", 0);
  missing.replace(missing.find("\"caddy\""), 7, "\"caisson-no-such-program\"");
  std::vector<std::string> steps;
  const auto second =
      up_local({{"stack.json", stack_json(process_json("zero", free_port(), "", 2) + "," + missing +
                                          "," + process_json("one", port, "", 1))}},
               {.state = scratch.path() / "second",
                .progress = [&](const std::string& line) { steps.push_back(line); }});
  ASSERT_FALSE(second);
  EXPECT_THAT(steps, testing::IsEmpty());
  EXPECT_FALSE(fs::exists(scratch.path() / "second"));
  EXPECT_THAT(
      second.error().text(),
      testing::AllOf(testing::HasSubstr("two needs the program 'caisson-no-such-program'"),
                     testing::HasSubstr("one needs port " + std::to_string(port)),
                     testing::HasSubstr("of the stack in " + (scratch.path() / "first").string()),
                     testing::HasSubstr("targets.local.port")));
  EXPECT_TRUE(down_local(scratch.path() / "first"));
}

TEST(Local, SaysWhereAServiceWasAskedAndWhatItCannotSee) {
  const Scratch scratch;
  const fs::path hidden =
      fs::temp_directory_path() / ("caisson-hidden-" + std::to_string(getpid()));
  ASSERT_TRUE(write_file(hidden, "", 0644));
  ASSERT_TRUE(write_file(scratch.path() / "events.py", "", 0644));
  const std::uint16_t port = free_port();
  std::string silent = process_json("silent", port, "", 0);
  silent.replace(silent.find("\"caddy\""), 7, "\"/bin/sh\"");
  const auto from = silent.find("\"args\":[");
  silent.replace(from, silent.find(']', from) + 1 - from,
                 R"("args":["-c","echo started with $TOKEN; : ')" + hidden.string() +
                     R"(' events.py; exec sleep 30"])");
  const auto up =
      up_local({{"stack.json", stack_json(silent)}}, {.state = scratch.path() / "state",
                                                      .spec_directory = scratch.path(),
                                                      .ready_within = milliseconds(200)});
  fs::remove(hidden);
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().text(),
              testing::AllOf(testing::HasSubstr("http://127.0.0.1:" + std::to_string(port) + "/"),
                             testing::HasSubstr("started with [token]"),
                             testing::HasSubstr((scratch.path() / "events.py").string())));
  if (geteuid() == 0) {
    EXPECT_THAT(up.error().text(), testing::HasSubstr("it cannot see " + hidden.string()));
  }
}

TEST(Local, SaysBothPortsOfAServiceThatListensAtTheSpecsOwn) {
  const Scratch scratch;
  const std::uint16_t port = free_port();
  const auto number = std::to_string(port);
  auto deaf = process_json("deaf", port, "", 0);
  deaf = with(deaf, "\"caddy\"", "\"/bin/sh\"");
  const auto from = deaf.find("\"args\":[");
  deaf.replace(from, deaf.find(']', from) + 1 - from, R"("args":["-c","exec sleep 30"])");
  deaf = with(deaf, R"("path":"/")", R"("path":"/","spec-port":8000)");
  for (const auto& [variable, words] :
       {std::pair<std::string, std::string>{number, "what its variable PORT says"},
        {"8000", "the spec sets the variable PORT"}}) {
    const auto up = up_local(
        {{"stack.json",
          stack_json(with(deaf, R"("env":{)", R"("env":{"PORT":")" + variable + R"(",)"))}},
        {.state = scratch.path() / "state",
         .spec_directory = scratch.path(),
         .ready_within = milliseconds(200)});
    ASSERT_FALSE(up);
    EXPECT_THAT(up.error().text(),
                testing::AllOf(testing::HasSubstr("port 8000 of the spec is " + number),
                               testing::HasSubstr(words)));
  }
}

TEST(Local, EveryProcessStartsInAnEmptyDirectoryOfItsOwn) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  for (const bool alone : {false, true}) {
    // As without root, and with everything that root can take away.
    if (alone && geteuid() != 0) continue;
    std::string served = process_json("files", free_port(), "", 0);
    const auto from = served.find("\"args\":[");
    const std::string listen = served.substr(served.find("127.0.0.1:"), 15);
    served.replace(from, served.find(']', from) + 1 - from,
                   R"("args":["file-server","--browse","--listen",")" + listen + R"("])");
    Hardening hardening{.users = Hardening::Users::starter, .private_mounts = false};
    if (alone) hardening = {};
    const auto up =
        up_local({{"stack.json", stack_json(served)}}, {.state = state, .hardening = hardening});
    ASSERT_TRUE(up) << up.error().text();
    const Endpoint at = *up->instance("files")->data;
    for (const char* path : {"/", "/secrets/token", "/state.json", "/..%2f..%2fsecrets/token",
                             "/../../secrets/token"}) {
      const auto answer = exchange(at, {.target = path, .host = "t"}, within(milliseconds(5000)));
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->raw.find(read_file(state / "secrets/token").value()), std::string::npos)
          << path;
      EXPECT_EQ(answer->raw.find("state.json"), std::string::npos) << path;
    }
    EXPECT_TRUE(fs::is_empty(up->instance("files")->data_directory));
    ASSERT_TRUE(down_local(state));
  }
}

TEST(Local, DownFindsWhatNobodyNoted) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const auto up = up_local({{"stack.json", stack_json(process_json("one", free_port(), "", 0))}},
                           {.state = state});
  ASSERT_TRUE(up) << up.error().text();
  fs::remove(state / "processes");
  ASSERT_TRUE(down_local(state));
  EXPECT_FALSE(alive(up->instance("one")->process));
}

TEST(Local, RevivesWhatIsDownAndSweepsWhatNobodyOwns) {
  const Scratch scratch;
  const fs::path state = scratch.path() / "state";
  const LocalTree tree{{"stack.json", stack_json(process_json("one", free_port(), "", 0) + "," +
                                                 process_json("two", free_port(), "", 1))}};
  const auto up = up_local(tree, {.state = state, .owned = true});
  ASSERT_TRUE(up) << up.error().text();
  stop_local(state, "two", milliseconds(0));
  EXPECT_FALSE(attach_local(state));
  EXPECT_TRUE(revive_local(state).value());
  const auto again = attach_local(state);
  ASSERT_TRUE(again) << again.error().text();

  EXPECT_FALSE(sweep_local(state)) << "its owner is this test";
  ASSERT_TRUE(write_file(state / "owner", "1 1", 0600));
  ASSERT_TRUE(sweep_local(state));
  EXPECT_FALSE(alive(again->instance("two")->process));
  EXPECT_FALSE(fs::exists(state));
}

TEST(InterruptGuard, TurnsASignalIntoAFlag) {
  {
    const InterruptGuard guard;
    EXPECT_FALSE(interrupted());
    raise(SIGINT);
    EXPECT_TRUE(interrupted());
  }
  const InterruptGuard again;
  EXPECT_FALSE(interrupted());
}

}  // namespace
}  // namespace caisson::conformance
