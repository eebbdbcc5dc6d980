#include <filesystem>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kGood = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema } }
tenants:
  - { slug: globex, tier: free }
)";

class Validate : public ::testing::Test {
 protected:
  Ran validate(std::vector<std::string> arguments, std::string input = {},
               std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), "validate");
    return caisson(arguments, {.directory = scratch.path(),
                               .environment = std::move(environment),
                               .input = std::move(input)});
  }

  /// `kGood` with one piece replaced.
  static std::string with(std::string_view from, std::string_view to) {
    return with(kGood, from, to);
  }
  static std::string with(std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
  }

  Scratch scratch;
};

TEST_F(Validate, AcceptsAFileAndStandardInput) {
  scratch.write("deployment.yaml", kGood);
  const auto file = validate({"deployment.yaml"});
  EXPECT_EQ(file.code, 0);
  EXPECT_EQ(file.out, "");
  EXPECT_EQ(file.error, "deployment.yaml is valid: 1 tier, 1 tenant, 0 services\n");
  const auto piped = validate({"-"}, kGood);
  EXPECT_EQ(piped.code, 0);
  EXPECT_EQ(piped.error, "<stdin> is valid: 1 tier, 1 tenant, 0 services\n");
  EXPECT_EQ(validate({"--quiet", "deployment.yaml"}).error, "");
}

TEST_F(Validate, ReportsEveryMistakeOnStandardOutput) {
  scratch.write("deployment.yaml", with("tier: free }", "tier: fre }\nbogus: 1"));
  const auto ran = validate({"deployment.yaml"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("deployment.yaml:6:27: error[E02"));
  EXPECT_THAT(ran.out, HasSubstr("did you mean 'free'?"));
  EXPECT_THAT(ran.out, HasSubstr("deployment.yaml:7:1: error[E0101]: unknown key 'bogus'"));
  EXPECT_EQ(ran.error, "deployment.yaml: 2 errors\n");
}

TEST_F(Validate, WritesJsonAndSarifForMachines) {
  scratch.write("deployment.yaml", with("name: acme", "nam: acme"));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"deployment.yaml", "--json"}, {"deployment.yaml", "--format", "json"}}) {
    const auto ran = validate(arguments);
    EXPECT_EQ(ran.code, 1);
    EXPECT_NO_THROW(static_cast<void>(boost::json::parse(ran.out)));
  }
  const auto sarif = boost::json::parse(validate({"deployment.yaml", "--format", "sarif"}).out);
  EXPECT_EQ(sarif.at("version").as_string(), "2.1.0");
  scratch.write("good.yaml", kGood);
  EXPECT_NO_THROW(static_cast<void>(boost::json::parse(validate({"good.yaml", "--json"}).out)));
}

