#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kSpec = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema } }
tenants:
  - { slug: globex, tier: free }
)";

class Generate : public ::testing::Test {
 protected:
  Generate() { scratch.write("deployment.yaml", kSpec); }

  Ran generate(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"generate", "deployment.yaml", "--out", "out"});
    return caisson(arguments, {.directory = scratch.path()});
  }

  void replace(std::string_view file, std::string_view from, std::string_view to) {
    auto text = scratch.read(file);
    ASSERT_NE(text.find(from), std::string::npos) << text;
    scratch.write(file, text.replace(text.find(from), from.size(), to));
  }

  /// The files in `out`, without the inventory.
  [[nodiscard]] std::map<std::string, std::string> output() const {
    std::map<std::string, std::string> all;
    for (const auto& [path, text] : scratch.files()) {
      if (path.starts_with("out/")) all[path.substr(4)] = text;
    }
    return all;
  }

  Scratch scratch;
};

TEST_F(Generate, WritesEveryTargetAndItsInventory) {
  const auto ran = generate();
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.error, StartsWith("out: "));
  const auto files = output();
  EXPECT_TRUE(files.contains("compose/compose.yaml"));
  EXPECT_TRUE(files.contains("docker/runtime.Dockerfile"));
  EXPECT_THAT(files.at("caisson.lock.json"), HasSubstr("{\"path\": \"compose/compose.yaml\""));
}

/// A shared tier with `count` tenants and one with a deployment of its own, where the `first` few
/// are; with a service that keeps something.
std::string many_tenants(int count, int first = 1, const std::string& size = "10Gi",
                         const std::string& more = {}) {
  std::string text = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema }, own: { isolation: deployment } }
services: { files: { image: "registry.example/files@sha256:)" +
                     std::string(64, '0') + R"(", port: 5000, storage: { path: /data, size: )" +
                     size + " } } }\n" + more + "tenants:\n";
  for (int i = 0; i < count; ++i) {
    text +=
        "  - { slug: t" + std::to_string(i) + ", tier: " + (i < first ? "own" : "free") + " }\n";
  }
  return text;
}

TEST_F(Generate, RefusesThatATenantIsLookedForElsewhere) {
  scratch.write("deployment.yaml", many_tenants(300));
  ASSERT_EQ(generate().code, 0);
  const auto before = output();
  EXPECT_THAT(before.at("caisson.lock.json"), HasSubstr(R"("at": "acme/runtime-data-runtime-0")"));

  // Some get a deployment of their own, the one that has one loses it.
  auto text = many_tenants(300, 4);
  text.replace(text.find("t0, tier: own"), 13, "t0, tier: free");
  scratch.write("deployment.yaml", text);
  for (const auto* mode : {"--quiet", "--force", "--check", "--diff", "--dry-run"}) {
    const auto refused = generate({mode});
    EXPECT_EQ(refused.code, 1) << mode;
    for (const auto* tenant : {"t0", "t1", "t2", "t3"}) {
      EXPECT_THAT(refused.error,
                  HasSubstr("error[E0310]: tenant '" + std::string(tenant) + "' moves to"));
    }
    EXPECT_THAT(refused.error, HasSubstr("--accept-move tenant/t1"));
    EXPECT_THAT(refused.error, Not(HasSubstr("tenant 't4'")));
    EXPECT_EQ(output(), before) << mode;
  }
  EXPECT_EQ(generate({"--accept-move", "tenant/t0,tenant/t1", "--accept-move", "tenant/t2"}).code,
            1);
  for (const auto* nobody : {"tenant/nobody", "t1", "volume/t1"}) {
    const auto unknown = generate({"--accept-move", nobody});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.error, HasSubstr("--accept-move " + std::string(nobody) + ": nothing"));
  }
  ASSERT_EQ(generate({"--accept-move", "tenant/t0,tenant/t1,tenant/t2,tenant/t3"}).code, 0);
  const auto again = generate();
  EXPECT_EQ(again.code, 0) << again.error;
  EXPECT_THAT(again.error, HasSubstr("files unchanged"));
}

