// The whole way on the real thing: examples/quickstart is generated, started, attacked and stopped.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "conformance/commands.h"
#include "conformance/journal/journal.h"
#include "conformance/quickstart_testing.h"
#include "conformance/report/report.h"
#include "conformance/sabotage.h"
#include "conformance/stack/local.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/state.h"
#include "conformance/wire/http.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(Quickstart, UpConformDown) {
  ASSERT_EQ(up(subject_, {}, output_), Status::passed) << told();
  const fs::path report = root_ / "report";
  EXPECT_EQ(conform(subject_, {.level = 2, .report = report}, output_), Status::passed) << told();
  EXPECT_THAT(out_.str(), HasSubstr("globex -> initech"));
  EXPECT_THAT(out_.str(), HasSubstr("globex -> umbrella"));
  EXPECT_THAT(out_.str(), HasSubstr("index.html"));
  const auto sealed = read_file(report / "report.json");
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(verify_signed_json(*sealed));
  EXPECT_TRUE(left_journals(place() / "journal").empty());
  for (const auto& entry : fs::recursive_directory_iterator(place() / "data/runtime/snapshots")) {
    EXPECT_FALSE(entry.is_regular_file()) << entry.path() << " was left behind";
  }
  EXPECT_EQ(down(subject_, {}, output_), Status::passed) << told();
  EXPECT_EQ(processes_of_the_state(), 0U);
  EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Quickstart, LevelTwoNeedsTheMarker) {
  ASSERT_EQ(up(subject_, {}, output_), Status::passed) << told();
  const fs::path record = place() / "state.json";
  std::string text = read_file(record).value();
  text.replace(text.find("\"marker\":true"), 13, "\"marker\":false");
  ASSERT_TRUE(write_file(record, text, 0600));
  EXPECT_EQ(conform(subject_, {.level = 2, .report = root_ / "report"}, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("disposable marker"));
  out_.str("");
  // Level 1 makes tenants of its own instead of using the customers', and leaves none of them.
  EXPECT_EQ(
      conform(subject_, {.level = 1, .filter = "ID1,DB1,DB2", .report = root_ / "report"}, output_),
      Status::passed)
      << told();
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("globex")));
}

TEST_F(Quickstart, ConformStartsAndStopsAStackWhenNoneRuns) {
  EXPECT_EQ(conform(subject_, {.level = 1, .filter = "DB1", .report = root_ / "report"}, output_),
            Status::passed)
      << told();
  EXPECT_EQ(processes_of_the_state(), 0U);
}