TEST_F(Validate, NamesWhatCannotBeRead) {
  const auto missing = validate({"deployment.yaml"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_EQ(
      missing.error,
      "caisson: cannot read 'deployment.yaml': no such file or directory; `caisson init` writes "
      "a starter spec\n");

  fs::create_directory(scratch / "dir");
  const auto directory = validate({"dir"});
  EXPECT_EQ(directory.code, 3);
  EXPECT_EQ(
      directory.error,
      "caisson: 'dir' is a directory; name the file in it, for example dir/deployment.yaml\n");

  ASSERT_EQ(mkfifo((scratch / "pipe").c_str(), 0600), 0);
  const auto pipe = validate({"pipe"});
  EXPECT_EQ(pipe.code, 3);
  EXPECT_THAT(pipe.error, StartsWith("caisson: 'pipe' is not a regular file"));

  EXPECT_EQ(validate({"/dev/null/x"}).code, 3);
  EXPECT_THAT(validate({"/proc/self/mem"}).error,
              StartsWith("caisson: cannot read '/proc/self/mem': "));
}

TEST_F(Validate, AnEmptyFileIsAFindingNotAFailure) {
  scratch.write("deployment.yaml", "");
  const auto ran = validate({"deployment.yaml"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("error[E0005]"));
  EXPECT_EQ(validate({"-"}, "").code, 1);
}

TEST_F(Validate, ReadsFilesBesideTheSpecFromAnyDirectory) {
  scratch.write("deploy/deployment.yaml",
                "caisson: v1\nname: acme\nversion: 1.0.0\ntiers: { free: { isolation: schema } }\n"
                "tenants: { file: tenants.csv }\n");
  scratch.write("deploy/tenants.csv", "slug,tier\nglobex,free\ninitech,free\n");
  const auto ran = validate({"deploy/deployment.yaml"});
  EXPECT_EQ(ran.error, "deploy/deployment.yaml is valid: 1 tier, 2 tenants, 0 services\n");
  EXPECT_EQ(ran.code, 0) << ran.out;
  fs::remove(scratch / "deploy/tenants.csv");
  EXPECT_EQ(validate({"deploy/deployment.yaml"}).code, 1);
}

TEST_F(Validate, EnvironmentsAreMergedAndUnknownOnesNamed) {
  scratch.write("deployment.yaml",
                std::string(kGood) + "environments:\n  production: { domain: acme.example.com }\n");
  EXPECT_EQ(validate({"deployment.yaml", "--env", "production"}).code, 0);
  const auto unknown = validate({"deployment.yaml", "--env", "prod"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.out, HasSubstr("prod"));
}

TEST_F(Validate, QuietLeavesWarningsOut) {
  scratch.write("deployment.yaml", std::string(kGood) + "secrets: { key: { from: generate } }\n");
  EXPECT_THAT(validate({"deployment.yaml"}).out, HasSubstr("warning[W0202]"));
  const auto quiet = validate({"deployment.yaml", "-q"});
  EXPECT_EQ(quiet.out + quiet.error, "");
  scratch.write("wrong.yaml",
                std::string(kGood) + "secrets: { key: { from: generate } }\nbogus: 1\n");
  const auto wrong = validate({"wrong.yaml", "-q"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("error[E0101]"));
  EXPECT_THAT(wrong.out, Not(HasSubstr("W0202")));
}

TEST_F(Validate, StrictRefusesWhatATargetOnlyApproximates) {
  scratch.write("deployment.yaml", std::string(kGood) + "runtime: { storage: 20Gi }\n");
  EXPECT_EQ(validate({"deployment.yaml"}).code, 0);
  const auto strict = validate({"deployment.yaml", "--strict"});
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.out, HasSubstr("error[E0308]"));
  EXPECT_THAT(strict.out, HasSubstr("waivers: [{ rule: loss/runtime.storage"));
  EXPECT_THAT(strict.error, Not(HasSubstr("CI=true"))) << "it was asked for";
  const auto waived = std::string(kGood) +
                      "runtime: { storage: 20Gi }\n"
                      "waivers: [{ rule: loss/runtime.storage, reason: the disk is watched }]\n";
  scratch.write("deployment.yaml", waived);
  EXPECT_EQ(validate({"deployment.yaml", "--strict"}).code, 0);
  // For one target alone: the others still count.
  scratch.write("deployment.yaml",
                with(waived, "storage, reason", "storage, where: compose, reason"));
  EXPECT_EQ(validate({"deployment.yaml", "--strict"}).code, 1);
}

TEST_F(Validate, AWaiverThatAcceptsNoLossIsNamed) {
  const auto waiver = [](const std::string& rest) {
    return "waivers: [{ rule: loss/runtime.storage" + rest + ", reason: the disk is watched }]\n";
  };
  const auto says = [&](const std::string& more, const std::string& environment = "") {
    scratch.write("deployment.yaml", std::string(kGood) + more);
    std::vector<std::string> words{"deployment.yaml"};
    if (!environment.empty()) words.insert(words.end(), {"--env", environment});
    return validate(words).out;
  };
  const std::string storage = "runtime: { storage: 20Gi }\n";
  EXPECT_EQ(says(storage + waiver("")), "");
  EXPECT_EQ(says(storage + waiver(", where: compose")), "");
  // The target keeps the promise always, or is off, or nothing asks for it.
  EXPECT_THAT(says(storage + waiver(", where: helm")),
              HasSubstr("error[E0306]: target 'helm' loses nothing of 'runtime.storage'"));
  EXPECT_THAT(says(storage + waiver(", where: compose") + "targets: { compose: false }\n"),
              HasSubstr("warning[W0207]: target 'compose' never loses"));
  EXPECT_THAT(says(waiver("")), HasSubstr("warning[W0207]: no target loses 'runtime.storage'"));
  // An environment asks for it, so that the base may have the waiver.
  const std::string asks = "environments: { big: { runtime: { storage: 20Gi } }, small: {} }\n";
  EXPECT_EQ(says(waiver("") + asks), "");
  EXPECT_EQ(says(waiver("") + asks, "small"), "") << "it is there for another environment";
  // One of an environment's own.
  EXPECT_THAT(says("environments:\n  small:\n    " + waiver("")), HasSubstr("warning[W0207]"));
  // `generate` says it as well, once.
  const auto made =
      caisson({"generate", "deployment.yaml", "--dry-run"}, {.directory = scratch.path()});
  EXPECT_EQ(made.code, 0) << made.error;
  EXPECT_THAT(made.error, HasSubstr("warning[W0207]"));
}

TEST_F(Validate, StrictIsTheDefaultInContinuousIntegration) {
  scratch.write(
      "deployment.yaml",
      std::string(kGood) + "services: { web: { image: registry.example.com/web:1, port: 80 } }\n");
  EXPECT_EQ(validate({"deployment.yaml"}).code, 0);
  EXPECT_EQ(validate({"deployment.yaml", "--strict"}).code, 1);
  EXPECT_EQ(validate({"deployment.yaml"}, "", {{"CI", "true"}}).code, 1);
  EXPECT_EQ(validate({"deployment.yaml", "--no-strict"}, "", {{"CI", "true"}}).code, 0);
}

}  // namespace
}  // namespace caisson::cli