TEST_F(Generate, RemembersWhereDataAreWhoseTenantOrVolumeHasLeft) {
  const auto without = [](std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.erase(at, text.find(to, at) + to.size() - at);
  };
  const auto tenant = [](const std::string& slug, const std::string& tier) {
    return "  - { slug: " + slug + ", tier: " + tier + " }\n";
  };
  const auto all = many_tenants(300);
  const auto shared_gone = without(all, "  - { slug: t7,", "\n");
  const auto own_gone = without(all, "  - { slug: t0,", "\n");
  const auto files_gone = without(all, "services:", "\n");
  const std::string elsewhere = "targets: { helm: { namespace: other } }\n";
  const std::string compose_elsewhere = "targets: { compose: { project: other } }\n";

  struct Case {
    std::string gone;
    std::string back;
    std::string name;
    std::vector<std::string> where;
  };
  const std::vector<Case> cases{
      // From the shared runtime to one of its own, and the other way, on each target.
      {shared_gone,
       shared_gone + tenant("t7", "own"),
       "tenant/t7",
       {"acme_runtime-data (compose)", "acme/runtime-data-runtime-0 (helm)", "(systemd)"}},
      {own_gone,
       own_gone + tenant("t0", "free"),
       "tenant/t0",
       {"acme_runtime-t0-data (compose)", "(helm)", "runtime-t0 (systemd)"}},
      {files_gone,
       many_tenants(300, 1, "10Gi", compose_elsewhere),
       "volume/files-data",
       {"acme_files-data (compose)"}}};
  for (const auto& [gone, back, name, where] : cases) {
    SCOPED_TRACE(name);
    std::filesystem::remove_all(scratch.path() / "out");
    scratch.write("deployment.yaml", all);
    ASSERT_EQ(generate().code, 0);
    scratch.write("deployment.yaml", gone);
    ASSERT_EQ(generate().code, 0);
    const auto again = generate();  // is remembered from one time to the next
    ASSERT_EQ(again.code, 0) << again.error;
    EXPECT_THAT(again.error, HasSubstr("files unchanged"));
    const auto left = output();

    scratch.write("deployment.yaml", back);
    const auto refused = generate();
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("error[E0310]: "), HasSubstr("--accept-move " + name)));
    for (const auto& place : where) EXPECT_THAT(refused.error, HasSubstr(place));
    EXPECT_EQ(output(), left);
    EXPECT_EQ(generate({"--target", "compose"}).code, 1);

    // Back where it was nothing is to be said, and it can be given up while it is away.
    scratch.write("deployment.yaml", all);
    const auto home = generate({"--dry-run"});
    EXPECT_EQ(home.code, 0) << home.error;
    EXPECT_THAT(home.error, Not(HasSubstr("W0303")));
    scratch.write("deployment.yaml", gone);
    ASSERT_EQ(generate({"--accept-move", name}).code, 0);
    EXPECT_THAT(output().at("caisson.lock.json"), Not(HasSubstr("\"left\"")));
    scratch.write("deployment.yaml", back);
    const auto fresh = generate({"--dry-run"});
    EXPECT_THAT(fresh.error, Not(HasSubstr(name)));
  }

  // A target that is switched off for a while keeps its data, too.
  std::filesystem::remove_all(scratch.path() / "out");
  scratch.write("deployment.yaml", all);
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", many_tenants(300, 1, "10Gi", "targets: { helm: false }\n"));
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", many_tenants(300, 1, "10Gi", elsewhere));
  const auto refused = generate();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("acme/files-data-files-0 (helm)"));
}