/// Another step of the run: what it does is done in a child without root.
int as_nobody(const std::function<int()>& act) {
  const pid_t child = fork();
  if (child == 0) {
    const bool other = setgroups(0, nullptr) == 0 && setgid(65534) == 0 && setuid(65534) == 0;
    _exit(other ? act() : 99);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Quickstart, WithoutRootWhatCouldNotBeSeenIsSaidAndFailsWhenAllIsRequired) {
  if (geteuid() != 0) GTEST_SKIP() << "root is needed to be somebody else";
  ASSERT_EQ(chown(root_.c_str(), 65534, 65534), 0);
  const auto attack = [&](bool require_all, const std::string& log) {
    return as_nobody([&] {
      std::ofstream told(root_ / log);
      std::ofstream error(root_ / (log + ".error"));
      const Output output{.out = told, .progress = told, .error = error};
      return static_cast<int>(conform(subject_,
                                      {.level = 2,
                                       .filter = "ID1,PR,SE1,SE3",
                                       .require_all = require_all,
                                       .report = root_ / "report"},
                                      output));
    });
  };
  EXPECT_EQ(attack(false, "all"), 0) << read_file(root_ / "all").value_or("");
  const std::string told = read_file(root_ / "all").value_or("");
  EXPECT_THAT(told, HasSubstr("NOT TESTED   PR1"));
  EXPECT_THAT(told, HasSubstr("PASS, and 6 NOT TESTED"));
  EXPECT_THAT(told, HasSubstr("run as root"));
  EXPECT_EQ(told.find("--require-all demands"), std::string::npos);
  EXPECT_EQ(attack(true, "required"), 2) << read_file(root_ / "required").value_or("");
  EXPECT_THAT(read_file(root_ / "required.error").value_or(""),
              HasSubstr("6 probes could not be tested, and --require-all demands all"));
}

TEST_F(Quickstart, AFailedStartIsSaidWithTheStateItLeaves) {
  const StackOptions options{.state = root_ / "a state"};
  ASSERT_EQ(up(subject_, options, output_), Status::passed) << told();
  EXPECT_THAT(out_.str(),
              HasSubstr("--target local --state '" + (root_ / "a state").string() + "'"));
  // Another stack of the same ports is refused before it starts, and leaves nothing.
  const StackOptions second{.state = root_ / "second"};
  EXPECT_EQ(up(subject_, second, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("of the stack in " + (root_ / "a state").string() +
                                      " (acme 1.0.0) listens"));
  EXPECT_FALSE(fs::exists(second.state));
  EXPECT_EQ(down(subject_, options, output_), Status::passed) << told();
}

TEST_F(Quickstart, AFilterThatNamesNothingIsNoPass) {
  EXPECT_EQ(
      conform(subject_, {.level = 1, .filter = "DB1,DB99", .report = root_ / "report"}, output_),
      Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("no probe is called 'DB99'"));
}

TEST_F(Quickstart, ASabotageIsCaughtAndAHarmlessChangeIsNot) {
  EXPECT_EQ(prove(subject_,
                  {.report = root_ / "report",
                   .filter = "every-wall-stands,trust-tenant-header,no-body,service-at-the-root,"
                             "instance-left-out,another-tenant"},
                  output_),
            Status::passed)
      << told();
  EXPECT_THAT(out_.str(), HasSubstr("CAUGHT"));
  EXPECT_EQ(processes_of_the_state(), 0U);
}

TEST_F(Quickstart, ASabotageWithoutEffectIsVoid) {
  // The shipped program has no switches: nothing can be taken down in it.
  EXPECT_NE(prove(subject_,
                  {.report = root_ / "report",
                   .sabotaged_runtime = fs::path(CAISSON_BINARY_DIR) / "bin/caisson-runtime",
                   .filter = "trust-tenant-header"},
                  output_),
            Status::passed);
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("CAUGHT")));
}

/// Specs of one name beside the quickstart, and their stacks.
class OtherSpec : public Quickstart {
 protected:
  /// A file of its own below the root, on ports of its own.
  Subject written(const std::string& name, const std::string& text) {
    const fs::path path = root_ / name / "deployment.yaml";
    EXPECT_TRUE(make_directory(path.parent_path(), 0755));
    EXPECT_TRUE(write_file(path, text, 0644));
    return subject_of(path.string(), text);
  }
  Subject moved(const std::string& name) {
    const auto port = free_ports(plan::plan(subject_.loaded));
    const std::string path =
        std::string(CAISSON_SOURCE_DIR) + "/examples/quickstart/deployment.yaml";
    return written(name, on_port(read_file(path).value(), port.value()));
  }
  /// The same file with another text.
  static Subject edited(const Subject& subject, const std::string& from, const std::string& to) {
    std::string text = subject.text;
    text.replace(text.find(from), from.size(), to);
    return subject_of(subject.path, text);
  }
  Status attack(const Subject& subject, const StackOptions& options = {}) {
    error_.str("");
    out_.str("");
    progress_.str("");
    return conform(subject,
                   {.stack = options, .level = 1, .filter = "SU1,NW8", .report = root_ / "report"},
                   output_);
  }
};

