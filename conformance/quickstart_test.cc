// The whole way on the real thing: examples/quickstart is generated, started, attacked and stopped.

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/commands.h"
#include "conformance/ground.h"
#include "conformance/journal/journal.h"
#include "conformance/report/report.h"
#include "conformance/sabotage.h"
#include "conformance/stack/files.h"
#include "conformance/stack/state.h"
#include "generator/plan/planner.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Subject subject_of(const std::string& path, const std::string& text) {
  Subject subject{.path = path, .text = text};
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  auto loaded = spec::load(path, text, {.today = "2026-01-01"}, sources, diagnostics);
  if (!loaded) throw std::runtime_error(source::render(diagnostics, sources, source::Format::text));
  subject.loaded = std::move(*loaded);
  return subject;
}

/// The quickstart on free ports, below a state root of its own.
class Quickstart : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    fs::create_directories(root_);
    fs::permissions(root_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    setenv("XDG_STATE_HOME", root_.c_str(), 1);
    const std::string path =
        std::string(CAISSON_SOURCE_DIR) + "/examples/quickstart/deployment.yaml";
    const std::string text = read_file(path).value();
    const auto port = free_ports(plan::plan(subject_of(path, text).loaded));
    ASSERT_TRUE(port) << port.error().text();
    subject_ =
        subject_of(path, text + "\ntargets:\n  local: { port: " + std::to_string(*port) + " }\n");
  }
  void TearDown() override {
    static_cast<void>(down_local(default_state("acme")));
    fs::remove_all(root_);
  }

  std::size_t processes_of_the_state() {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
      const std::string directory = fs::read_symlink(entry.path() / "cwd", error).string();
      if (!error && directory.starts_with(root_.string())) ++count;
    }
    return count;
  }

  [[nodiscard]] std::string told() const { return out_.str() + progress_.str() + error_.str(); }

  const fs::path root_ =
      fs::temp_directory_path() / ("caisson-quickstart-" + std::to_string(getpid()));
  Subject subject_;
  std::ostringstream out_;
  std::ostringstream progress_;
  std::ostringstream error_;
  const Output output_{.out = out_, .progress = progress_, .error = error_};
};

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
  EXPECT_TRUE(left_journals(default_state("acme") / "journal").empty());
  for (const auto& entry :
       fs::recursive_directory_iterator(default_state("acme") / "data/runtime/snapshots")) {
    EXPECT_FALSE(entry.is_regular_file()) << entry.path() << " was left behind";
  }
  EXPECT_EQ(down(subject_, {}, output_), Status::passed) << told();
  EXPECT_EQ(processes_of_the_state(), 0U);
  EXPECT_FALSE(fs::exists(default_state("acme")));
}

TEST_F(Quickstart, LevelTwoNeedsTheMarker) {
  ASSERT_EQ(up(subject_, {}, output_), Status::passed) << told();
  const fs::path record = default_state("acme") / "state.json";
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
      const Output output{.out = told, .progress = told, .error = told};
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
  EXPECT_EQ(attack(true, "required"), 2) << read_file(root_ / "required").value_or("");
}

TEST_F(Quickstart, AFailedStartIsSaidWithTheStateItLeaves) {
  const StackOptions options{.state = root_ / "a state"};
  ASSERT_EQ(up(subject_, options, output_), Status::passed) << told();
  EXPECT_THAT(out_.str(),
              HasSubstr("--target local --state '" + (root_ / "a state").string() + "'"));
  // Another stack of the same ports is refused before it starts, and leaves nothing.
  const StackOptions second{.state = root_ / "second"};
  EXPECT_EQ(up(subject_, second, output_), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("of the stack in " + (root_ / "a state").string()));
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
                   .filter = "trust-tenant-header,service-in-the-state,another-tenant"},
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