TEST_F(Generate, RefusesThatVolumesAreLookedForElsewhere) {
  const std::vector<std::pair<std::string, std::string>> moves{
      {"targets: { helm: { namespace: other } }\n", "other/files-data-files-0 (helm)"},
      {"targets: { compose: { project: other } }\n", "other_files-data (compose)"},
      {"targets: { systemd: { data: /srv/other } }\n", "/srv/other/runtime (systemd)"},
      {"targets: { helm: { storage-class: fast } }\n", "storage class 'fast'"},
      {"environments: { live: { targets: { helm: { namespace: other } } } }\n",
       "other/files-data-files-0 (helm, environment live)"}};
  for (const auto& [more, place] : moves) {
    const auto first = more.starts_with("environments")
                           ? "environments: { live: { version: 2.0.0 } }\n"
                           : std::string();
    scratch.write("deployment.yaml", many_tenants(200, 1, "10Gi", first));
    ASSERT_EQ(generate({"--accept-move",
                        "volume/files-data,volume/runtime-data,volume/runtime-t0-data,"
                        "volume/edge-data,volume/prometheus-data,volume/grafana-data"})
                  .code,
              0);
    scratch.write("deployment.yaml", many_tenants(200, 1, "10Gi", more));
    const auto refused = generate();
    EXPECT_EQ(refused.code, 1) << more;
    EXPECT_THAT(refused.error, HasSubstr("error[E0310]: volume '"));
    EXPECT_THAT(refused.error, HasSubstr(place)) << more;
    // Tenants are moved; what other volumes keep is copied.
    const auto remedy = [&](const std::string& volume) {
      const auto end = refused.error.find(", with --accept-move volume/" + volume + "\n");
      const auto line = refused.error.rfind('\n', end) + 1;
      return end == std::string::npos ? "" : refused.error.substr(line, end - line);
    };
    if (more.find("storage-class") != std::string::npos) {
      EXPECT_THAT(remedy("files-data"), HasSubstr("'Another storage class'"));
      continue;
    }
    EXPECT_THAT(remedy("runtime-data"), HasSubstr("take its tenants along as 'Move'"));
    if (more.find("systemd") == std::string::npos) {
      EXPECT_THAT(remedy("files-data"), HasSubstr("copy what is there to the new place"));
    }
  }
}

TEST_F(Generate, SaysWhatAVolumeThatGrowsNeedsAndRefusesOneThatShrinks) {
  scratch.write("deployment.yaml", many_tenants(200, 1, "10Gi"));
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", many_tenants(200, 1, "20Gi"));
  const auto grown = generate();
  EXPECT_EQ(grown.code, 0) << grown.error;
  EXPECT_THAT(grown.error, AllOf(HasSubstr("warning[W0303]: volume 'files-data' grows from 10Gi to "
                                           "20Gi"),
                                 HasSubstr("Grow a volume")));
  EXPECT_THAT(scratch.read("out/helm/acme/RUNBOOK.md"),
              HasSubstr("grow acme 'files-data-files-[0-9]+' 20Gi files"));
  EXPECT_THAT(generate().error, Not(HasSubstr("W0303")));
  scratch.write("deployment.yaml", many_tenants(200, 1, "10Gi"));
  const auto shrunk = generate({"--accept-move", "volume/files-data"});
  EXPECT_EQ(shrunk.code, 1);
  EXPECT_THAT(shrunk.error, AllOf(HasSubstr("error[E0311]: volume 'files-data' shrinks"),
                                  HasSubstr("write 20Gi or more")));
}

TEST_F(Generate, SaysOfWhichServiceAVolumeIsThatNothingUsesAnyMore) {
  const auto spec = [](const std::string& storage) {
    const std::string image =
        "{ image: \"registry.example/x@sha256:" + std::string(64, '0') + "\", port: 8080";
    return "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\nservices:\n  web: " + image +
           " }\n  files: " + image + storage + " }\n";
  };
  scratch.write("deployment.yaml", spec(", storage: { path: /data, size: 1Gi }"));
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", spec(""));
  EXPECT_THAT(generate().error,
              HasSubstr("deployment.yaml:7:10: warning[W0304]: volume 'files-data' is no longer"));
}