TEST_F(OtherSpec, WithOneRuntimeAloneIsProvedWithoutTheWallsBetweenRuntimes) {
  const auto pooled =
      written("pooled",
              "caisson: v1\nname: pooled\nversion: 1.0.0\n"
              "tiers: { free: { isolation: schema } }\n"
              "tenants: [{ slug: globex, tier: free }, { slug: initech, tier: free }]\n");
  EXPECT_EQ(prove(pooled,
                  {.report = root_ / "report",
                   .filter = "trust-tenant-header,one-user,open-secrets,shared-tmp"},
                  output_),
            Status::passed)
      << told();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("CAUGHT"), HasSubstr("there is no such wall")));
}

TEST_F(OtherSpec, IsNotWhatTheStackIsAttackedAs) {
  const StackOptions options{.state = root_ / "state"};
  ASSERT_EQ(up(subject_, options, output_), Status::passed) << told();
  const auto is_refused = [&](const Subject& subject, const std::string& of) {
    EXPECT_EQ(attack(subject, options), Status::harness) << told();
    EXPECT_THAT(error_.str(), HasSubstr("caisson: the stack in " + options.state.string() +
                                        " was started from another spec (" + of + ")"));
    EXPECT_THAT(out_.str(), testing::IsEmpty());
  };
  const Subject next = edited(subject_, "version: 1.0.0", "version: 2.0.0");
  is_refused(next, "acme 1.0.0");
  is_refused(edited(subject_, "{ requests: 50/s", "{ requests: 60/s"),
             "acme 1.0.0, with other content");
  Subject demo = subject_;
  demo.environment = "demo";
  is_refused(demo, "acme 1.0.0");
  // A comment changes nothing that runs, and neither does what conformance is told.
  EXPECT_EQ(attack(edited(subject_, "caisson: v1", "# Other words.\ncaisson: v1"), options),
            Status::passed)
      << told();
  EXPECT_EQ(attack(edited(subject_, "tiers:", "conformance: { level: 2 }\ntiers:"), options),
            Status::passed)
      << told();

  // The commands of the message, one after the other.
  EXPECT_EQ(attack(next, options), Status::harness);
  EXPECT_THAT(error_.str(),
              HasSubstr("`caisson down " + next.path + " --target local --state " +
                        options.state.string() + "`, and start this spec's with `caisson up " +
                        next.path + " --target local --state " + options.state.string() + "`"));
  EXPECT_EQ(down(next, options, output_), Status::passed) << told();
  EXPECT_EQ(up(next, options, output_), Status::passed) << told();
  EXPECT_EQ(attack(next, options), Status::passed) << told();
  // The other way round is refused as well.
  is_refused(subject_, "acme 2.0.0");
  EXPECT_EQ(down(next, options, output_), Status::passed) << told();
}

TEST_F(OtherSpec, IsNotWhatAComposeProjectIsAttackedAs) {
  const StackOptions options{.target = "compose", .state = root_ / "state"};
  ASSERT_TRUE(make_directory(options.state / "compose", 0755));
  ASSERT_TRUE(write_file(options.state / "compose/compose.yaml", "name: acme\n", 0644));
  ASSERT_TRUE(write_origin(options.state, {.target = "compose",
                                           .spec = fs::canonical(subject_.path).string(),
                                           .name = "acme",
                                           .version = "0.9.0",
                                           .environment = "demo",
                                           .digest = "other",
                                           .down = "the command"}));
  EXPECT_EQ(attack(subject_, options), Status::harness) << told();
  EXPECT_THAT(error_.str(), HasSubstr("another spec (acme 0.9.0, environment demo)"));
  EXPECT_THAT(error_.str(), HasSubstr(" --target compose --state "));
  EXPECT_EQ(attack(subject_, {.state = options.state}), Status::harness) << told();
  EXPECT_THAT(error_.str(), HasSubstr("is one of target compose; attack it with --target compose"));
  error_.str("");
  EXPECT_EQ(down(subject_, {.state = options.state}, output_), Status::harness) << told();
  EXPECT_THAT(error_.str(),
              HasSubstr("is one of target compose; stop it with `the command --state " +
                        options.state.string() + "`"));
}

