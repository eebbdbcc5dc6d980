// A deployment that is in use, attacked with two tenants of the run's own, is afterwards as it was.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/probe/operator_api.h"
#include "conformance/quickstart_testing.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Attached : public Quickstart {
 protected:
  void start(const LocalOptions& how = {}) {
    const plan::Plan plan = plan::plan(subject_.loaded);
    auto tree = local_tree(plan, subject_.blueprints);
    ASSERT_TRUE(tree) << tree.error().text();
    LocalOptions options = local_options(plan, subject_, default_state("acme"));
    options.programs = how.programs;
    options.extra_env = how.extra_env;
    const auto stack = up_local(*tree, options);
    ASSERT_TRUE(stack) << stack.error().text();
    stack_ = *stack;
  }

  [[nodiscard]] fs::path site() const { return default_state("acme") / "site.json"; }

  Status attach(const std::string& filter = {}, int level = -1) {
    return conform(subject_,
                   {.attach = site(), .level = level, .filter = filter, .report = root_ / "report"},
                   output_);
  }

  [[nodiscard]] OperatorApi api(const std::string& instance = "runtime") const {
    const RunningInstance* found = stack_.instance(instance);
    return {*found->operator_api, found->operator_token};
  }

  /// What a deployment is, but for its audit log: what its operators are told of every tenant that
  /// is or was there and of its keys, and the names of all files and folders (but the 256 shards
  /// of `tenants`, which stay when they are empty).
  [[nodiscard]] std::string state() const {
    std::string out;
    for (const char* instance : {"runtime", "runtime-umbrella"}) {
      for (const char* status : {"active", "suspended", "deleted"}) {
        const auto answer =
            api(instance).require("GET", std::string("/v1/tenants?status=") + status);
        out += answer ? answer->body : answer.error().text();
      }
    }
    for (const char* slug : {"globex", "initech"}) {
      const auto keys = api().require("GET", std::string("/v1/tenants/") + slug + "/keys");
      out += keys ? keys->body : keys.error().text();
    }
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(stack_.state / "data")) {
      const std::string name = entry.path().lexically_relative(stack_.state).string();
      const bool shard = entry.path().parent_path().filename() == "tenants";
      if (name.starts_with("data/edge")) continue;  // Caddy's own, which it writes when it likes
      if (name.find("/audit") == std::string::npos && !name.ends_with("-wal") &&
          !name.ends_with("-shm") && !shard) {
        files.push_back(name);
      }
    }
    std::ranges::sort(files);
    for (const std::string& file : files) out += "\n" + file;
    return out;
  }

  /// Files below the data that hold `text`, but for the audit log.
  [[nodiscard]] std::vector<std::string> holding(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(stack_.state / "data")) {
      if (!entry.is_regular_file() || entry.path().string().find("/audit") != std::string::npos)
        continue;
      if (read_file(entry.path()).value_or("").find(text) != std::string::npos)
        found.push_back(entry.path().string());
    }
    return found;
  }

  /// Where the journals of runs against this deployment are.
  [[nodiscard]] std::vector<fs::path> left() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(default_state("x").parent_path())) {
      if (entry.path().filename() != "acme") found.push_back(entry.path());
    }
    return found;
  }

  /// Attacks in a child and signals it as soon as both of its tenants are there. Its exit status,
  /// or 128 and the signal.
  int attack_and_signal(int signal) {
    const pid_t child = fork();
    if (child == 0) {
      std::ofstream told(root_ / "told");
      const Output output{.out = told, .progress = told, .error = told};
      _exit(static_cast<int>(
          conform(subject_, {.attach = site(), .report = root_ / "report"}, output)));
    }
    const Deadline deadline = within(std::chrono::seconds(60));
    while (std::chrono::steady_clock::now() < deadline) {
      const auto tenants = api().require("GET", "/v1/tenants?status=active");
      if (tenants && tenants->body.find("-b\"") != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    kill(child, signal);
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  RunningStack stack_;
};

TEST_F(Attached, PassesAndLeavesEverythingAsItWas) {
  start();
  const std::string before = state();
  ASSERT_EQ(attach(), Status::passed) << told();
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(left().empty()) << left().front();
  const std::string first_line = out_.str().substr(0, out_.str().find("\n\ntenant"));
  const std::string run = first_line.substr(first_line.rfind(' ') + 1);
  ASSERT_EQ(run.size(), 8U) << first_line;
  EXPECT_THAT(holding("cz" + run), testing::IsEmpty());

  EXPECT_THAT(out_.str(), HasSubstr("on local attached by " + site().string() + ", level 1"));
  EXPECT_THAT(out_.str(), HasSubstr("NOT TESTED    PR4"));
  EXPECT_THAT(out_.str(), HasSubstr("of an attached deployment only the listeners are looked at"));
  EXPECT_THAT(out_.str(), HasSubstr("runtime-umbrella NOT TESTED"));
  const std::string report = read_file(root_ / "report/report.json").value_or("");
  EXPECT_THAT(report, HasSubstr("\"attached\":\"" + site().string() + "\""));
  // No customer is named.
  EXPECT_THAT(out_.str() + report, Not(HasSubstr("globex")));
  EXPECT_THAT(out_.str() + report, Not(HasSubstr("initech")));
}

TEST_F(Attached, AskedToEndItLeavesNothing) {
  start();
  const std::string before = state();
  EXPECT_EQ(attack_and_signal(SIGTERM), 3) << read_file(root_ / "told").value_or("");
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(left().empty());
}

TEST_F(Attached, SweepRemovesWhatAKilledRunLeft) {
  start();
  const std::string before = state();
  EXPECT_EQ(attack_and_signal(SIGKILL), 128 + SIGKILL);
  EXPECT_NE(state(), before) << "the two tenants are there";
  EXPECT_EQ(sweep({.attach = site()}, output_), Status::passed) << told();
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(left().empty());

  // The next run does the same before it begins, and so does a sweep of everything.
  EXPECT_EQ(attack_and_signal(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(attach("ID1"), Status::passed) << told();
  EXPECT_EQ(state(), before);
  EXPECT_EQ(attack_and_signal(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(sweep({}, output_), Status::passed) << told();
  EXPECT_EQ(state(), before);
  EXPECT_TRUE(left().empty());
}

TEST_F(Attached, ADeploymentThatDoesNotAnswerIsInconclusive) {
  start();
  stop_local(stack_.state, "runtime", std::chrono::seconds(12));
  EXPECT_EQ(attach(), Status::inconclusive) << told();
  EXPECT_THAT(out_.str(), HasSubstr("nobody answers at the operator API of runtime"));
  EXPECT_TRUE(left().empty());
  ASSERT_TRUE(restart_local(stack_.state, "runtime"));

  // The token of another instance is none.
  out_.str("");
  ASSERT_TRUE(write_file(stack_.state / "secrets/operator-token", std::string(64, '0'), 0600));
  EXPECT_EQ(attach(), Status::inconclusive) << told();
  EXPECT_THAT(out_.str(), HasSubstr("refuses the operator's token"));
}

/// As during an update, whose gate asks behind the edge.
TEST_F(Attached, BehindAClosedEdgeTheRestIsAttacked) {
  start();
  stop_local(stack_.state, "edge", std::chrono::seconds(12));
  EXPECT_EQ(attach(), Status::passed) << told();
  EXPECT_THAT(out_.str(), HasSubstr("note: the edge NOT TESTED: cannot connect to 127.0.0.1:"));
  EXPECT_THAT(out_.str(), HasSubstr("NOT TESTED    CA2"));
  EXPECT_THAT(out_.str(), HasSubstr("NOT TESTED    NW9"));
}

TEST_F(Attached, ALimitThatRefusesTheTenantsIsSaid) {
  start();
  // Another spec of the same name, whose first tier this deployment has not.
  std::string text = subject_.text;
  for (auto at = text.find("free"); at != std::string::npos; at = text.find("free", at))
    text.replace(at, 4, "basic");
  const Subject other = subject_of(subject_.path, text);
  EXPECT_EQ(conform(other, {.attach = site(), .report = root_ / "report"}, output_),
            Status::inconclusive)
      << told();
  EXPECT_THAT(out_.str(), HasSubstr("no tenant could be made for the run"));
  EXPECT_THAT(out_.str(), HasSubstr("unknown tier 'basic'"));
}

TEST_F(Attached, WhatIsWrongWithTheSiteIsSaid) {
  start();
  EXPECT_EQ(attach("", 2), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("disposable marker"));
  std::string text = read_file(site()).value();
  text.replace(text.find("\"acme\""), 6, "\"other\"");
  ASSERT_TRUE(write_file(site(), text, 0600));
  EXPECT_EQ(attach(), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("is of the deployment 'other'"));
  ASSERT_TRUE(write_file(site(), "{}", 0600));
  EXPECT_EQ(attach(), Status::harness);
  EXPECT_THAT(error_.str(), HasSubstr("/runtimes must be a list"));
}

/// Walls of the runtime that is attached to, one at a time, and the probe that has to notice.
class Leaking : public Attached,
                public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(Leaking, IsALeakWithTheProbesName) {
  const auto [wall, probe] = GetParam();
  start({.programs = {{"caisson-runtime",
                       fs::path(CAISSON_BINARY_DIR) / "bin/caisson-runtime-sabotaged"}},
         .extra_env = {{"CAISSON_SABOTAGE", wall}}});
  EXPECT_EQ(attach(), Status::leak) << told();
  EXPECT_THAT(out_.str(), HasSubstr(std::string("LEAK          ") + probe + " "));
  const std::string report = read_file(root_ / "report/report.json").value_or("");
  EXPECT_THAT(out_.str() + report, Not(HasSubstr("globex")));
}

INSTANTIATE_TEST_SUITE_P(Walls, Leaking,
                         testing::Values(std::pair("trust-tenant-header", "ID1"),
                                         std::pair("unknown-is-default", "ID6"),
                                         std::pair("drop-scope", "DB1"),
                                         std::pair("operator-everywhere", "NW8"),
                                         std::pair("id-oracle", "SC1")));

TEST_F(Attached, TheSabotagedProgramWithAllItsWallsPasses) {
  start({.programs = {
             {"caisson-runtime", fs::path(CAISSON_BINARY_DIR) / "bin/caisson-runtime-sabotaged"}}});
  EXPECT_EQ(attach(), Status::passed) << told();
}

}  // namespace
}  // namespace caisson::conformance