TEST_F(Generate, SaysWhereDataStayThatNothingUsesAnyMore) {
  const auto shrunk = [&](const std::string& from, const std::string& to) {
    auto text = many_tenants(3);
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    return text;
  };
  scratch.write("deployment.yaml", many_tenants(3));
  const auto first = generate();
  ASSERT_EQ(first.code, 0) << first.error;
  EXPECT_THAT(first.error, Not(HasSubstr("W0304")));
  // A service that has another name now, and so its volume.
  scratch.write("deployment.yaml", shrunk("files", "papers"));
  const auto renamed = generate();
  EXPECT_EQ(renamed.code, 0) << renamed.error;
  EXPECT_THAT(
      renamed.error,
      AllOf(HasSubstr("warning[W0304]: volume 'files-data' is no longer used in "),
            HasSubstr("acme_files-data (compose)"), HasSubstr("acme/files-data-files-0 (helm)")));
  EXPECT_THAT(scratch.read("out/caisson.lock.json"),
              AllOf(HasSubstr("acme_files-data"), HasSubstr("\"gone\": true")));
  EXPECT_THAT(generate().error, Not(HasSubstr("W0304"))) << "it is said once";
  // One that comes back is served where it was, and goes again.
  scratch.write("deployment.yaml", many_tenants(3));
  EXPECT_THAT(generate().error, HasSubstr("'papers-data'"));
  EXPECT_THAT(scratch.read("out/caisson.lock.json"), HasSubstr("acme_papers-data"));
  // Tenants, in one warning; what somebody knows of is not said.
  auto fewer = many_tenants(1);
  scratch.write("deployment.yaml", fewer);
  const auto left = generate({"--accept-move", "tenant/t1"});
  EXPECT_EQ(left.code, 0) << left.error;
  EXPECT_THAT(left.error,
              AllOf(HasSubstr("warning[W0304]: tenant 't2' is no longer served from "),
                    HasSubstr("acme_runtime-data (compose)"),
                    HasSubstr("/var/lib/acme/runtime (systemd)"), Not(HasSubstr("'t1'"))));
  EXPECT_THAT(generate().error, Not(HasSubstr("W0304")));
  // Only of what is generated: the rest has not heard of it.
  scratch.write("deployment.yaml", many_tenants(3));
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", fewer);
  const auto chart = generate({"--target", "helm"});
  EXPECT_THAT(chart.error,
              AllOf(HasSubstr("acme/runtime-data-runtime-0 (helm)"), Not(HasSubstr("(compose)"))));
  EXPECT_THAT(generate().error, HasSubstr("acme_runtime-data (compose)"));
}

TEST_F(Generate, SaysOfATargetThatIsOffThatTheTargetWent) {
  const std::string live = "environments: { live: { version: 2.0.0 } }\n";
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"targets: { helm: false }\n" + live,
       {"target 'helm' keeps no data any more; what it kept stays in acme/",
        "target 'helm' of environment 'live' keeps no data any more"}},
      {"targets: { compose: false }\n" + live,
       {"target 'compose' keeps no data any more; what it kept stays in acme_"}},
      {"environments: { live: { targets: { helm: false } } }\n",
       {"target 'helm' of environment 'live' keeps no data any more"}}};
  for (const auto& [more, expected] : cases) {
    std::filesystem::remove_all(scratch.path() / "out");
    scratch.write("deployment.yaml", many_tenants(300, 40, "10Gi", live));
    ASSERT_EQ(generate().code, 0);
    scratch.write("deployment.yaml", many_tenants(300, 40, "10Gi", more));
    const auto off = generate();
    EXPECT_EQ(off.code, 0) << off.error;
    for (const auto& text : expected) EXPECT_THAT(off.error, HasSubstr(text));
    std::size_t warnings = 0;
    for (auto at = off.error.find("W0304"); at != std::string::npos;
         at = off.error.find("W0304", at + 1)) {
      ++warnings;
    }
    EXPECT_EQ(warnings, expected.size()) << off.error;
    EXPECT_THAT(generate().error, Not(HasSubstr("W0304"))) << "it is said once";
    // Switched on again it finds what it had.
    scratch.write("deployment.yaml", many_tenants(300, 40, "10Gi", live));
    const auto on = generate();
    EXPECT_EQ(on.code, 0) << on.error;
    EXPECT_THAT(on.error, Not(HasSubstr("W0304")));
    EXPECT_THAT(scratch.read("out/caisson.lock.json"), Not(HasSubstr("\"gone\"")));
  }
}