TEST_F(OtherSpec, OfTheSameNameHasAStackOfItsOwn) {
  const Subject one = moved("one");
  ASSERT_EQ(up(one, {}, output_), Status::passed) << told();
  const Subject two = moved("two");
  ASSERT_EQ(up(two, {}, output_), Status::passed) << told();
  EXPECT_EQ(attack(one), Status::passed) << told();
  EXPECT_EQ(attack(two), Status::passed) << told();
  EXPECT_EQ(down(two, {}, output_), Status::passed) << told();
  EXPECT_EQ(attack(one), Status::passed) << told();

  // The environment is a part of what a stack is of.
  const std::string kept = state_of(plan::plan(one.loaded), one, {}).string();
  Subject demo = one;
  demo.environment = "demo";
  error_.str("");
  EXPECT_EQ(down(demo, {}, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("`caisson down " + one.path + " --target local --state " +
                                      kept + "` stops acme 1.0.0\n"));
  // One that was renamed, too.
  const Subject renamed = edited(one, "name: acme", "name: acmf");
  error_.str("");
  EXPECT_EQ(down(renamed, {}, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr(" --state " + kept + "` stops acme 1.0.0\n"));

  // One that was moved still leads to its stack.
  fs::rename(root_ / "one", root_ / "three");
  const Subject three = subject_of((root_ / "three/deployment.yaml").string(), one.text);
  error_.str("");
  EXPECT_EQ(down(three, {}, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("`caisson down " + three.path + " --target local --state " +
                                      state_of(plan::plan(one.loaded), one, {}).string() +
                                      "` stops acme 1.0.0 of " + one.path));
  EXPECT_EQ(down(three, {.state = state_of(plan::plan(one.loaded), one, {})}, output_),
            Status::passed)
      << told();
  EXPECT_EQ(processes_of_the_state(), 0U);
}

TEST_F(OtherSpec, DoesNotStopAStackThatItsOwnCanStop) {
  const StackOptions options{.state = root_ / "state"};
  const Subject one = moved("one");
  const Subject two = moved("two");
  ASSERT_EQ(up(one, options, output_), Status::passed) << told();
  const std::string whose = "the stack in " + options.state.string() +
                            " was started from another spec (acme 1.0.0, " + one.path +
                            "); stop it with `caisson down " + one.path +
                            " --target local --state " + options.state.string() + "`";
  for (const auto& command : {up, down}) {
    error_.str("");
    EXPECT_EQ(command(two, options, output_), Status::harness);
    EXPECT_THAT(error_.str(), HasSubstr(whose));
  }
  EXPECT_EQ(attack(two, options), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("caisson down " + one.path));
  EXPECT_EQ(attack(one, options), Status::passed) << told();

  // Its file has gone: nothing else can stop it.
  fs::remove(one.path);
  error_.str("");
  EXPECT_EQ(down(two, options, output_), Status::passed) << told();
  EXPECT_THAT(error_.str(), HasSubstr("another spec (acme 1.0.0, " + one.path +
                                      "): it is stopped, and its data are removed"));
  EXPECT_EQ(processes_of_the_state(), 0U);
}

TEST_F(OtherSpec, AStackThatHasStoppedKeepsItsDataUntilItIsRemoved) {
  ASSERT_EQ(up(subject_, {}, output_), Status::passed) << told();
  const auto running = attach_local(place());
  ASSERT_TRUE(running) << running.error().text();
  for (const RunningInstance& instance : running->instances)
    stop_local(place(), instance.name, std::chrono::seconds(12));
  EXPECT_EQ(attack(subject_), Status::harness) << told();
  EXPECT_THAT(error_.str(), HasSubstr("of the stack in " + place().string() + " does not run"));
  // Behind the end of the log, on a line of its own.
  EXPECT_THAT(error_.str(), HasSubstr("\n  remove it and its data with `caisson down "));
  EXPECT_THAT(error_.str(), HasSubstr("and start this spec's with `caisson up "));
  EXPECT_TRUE(fs::exists(place() / "data/runtime"));
  EXPECT_EQ(up(subject_, {}, output_), Status::passed) << told();
  EXPECT_THAT(progress_.str(), HasSubstr("does not run any more; its data, keys and logs are "
                                         "removed, and it starts anew"));
  EXPECT_EQ(down(subject_, {}, output_), Status::passed) << told();
}

/// As the quickstart, with services that have local commands.
class LocalServices : public Quickstart {
 protected:
  void SetUp() override {
    Quickstart::SetUp();
    const std::string path = std::string(CAISSON_SOURCE_DIR) + "/specs/valid/local-services.yaml";
    const std::string text = read_file(path).value();
    const auto port = free_ports(plan::plan(subject_of(path, text).loaded));
    ASSERT_TRUE(port) << port.error().text();
    subject_ =
        subject_of(path, text + "targets: { local: { port: " + std::to_string(*port) + " } }\n");
  }
};

TEST_F(LocalServices, AreToldTheirPortsAndFindEachOther) {
  ASSERT_EQ(up(subject_, {}, output_), Status::passed) << told();
  const auto running = attach_local(place());
  ASSERT_TRUE(running) << running.error().text();
  for (const auto* name : {"index", "web"}) {
    const auto answer = exchange(*running->instance(name)->data,
                                 {.target = name == std::string("web") ? "/index.html" : "/",
                                  .host = "localhost",
                                  .headers = {{"Connection", "close"}}},
                                 within(std::chrono::seconds(10)));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->status, 200) << name;
    EXPECT_THAT(answer->raw, HasSubstr("Directory listing")) << "web serves what index said";
  }
  EXPECT_EQ(down(subject_, {}, output_), Status::passed) << told();
  EXPECT_EQ(processes_of_the_state(), 0U);
}

TEST(Sabotages, AreManyAndEachNamesItsProbe) {
  EXPECT_GE(sabotages().size(), 10U);
  for (const Sabotage& sabotage : sabotages()) {
    EXPECT_FALSE(sabotage.probes.empty()) << sabotage.name;
    EXPECT_FALSE(sabotage.reason.empty()) << sabotage.name;
  }
}

TEST(Sabotages, TakeEveryWallOfTheRuntimeDown) {
  const std::string text =
      read_file(fs::path(CAISSON_SOURCE_DIR) / "runtime/observe/walls.cc").value();
  const auto from = text.find("names{");
  std::istringstream list(text.substr(from, text.find("};", from) - from));
  std::size_t walls = 0;
  std::string word;
  while (std::getline(list, word, '"') && std::getline(list, word, '"')) {
    ++walls;
    EXPECT_TRUE(std::ranges::any_of(sabotages(), [&](const Sabotage& sabotage) {
      return sabotage.name == word;
    })) << word;
  }
  EXPECT_GE(walls, 17U);
}

TEST(ShippedProgram, HasNoSabotageSwitch) {
  const auto shipped = read_file(fs::path(CAISSON_BINARY_DIR) / "bin/caisson-runtime");
  const auto sabotaged = read_file(fs::path(CAISSON_BINARY_DIR) / "bin/caisson-runtime-sabotaged");
  ASSERT_TRUE(shipped) << shipped.error().text();
  ASSERT_TRUE(sabotaged) << sabotaged.error().text();
  EXPECT_EQ(shipped->find("CAISSON_SABOTAGE"), std::string::npos);
  EXPECT_NE(sabotaged->find("CAISSON_SABOTAGE"), std::string::npos);
}

}  // namespace
}  // namespace caisson::conformance