TEST_F(Generate, OtherTargetsKeepTheirPlaces) {
  scratch.write("deployment.yaml", many_tenants(200));
  ASSERT_EQ(generate().code, 0);
  scratch.write("deployment.yaml", many_tenants(200, 2));
  ASSERT_EQ(generate({"--target", "compose", "--accept-move", "tenant/t1"}).code, 0);
  const auto chart = generate({"--target", "helm"});
  EXPECT_EQ(chart.code, 1) << "the chart still has the tenant where it was";
  EXPECT_THAT(chart.error, HasSubstr("acme/runtime-data-runtime-0 (helm)"));
}

TEST_F(Generate, ALockFileOfAnEarlierVersionDoesNotSayWhereDataAre) {
  ASSERT_EQ(generate().code, 0);
  auto lock = scratch.read("out/caisson.lock.json");
  lock = lock.substr(0, lock.find(",\n  \"places\"")) + "\n}\n";
  scratch.write("out/caisson.lock.json", lock);
  const auto ran = generate();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.error, HasSubstr("does not say where data are"));
  EXPECT_THAT(generate().error, Not(HasSubstr("where data are")));
}

TEST_F(Generate, TwiceIsOnce) {
  ASSERT_EQ(generate().code, 0);
  const auto before = output();
  const auto again = generate();
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.error, testing::MatchesRegex("out: [0-9]+ files unchanged\n"));
  EXPECT_EQ(output(), before);
}

TEST_F(Generate, IsTheSameInAnyDirectoryLocaleTimeZoneAndUmask) {
  ASSERT_EQ(generate().code, 0);
  const auto expected = output();
  const Scratch elsewhere;
  elsewhere.write("a/b/deployment.yaml", kSpec);
  const auto command = "umask 077 && cd a && exec '" CAISSON_BINARY_DIR
                       "/bin/caisson' generate b/deployment.yaml --quiet --out ../out";
  const auto ran = run_program({"sh", "-c", command}, {.directory = elsewhere.path(),
                                                       .environment = {{"LC_ALL", "de_DE.UTF-8"},
                                                                       {"LANG", "tr_TR.UTF-8"},
                                                                       {"TZ", "Pacific/Kiritimati"},
                                                                       {"SOURCE_DATE_EPOCH", "1"},
                                                                       {"USER", "somebody"}}});
  ASSERT_EQ(ran.code, 0) << ran.error;
  std::map<std::string, std::string> actual;
  for (const auto& [path, text] : elsewhere.files()) {
    if (path.starts_with("out/")) actual[path.substr(4)] = text;
  }
  EXPECT_EQ(actual, expected);
  struct stat here{};
  struct stat there{};
  ASSERT_EQ(stat((scratch / "out/compose/compose.yaml").c_str(), &here), 0);
  ASSERT_EQ(stat((elsewhere / "out/compose/compose.yaml").c_str(), &there), 0);
  EXPECT_EQ(here.st_mode, there.st_mode);
}

TEST_F(Generate, SaysWhichDockerfileIsNotThere) {
  scratch.write("deployment.yaml", std::string(kSpec) +
                                       "services:\n"
                                       "  mail: { build: { context: mail } }\n"
                                       "  web: { build: { context: web, dockerfile: Prod } }\n");
  scratch.write("web/Prod", "FROM scratch\n");
  const auto ran = generate();
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.error, HasSubstr("deployment.yaml:"));
  EXPECT_THAT(ran.error, HasSubstr("warning[W0302]: 'mail/Dockerfile' cannot be read"));
  EXPECT_THAT(ran.error, Not(HasSubstr("web/Prod")));
}

TEST_F(Generate, GoesBesideTheSpecByDefault) {
  scratch.write("deploy/deployment.yaml",
                std::string(kSpec) + "environments:\n  demo: { domain: demo.example.com }\n");
  const Surroundings here{.directory = scratch.path()};
  ASSERT_EQ(caisson({"generate", "deploy/deployment.yaml"}, here).code, 0);
  ASSERT_EQ(caisson({"generate", "deploy/deployment.yaml", "--env", "demo"}, here).code, 0);
  EXPECT_TRUE(fs::exists(scratch / "deploy/generated/caisson.lock.json"));
  EXPECT_THAT(scratch.read("deploy/generated-demo/caisson.lock.json"),
              HasSubstr("\"environment\": \"demo\""));
}

TEST_F(Generate, CheckIsSilentWhenUpToDateAndShowsTheDiffWhenStale) {
  ASSERT_EQ(generate().code, 0);
  const auto fresh = generate({"--check"});
  EXPECT_EQ(fresh.code, 0);
  EXPECT_EQ(fresh.out, "");

  replace("deployment.yaml", "version: 1.0.0", "version: 1.0.1");
  const auto before = output();
  const auto stale = generate({"--check"});
  EXPECT_EQ(stale.code, 1);
  EXPECT_THAT(stale.out, AllOf(HasSubstr("--- a/caisson.lock.json\n+++ b/caisson.lock.json\n@@ "),
                               HasSubstr("1.0.1")));
  EXPECT_THAT(stale.error, HasSubstr("it is stale, run `caisson generate`"));
  EXPECT_EQ(output(), before);
  ASSERT_EQ(generate().code, 0);
  EXPECT_EQ(generate({"--check"}).code, 0);
}

TEST_F(Generate, TheDiffIsAPatchThatGitApplies) {
  ASSERT_EQ(generate().code, 0);
  replace("deployment.yaml", "slug: globex", "slug: initech");
  scratch.write("patch", generate({"--diff"}).out);
  ASSERT_EQ(
      run_program({"git", "apply", "--directory=out", "patch"}, {.directory = scratch.path()}).code,
      0);
  EXPECT_EQ(generate({"--check"}).code, 0);
}

TEST_F(Generate, DiffAndDryRunWriteNothing) {
  const auto dry = generate({"--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, HasSubstr("added    +"));
  EXPECT_THAT(dry.out, HasSubstr(" compose/compose.yaml\n"));
  EXPECT_EQ(generate({"--diff"}).code, 0);
  EXPECT_EQ(generate({"--check"}).code, 1);
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(Generate, RefusesAHandEditedFileWithItsDiff) {
  ASSERT_EQ(generate().code, 0);
  replace("out/compose/compose.yaml", "name: acme", "name: edited");
  const auto before = output();
  const auto refused = generate();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(
      refused.error,
      AllOf(HasSubstr("-name: edited\n+name: acme\n"),
            HasSubstr("caisson: 'out/compose/compose.yaml' was edited by hand; move your change "
                      "into the spec, or overwrite it with --force\n")));
  EXPECT_EQ(output(), before);
  ASSERT_EQ(generate({"--force"}).code, 0);
  EXPECT_EQ(generate({"--check"}).code, 0);
}

TEST_F(Generate, LeavesStrangersAlone) {
  ASSERT_EQ(generate().code, 0);
  scratch.write("out/compose/mine.txt", "precious");
  scratch.write("out/README", "precious");
  replace("deployment.yaml", "tenants:", "targets: { docker: false }\ntenants:");
  ASSERT_EQ(generate().code, 0);
  const auto files = output();
  EXPECT_FALSE(files.contains("docker/runtime.Dockerfile"));
  EXPECT_FALSE(fs::exists(scratch / "out/docker"));
  EXPECT_EQ(files.at("compose/mine.txt"), "precious");
  EXPECT_EQ(files.at("README"), "precious");

  const Scratch foreign;
  foreign.write("deployment.yaml", kSpec);
  foreign.write("out/compose/compose.yaml", "mine");
  const auto refused =
      caisson({"generate", "deployment.yaml", "--out", "out"}, {.directory = foreign.path()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("was not generated by caisson"));
  EXPECT_EQ(foreign.files().size(), 2U);
}

TEST_F(Generate, OneTargetLeavesTheOthersAsTheyAre) {
  ASSERT_EQ(generate().code, 0);
  const auto before = output();
  ASSERT_EQ(generate({"--target", "compose"}).code, 0);
  EXPECT_EQ(output(), before);
  EXPECT_EQ(generate({"--target", "compose,docker", "--check"}).code, 0);

  const Scratch fresh;
  fresh.write("deployment.yaml", kSpec);
  ASSERT_EQ(caisson({"generate", "deployment.yaml", "--target", "compose", "--out", "out"},
                    {.directory = fresh.path()})
                .code,
            0);
  EXPECT_TRUE(fs::exists(fresh / "out/compose/compose.yaml"));
  EXPECT_FALSE(fs::exists(fresh / "out/docker"));
}

TEST_F(Generate, RefusesATargetThatTheSpecSwitchesOff) {
  replace("deployment.yaml", "tenants:", "targets: { docker: false }\ntenants:");
  const auto ran = generate({"--target", "docker"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("the spec switches target 'docker' off"));
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(Generate, ASpecWithErrorsWritesNothing) {
  replace("deployment.yaml", "tier: free", "tier: fre");
  const auto ran = generate();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("error[E02"));
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(Generate, NothingChangesWhenTheDiskIsFull) {
  ASSERT_EQ(generate().code, 0);
  const auto before = scratch.files();
  replace("deployment.yaml", "slug: globex", "slug: initech");
  // A limit on file sizes fails writes as a full disk does.
  const auto ran = run_program({"bash", "-c",
                                "trap '' XFSZ; ulimit -f 1; exec '" CAISSON_BINARY_DIR
                                "/bin/caisson' generate deployment.yaml --out out"},
                               {.directory = scratch.path()});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error,
              AllOf(HasSubstr("caisson: cannot write 'out/"), HasSubstr("file too large")));
  scratch.write("deployment.yaml", kSpec);
  EXPECT_EQ(scratch.files(), before);
}

TEST_F(Generate, OutputNeverLeavesItsDirectory) {
  fs::create_directory(scratch / "outside");
  fs::create_directory(scratch / "out");
  fs::create_directory_symlink("../outside", scratch / "out/compose");
  const auto ran = generate();
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error,
              HasSubstr("'out/compose' is a symbolic link or a file where a directory belongs"));
  EXPECT_TRUE(fs::is_empty(scratch / "outside"));
}

TEST_F(Generate, AFileInPlaceOfTheDirectoryIsNamed) {
  scratch.write("out", "a file");
  const auto ran = generate();
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, StartsWith("caisson: "));
  EXPECT_EQ(scratch.read("out"), "a file");
}

TEST_F(Generate, NamesAnEnvironmentThatDoesNotExist) {
  const auto ran = generate({"--env", "nope"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("nope"));
}

TEST_F(Generate, BlueprintsCanBeReplacedByName) {
  scratch.write("style/compose/nonsense.yaml", "a: 1\n");
  const auto misspelt = generate({"--blueprints", "style"});
  EXPECT_EQ(misspelt.code, 3);
  EXPECT_THAT(misspelt.error, HasSubstr("compose/nonsense.yaml"));
  EXPECT_EQ(generate({"--blueprints", "missing"}).code, 3);
}

TEST_F(Generate, NoArtifactNamesThisMachine) {
  ASSERT_EQ(generate().code, 0);
  for (const auto& [path, text] : output()) {
    EXPECT_THAT(text, Not(HasSubstr(scratch.path().string()))) << path;
  }
}

}  // namespace
}  // namespace caisson::cli
