#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int tenant_count = 40;

/// Shared tenants, the last of them with a deployment of its own. `service` is what the service
/// `files` has beside its image, `more` stands in front of the tenants.
std::string spec(const std::string& service, const std::string& more = {}) {
  std::string text = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema }, own: { isolation: deployment } }
services: { files: { image: "registry.example/files@sha256:)" +
                     std::string(64, '0') + "\", port: 5000" + service + " } }\n" + more +
                     "tenants:\n";
  for (int i = 0; i < tenant_count; ++i) {
    text += "  - { slug: t" + std::to_string(i) +
            ", tier: " + (i + 1 < tenant_count ? "free" : "own") + " }\n";
  }
  return text;
}

class GeneratePlaces : public ::testing::Test {
 protected:
  Ran generate(const std::string& text, std::vector<std::string> arguments = {}) {
    scratch.write("deployment.yaml", text);
    arguments.insert(arguments.begin(), {"generate", "deployment.yaml", "--out", "out"});
    return caisson(arguments, {.directory = scratch.path()});
  }
  [[nodiscard]] std::string lock() const { return scratch.read("out/caisson.lock.json"); }

  Scratch scratch;
};

TEST_F(GeneratePlaces, RefusesThatReplicasOfAServiceAreLookedForElsewhere) {
  const std::string storage = ", storage: { path: /data, size: 10Gi }";
  const auto shared = spec(storage);
  const auto each = spec(storage + ", replica-per-tenant: true");
  struct Way {
    std::string before;
    std::string after;
    std::vector<std::string> said;
  };
  const std::vector<Way> ways{
      {shared,
       each,
       {"acme_files-data (compose)", "acme/files-data-files-0 (helm)", "acme_files-t0-data"}},
      {each, shared, {"acme_files-t0-data (compose)", " more", "acme_files-data (compose)"}}};
  for (const auto& [before, after, said] : ways) {
    std::filesystem::remove_all(scratch.path() / "out");
    ASSERT_EQ(generate(before).code, 0);
    const auto old = lock();
    const auto refused = generate(after);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("error[E0310]: what service 'files' keeps would be looked for in "),
                      HasSubstr("--accept-move service/files"), Not(HasSubstr("W0304"))));
    for (const auto& text : said) EXPECT_THAT(refused.error, HasSubstr(text));
    EXPECT_EQ(lock(), old);
    const auto accepted = generate(after, {"--accept-move", "service/files"});
    EXPECT_EQ(accepted.code, 0) << accepted.error;
    EXPECT_THAT(accepted.error, Not(HasSubstr("W0304")));
    EXPECT_THAT(generate(after).error, HasSubstr("files unchanged"));
  }
  // Nothing is kept, nothing moves; and a tenant less moves nobody else.
  std::filesystem::remove_all(scratch.path() / "out");
  ASSERT_EQ(generate(spec("")).code, 0);
  EXPECT_EQ(generate(spec(", replica-per-tenant: true")).code, 0);
  ASSERT_EQ(generate(each).code, 0);
  auto fewer = each;
  const std::string first = "  - { slug: t0, tier: free }\n";
  fewer.erase(fewer.find(first), first.size());
  const auto left = generate(fewer);
  EXPECT_EQ(left.code, 0) << left.error;
  EXPECT_THAT(left.error, HasSubstr("volume 'files-t0-data' is no longer used"));
  EXPECT_EQ(generate(each, {"--accept-move", "service/nobody"}).code, 1);
}

TEST_F(GeneratePlaces, ServesDataOfAReplicaThatWasAwayFromNowhereElse) {
  const std::string storage = ", storage: { path: /data, size: 10Gi }";
  ASSERT_EQ(generate(spec(storage)).code, 0);
  ASSERT_EQ(generate(spec("")).code, 0);  // it keeps nothing for a while
  const auto back = generate(spec(storage + ", replica-per-tenant: true"));
  EXPECT_EQ(back.code, 1);
  EXPECT_THAT(back.error, HasSubstr("but it is in acme_files-data (compose)"));
}

TEST_F(GeneratePlaces, SaysOfATenantThatMovesBackThatOlderDataAreThere) {
  const auto of_tier = [](const std::string& tier, const std::string& more = {}) {
    auto text = spec("", more);
    const std::string last = "{ slug: t39, tier: own }";
    return text.replace(text.find(last), last.size(), "{ slug: t39, tier: " + tier + " }");
  };
  const auto* const older = "may still have what it had before it moved away";
  ASSERT_EQ(generate(of_tier("own")).code, 0);
  EXPECT_THAT(generate(of_tier("free")).error,
              AllOf(HasSubstr("error[E0310]: tenant 't39' moves to "), Not(HasSubstr(older))));
  ASSERT_EQ(generate(of_tier("free"), {"--accept-move", "tenant/t39"}).code, 0);
  EXPECT_THAT(lock(), HasSubstr(R"("at": "acme_runtime-t39-data", "bytes": 0, "class": "", )"
                                R"("tenants": [], "moved": ["t39"], "gone": true})"));
  EXPECT_EQ(generate(of_tier("free")).error.find("W0304"), std::string::npos) << "it moved";
  const auto back = generate(of_tier("own"));
  EXPECT_EQ(back.code, 1);
  EXPECT_THAT(back.error,
              AllOf(HasSubstr("but its records, keys, snapshots and what the operator said of it "
                              "are in acme_runtime-data "),
                    HasSubstr("; acme_runtime-t39-data (compose), "), HasSubstr(older)));
  ASSERT_EQ(generate(of_tier("own"), {"--accept-move", "tenant/t39"}).code, 0);
  EXPECT_THAT(lock(), Not(HasSubstr(R"("moved": ["t39"], "gone")")));
  EXPECT_THAT(generate(of_tier("free")).error,
              HasSubstr("; acme_runtime-data (compose), acme/runtime-data-runtime-0 (helm), "
                        "/var/lib/acme/runtime (systemd) may still have what it had"))
      << "of what all tenants share, too";

  // Given up where it went to, it is not served from what it left before without a word.
  ASSERT_EQ(generate(of_tier("free"), {"--accept-move", "tenant/t39"}).code, 0);
  auto without = of_tier("free");
  const std::string line = "  - { slug: t39, tier: free }\n";
  without.erase(without.find(line), line.size());
  ASSERT_EQ(generate(without, {"--accept-move", "tenant/t39"}).code, 0);
  const auto again = generate(of_tier("own"));
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.error, HasSubstr(older));
}

TEST_F(GeneratePlaces, AMoveIsAcceptedForTheTargetsThatAreOnAlone) {
  const auto of_tier = [](const std::string& tier, bool compose) {
    auto text = spec("", compose ? "" : "targets: { compose: false }\n");
    const std::string last = "{ slug: t39, tier: own }";
    return text.replace(text.find(last), last.size(), "{ slug: t39, tier: " + tier + " }");
  };
  ASSERT_EQ(generate(of_tier("own", true)).code, 0);
  ASSERT_EQ(generate(of_tier("own", false)).code, 0);
  ASSERT_EQ(generate(of_tier("free", false), {"--accept-move", "tenant/t39"}).code, 0);
  const auto on = generate(of_tier("free", true));
  EXPECT_EQ(on.code, 1) << "nobody took along what the compose project has";
  EXPECT_THAT(on.error, AllOf(HasSubstr("of it are in acme_runtime-t39-data (compose)"),
                              Not(HasSubstr("(helm)"))));
}

TEST_F(GeneratePlaces, RefusesAPatchThatMovesWhatIsKept) {
  const auto patched = [](const std::string& patch) {
    return spec(", storage: { path: /data, size: 10Gi }",
                "patches: [{ " + patch + ", reason: x }]\n");
  };
  const std::string compose = "file: compose/compose.yaml, at: ";
  const std::string unit = "file: systemd/system/acme-runtime.service, at: ";
  const std::string values = "file: helm/acme/values.yaml, at: ";
  const std::vector<std::pair<std::string, std::string>> moving{
      {compose + "/name, set: other", R"(acme_runtime-data, patched: /name: "other" (compose))"},
      {compose + "/volumes/runtime-data, merge: { name: other }", "volume 'runtime-data'"},
      {compose + "/volumes, merge: { files-data: { external: true } }", "volume 'files-data'"},
      {compose + "/services/runtime/volumes/0/source, set: files-data", "volume 'runtime-data'"},
      {compose + "/services/runtime, merge: { user: '5:5' }", "volume 'runtime-data'"},
      {"file: compose/runtime.json, at: /data, set: /tmp", "volume 'runtime-data'"},
      {"file: systemd/config/runtime.json, at: /data, set: /srv/x", "(systemd)"},
      {"file: systemd/system/acme-runtime.service, at: /Service/User, set: x", "(systemd)"},
      {values + "/workloads/runtime/volumes/runtime-data, merge: { existingClaim: mine }",
       "(helm)"},
      {values + "/tenants/t39/namespace, set: other", "volume 'runtime-t39-data'"},
      {values + "/storageClass, set: slow",
       "take it along as 'Another storage class' of the chart's RUNBOOK.md says"},
      {compose + "/services/runtime, merge: { userns_mode: host }", "/userns_mode: \"host\""},
      {compose + "/services/files, merge: { volumes_from: [runtime] }", "volume 'files-data'"},
      {compose + "/services/files, merge: { tmpfs: [\"/data/new:size=64m\"] }",
       "/services/files/tmpfs: [\"memory at /data/new\"]"},
      {compose + "/services/runtime/configs/0/source, set: runtime-t39.json",
       "volume 'runtime-data'"},
      {compose + "/configs/runtime.json/file, set: ./runtime-t39.json",
       "/configs/runtime.json/file: \"./runtime-t39.json\""},
      {unit + "/Service, merge: { MountImages: [\"/srv/x.raw:/var/lib/acme/runtime\"] }",
       "/Service/MountImages"},
      {unit + "/Service, merge: { RootImage: /srv/x.raw }", "/Service/RootImage"},
      {unit + "/Service, merge: { DynamicUser: true }", "/Service/DynamicUser"},
      {unit + "/Service, merge: { ExtensionDirectories: [/srv/x] }",
       "/Service/ExtensionDirectories"},
      {unit + "/Service/BindReadOnlyPaths/2, set: \"/srv/x.json:/opt/acme/etc/runtime.json\"",
       "/srv/x.json at /opt/acme/etc/runtime.json"},
      {values + "/workloads/files, merge: { writable: { /data: 1Gi } }",
       "/workloads/files/writable: [\"memory at /data\"]"},
      {values + "/workloads/files, merge: { mounts: { /data/old: { emptyDir: {} } } }",
       "/workloads/files/mounts"}};
  const auto plain = spec(", storage: { path: /data, size: 10Gi }");
  for (const auto& [patch, said] : moving) {
    SCOPED_TRACE(patch);
    std::filesystem::remove_all(scratch.path() / "out");
    ASSERT_EQ(generate(plain).code, 0);
    const auto refused = generate(patched(patch));
    EXPECT_EQ(refused.code, 1) << refused.error;
    EXPECT_THAT(refused.error, AllOf(HasSubstr("error[E0310]: volume '"), HasSubstr(said)));
  }
  // It is accepted like any other move, and the way back is one, too.
  const auto other = patched(moving[1].first);
  const auto accepted = generate(other, {"--accept-move", "volume/runtime-data"});
  EXPECT_EQ(accepted.code, 0) << accepted.error;
  EXPECT_EQ(generate(other).code, 0);
  EXPECT_THAT(generate(plain).error, HasSubstr("error[E0310]: volume 'runtime-data'"));
}

TEST_F(GeneratePlaces, SaysNothingOfAPatchThatMovesNothing) {
  const auto plain = spec(", storage: { path: /data, size: 10Gi }");
  const std::string compose = "file: compose/compose.yaml, at: ";
  const std::string unit = "file: systemd/system/acme-runtime.service, at: ";
  const std::string values = "file: helm/acme/values.yaml, at: ";
  ASSERT_EQ(generate(plain).code, 0);
  for (const auto& patch : {
           compose + "/volumes/runtime-data, merge: { labels: { a: b } }",
           compose + "/volumes/runtime-data, merge: { driver: local }",
           compose + "/volumes/runtime-data, merge: { name: acme_runtime-data, external: true }",
           compose + "/services/runtime, merge: { labels: { a: b } }",
           compose + "/services/runtime/restart, set: always",
           compose + "/services/runtime/user, set: '10001:10001'",
           compose + "/services/runtime/tmpfs/0, set: '/tmp:size=256m'",
           compose + "/services/runtime/volumes/1/bind/create_host_path, set: true",
           compose + "/services/files, merge: { tmpfs: ['/var/cache:size=64m'] }",
           unit + "/Service/TemporaryFileSystem/1, set: '/tmp:mode=1777,size=256M'",
           unit + "/Service, merge: { DynamicUser: false }",
           values + "/workloads/files, merge: { writable: { /var/cache: 64Mi } }",
           values + "/workloads/runtime/config/threads, set: 4",
       }) {
    SCOPED_TRACE(patch);
    const auto fine = generate(
        spec(", storage: { path: /data, size: 10Gi }", "patches: [{ " + patch + ", reason: x }]\n"),
        {"--dry-run"});
    EXPECT_EQ(fine.code, 0) << fine.error;
    EXPECT_THAT(fine.error, Not(HasSubstr("E0310")));
  }
}

TEST_F(GeneratePlaces, SaysOfAPatchThatItChangesASize) {
  const auto patched = [](const std::string& workload, const std::string& value) {
    return spec("",
                "backup: { schedule: '0 3 * * *', keep: 7, to: /var/backups/acme }\n"
                "patches: [{ file: helm/acme/values.yaml, at: /workloads/runtime" +
                    workload + ", set: " + value + ", reason: x }]\n");
  };
  const auto* const size = "/volumes/runtime-data/size";
  ASSERT_EQ(generate(patched(size, "10Gi")).code, 0);
  const auto shrunk = generate(patched(size, "1.5Gi"));
  EXPECT_EQ(shrunk.code, 1);
  EXPECT_THAT(shrunk.error, AllOf(HasSubstr("deployment.yaml:7:"),
                                  HasSubstr("error[E0311]: volume 'runtime-data' shrinks from 10Gi "
                                            "to 1536Mi")));
  const auto grown = generate(patched(size, "20Gi"), {"--dry-run"});
  EXPECT_EQ(grown.code, 0);
  EXPECT_THAT(grown.error, HasSubstr("warning[W0303]: volume 'runtime-data' grows from 10Gi to "
                                     "20Gi"));
  EXPECT_THAT(generate(patched("/backup/keep", "9")).error,
              HasSubstr("error[E0311]: volume 'runtime-data' shrinks from 10Gi to 1Gi"))
      << "without the patch of before";
  std::filesystem::remove_all(scratch.path() / "out");
  ASSERT_EQ(generate(patched(size, "1Gi")).code, 0);
  EXPECT_THAT(generate(patched("/backup/keep", "9")).error,
              HasSubstr("warning[W0303]: volume 'runtime.backup' grows from 7Gi to 9Gi"));
}

TEST_F(GeneratePlaces, LooksAtThePatchesOfAnEnvironment) {
  const auto patched = [](const std::string& claim) {
    return spec("",
                "environments:\n  live: { patches: [{ file: helm/acme/values.yaml, at: "
                "/workloads/runtime/volumes/runtime-data, merge: { existingClaim: " +
                    claim + " }, reason: x }] }\n");
  };
  ASSERT_EQ(generate(patched("mine")).code, 0);
  EXPECT_EQ(generate(patched("mine")).code, 0);
  const auto refused = generate(patched("other"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("deployment.yaml:7:"),
                    HasSubstr("[\"claim other at /var/lib/caisson\"] (helm, environment live)")));
}

TEST_F(GeneratePlaces, RefusesThatWhatKeepsSomethingIsADeployment) {
  for (const auto* workload : {"runtime", "files"}) {
    const auto refused =
        generate(spec(", storage: { path: /data, size: 10Gi }",
                      std::string("patches: [{ file: helm/acme/values.yaml, at: /workloads/") +
                          workload + "/kind, set: Deployment, reason: x }]\n"));
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("deployment.yaml:6:"),
                      HasSubstr(std::string("helm: ") + workload + " keeps volumes")));
  }
}

TEST_F(GeneratePlaces, RefusesToWriteOverWhatSaysNoMoreWhereItsDataAre) {
  ASSERT_EQ(generate(spec("")).code, 0);
  std::filesystem::remove(scratch.path() / "out/caisson.lock.json");
  const auto before = scratch.read("out/compose/compose.yaml");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--force"}}) {
    auto moved = spec("");
    moved.replace(moved.find("1.0.0"), 5, "2.0.0");
    const auto refused = generate(moved, more);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error,
                AllOf(HasSubstr("files that were generated are there, and no caisson.lock.json"),
                      HasSubstr("restore it from version control, or generate into an empty "
                                "directory")));
    EXPECT_EQ(scratch.read("out/compose/compose.yaml"), before);
  }
}

TEST_F(GeneratePlaces, SaysWhatTheClaimOfBackupsNeedsAndNeverShrinksIt) {
  const auto with = [](int keep, const std::string& schedule = "0 3 * * *") {
    return spec("", "backup: { schedule: '" + schedule + "', keep: " + std::to_string(keep) +
                        ", to: /var/backups/acme }\ntargets: { helm: { namespace: acme } }\n");
  };
  ASSERT_EQ(generate(with(7)).code, 0);
  const auto more = generate(with(30, "0 4 * * *"), {"--dry-run"});
  EXPECT_EQ(more.code, 0) << more.error;
  EXPECT_THAT(more.error,
              AllOf(HasSubstr("warning[W0303]: volume 'runtime.backup' grows from 7Gi to 30Gi"),
                    HasSubstr("'runtime-t39.backup'"), HasSubstr("Grow a volume")));
  const auto fewer = generate(with(3));
  EXPECT_EQ(fewer.code, 0) << fewer.error;
  EXPECT_THAT(fewer.error, AllOf(Not(HasSubstr("W0303")), Not(HasSubstr("E0311"))));
  EXPECT_THAT(lock(), HasSubstr(R"("at": "acme/runtime.backup", "bytes": 7516192768,)"))
      << "it is as large as it was";
  EXPECT_THAT(generate(with(7)).error, Not(HasSubstr("W0303")));
  EXPECT_THAT(generate(with(8)).error, HasSubstr("grows from 7Gi to 8Gi"));
  EXPECT_THAT(scratch.read("out/helm/acme/RUNBOOK.md"),
              HasSubstr("grow acme runtime.backup 8Gi &&\n"));
  // Copies stay when nobody makes more of them.
  EXPECT_THAT(generate(spec("")).error, HasSubstr("'runtime.backup' is no longer used in acme/"));
}

TEST_F(GeneratePlaces, SaysOfAnEnvironmentThatGoesWhatItLeavesAndOfNoTenantThatItLeft) {
  const auto live = [](const std::string& about) {
    return "environments: { live: { " + about + " } }\n";
  };
  for (const auto* about : {"version: 2.0.0", "targets: { helm: { namespace: other } }"}) {
    std::filesystem::remove_all(scratch.path() / "out");
    ASSERT_EQ(generate(spec("", live(about))).code, 0);
    const auto gone = generate(spec(""));
    EXPECT_EQ(gone.code, 0) << gone.error;
    EXPECT_THAT(
        gone.error,
        AllOf(HasSubstr("target 'helm' of environment 'live' keeps no data any more; what it "
                        "kept stays in "),
              HasSubstr("with the environment or its target back, it is taken up"),
              Not(HasSubstr("no longer served"))));
    EXPECT_THAT(generate(spec("")).error, Not(HasSubstr("W0304"))) << "it is said once";
  }
}

TEST_F(GeneratePlaces, KnowsAnEnvironmentUnderAnotherName) {
  const auto in = [](const std::string& name, const std::string& more) {
    return spec("", "environments: { " + name + ": { targets: { helm: { namespace: prod } }" +
                        more + " } }\n");
  };
  ASSERT_EQ(generate(in("production", "")).code, 0);
  const auto renamed = generate(in("prod", ""), {"--check"});
  EXPECT_THAT(renamed.error, Not(AnyOf(HasSubstr("E0310"), HasSubstr("W0304"))));
  const auto moved = generate(in("prod", ", tenants: [{ slug: t0, tier: own }]"));
  EXPECT_EQ(moved.code, 1);
  EXPECT_THAT(moved.error,
              AllOf(HasSubstr("error[E0310]: tenant 't0' moves to "),
                    HasSubstr("prod/runtime-data-runtime-0"), Not(HasSubstr("W0304: target"))));
}

/// The spec without tenants of its own and with environments: each keeps data in the namespace of
/// the deployment, on a cluster of its own.
std::string environments(const std::string& each) {
  return "caisson: v1\nname: acme\nversion: 1.0.0\n"
         "tiers: { free: { isolation: schema }, own: { isolation: deployment } }\n"
         "tenants: []\n" +
         (each.empty() ? "" : "environments: { " + each + " }\n");
}
std::string serving(const std::string& name, const std::string& shared,
                    const std::string& own = {}) {
  std::string tenants;
  for (const auto& [slugs, tier] : {std::pair{shared, "free"}, {own, "own"}})
    for (const char slug : slugs)
      tenants +=
          std::string(tenants.empty() ? "" : ", ") + "{ slug: t" + slug + ", tier: " + tier + " }";
  return name + ": { tenants: [" + tenants + "] }";
}

TEST_F(GeneratePlaces, AsksWhichEnvironmentIsWhichWhereItMayBeSeveral) {
  const auto before = environments(serving("live", "01") + ", " + serving("trial", "2"));
  ASSERT_EQ(generate(before).code, 0);
  const auto after = environments(serving("a", "2") + ", " + serving("b", "0", "1"));
  const auto asked = generate(after);
  EXPECT_EQ(asked.code, 1);
  for (const auto* name : {"a", "b"})
    EXPECT_THAT(
        asked.error,
        HasSubstr("error[E0310]: environment '" + std::string(name) +
                  "' keeps data where 'live', 'trial' kept theirs, and may be one of them"));
  const std::string renamed = "environment/live=b,environment/trial=a";
  const auto moved = generate(after, {"--accept-move", renamed});
  EXPECT_EQ(moved.code, 1);
  EXPECT_THAT(moved.error, AllOf(HasSubstr("error[E0310]: tenant 't1' moves to "),
                                 Not(AnyOf(HasSubstr("'t0'"), HasSubstr("'t2'"),
                                           HasSubstr("keeps data where"), HasSubstr("W0304")))));
  EXPECT_EQ(generate(after, {"--accept-move", renamed + ",tenant/t1"}).code, 0);
  EXPECT_EQ(generate(after, {"--check"}).code, 0);
}

TEST_F(GeneratePlaces, HidesNoMoveBehindANewEnvironmentThatIsLikeTheOldOne) {
  ASSERT_EQ(generate(environments(serving("live", "01"))).code, 0);
  const auto after = environments(serving("prod", "0", "1") + ", " + serving("demo", "01"));
  EXPECT_EQ(generate(after).code, 1);
  EXPECT_THAT(generate(after, {"--accept-move", "environment/live=prod"}).error,
              HasSubstr("tenant 't1' moves to "));
  const auto others = generate(after, {"--accept-move", "environment/live"});
  EXPECT_EQ(others.code, 0) << others.error;
  EXPECT_EQ(generate(after, {"--accept-move", "environment/live"}).code, 1) << "it is forgotten";
}

TEST_F(GeneratePlaces, AsksWhetherAnEnvironmentIsTheOneThatHadItsNameBefore) {
  ASSERT_EQ(generate(environments(serving("old", "01") + ", " + serving("live", "0", "1"))).code,
            0);
  ASSERT_EQ(generate(environments(serving("live", "0", "1"))).code, 0);
  const auto named = environments(serving("old", "0", "1"));
  const auto asked = generate(named);
  EXPECT_EQ(asked.code, 1);
  EXPECT_THAT(asked.error, HasSubstr("environment 'old' keeps data where 'live', 'old' kept"));
  EXPECT_THAT(
      generate(named, {"--accept-move", "environment/old=old"}).error,
      AllOf(HasSubstr("tenant 't1' moves to "), HasSubstr("of environment 'live' keeps no")));
  const auto renamed = generate(named, {"--accept-move", "environment/live=old"});
  EXPECT_EQ(renamed.code, 0) << renamed.error;
  EXPECT_THAT(renamed.error, Not(AnyOf(HasSubstr("E0310"), HasSubstr("W0304"))));
  EXPECT_EQ(generate(named, {"--check"}).code, 0);
}

TEST_F(GeneratePlaces, RemembersAnEnvironmentUntilItComesBackUnderAnotherName) {
  const auto other = serving("c", "9");
  ASSERT_EQ(generate(environments(serving("a", "0") + ", " + other)).code, 0);
  ASSERT_EQ(generate(environments(other)).code, 0);
  const auto back = generate(environments(serving("b", "", "0") + ", " + other));
  EXPECT_EQ(back.code, 1);
  EXPECT_THAT(back.error, HasSubstr("tenant 't0' moves to "));
}

TEST_F(GeneratePlaces, LetsEnvironmentsExchangeTheirNames) {
  ASSERT_EQ(generate(environments(serving("a", "0", "1") + ", " + serving("b", "01"))).code, 0);
  const auto swapped = environments(serving("a", "01") + ", " + serving("b", "0", "1"));
  EXPECT_EQ(generate(swapped).code, 1);
  const auto said = generate(swapped, {"--accept-move", "environment/a=b,environment/b=a"});
  EXPECT_EQ(said.code, 0) << said.error;
  EXPECT_THAT(said.error, Not(AnyOf(HasSubstr("E0310"), HasSubstr("W0304"))));
  EXPECT_EQ(generate(swapped, {"--check"}).code, 0);
}

TEST_F(GeneratePlaces, PointsAtWhatAnEnvironmentSaysItself) {
  const auto live = [](const std::string& about) {
    return "environments:\n  live: { " + about + " }\n";
  };
  struct Way {
    std::string before;
    std::string after;
  };
  const std::vector<Way> ways{{"version: 2.0.0", "targets: { helm: { namespace: other } }"},
                              {"runtime: { storage: 20Gi }", "runtime: { storage: 1Gi }"},
                              {"version: 2.0.0", "targets: { helm: { storage-class: fast } }"}};
  for (const auto& [before, after] : ways) {
    SCOPED_TRACE(after);
    std::filesystem::remove_all(scratch.path() / "out");
    ASSERT_EQ(generate(spec("", live(before))).code, 0);
    const auto refused = generate(spec("", live(after)));
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error, AllOf(HasSubstr("error[E031"), HasSubstr("deployment.yaml:7:"),
                                     Not(HasSubstr("deployment.yaml:1:"))));
  }
}

TEST_F(GeneratePlaces, RefusesThatAReplicaIsLookedForInAnotherNamespaceAtItsTenant) {
  const auto of_tier = [](const std::string& tier) {
    auto text = spec(", storage: { path: /data, size: 10Gi }, replica-per-tenant: true");
    const std::string last = "{ slug: t39, tier: own }";
    return text.replace(text.find(last), last.size(), "{ slug: t39, tier: " + tier + " }");
  };
  ASSERT_EQ(generate(of_tier("own")).code, 0);
  const auto refused = generate(of_tier("free"), {"--accept-move", "tenant/t39"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error,
              HasSubstr("deployment.yaml:46:5: error[E0310]: volume 'files-t39-data' would be "
                        "looked for in acme/"));
  // When everything moves it is not the tenant's doing.
  auto other = of_tier("own");
  other += "targets: { helm: { namespace: other } }\n";
  EXPECT_THAT(generate(other).error,
              AllOf(HasSubstr("volume 'files-t0-data' would be looked for in other/"),
                    HasSubstr("deployment.yaml:47:"), Not(HasSubstr("deployment.yaml:46:"))));
}

TEST_F(GeneratePlaces, RefusesThatAVolumeIsTakenForThatOfAnotherReplica) {
  const auto with = [](const std::string& slug) {
    std::string text =
        "caisson: v1\nname: shop\nversion: 1.0.0\n"
        "tiers: { free: { isolation: schema } }\nservices:\n";
    for (const auto* name : {"web", "web-eu"}) {
      text += std::string("  ") + name +
              ": { image: \"registry.example/web@sha256:" + std::string(64, '0') +
              "\", port: 80, replica-per-tenant: true, storage: { path: /data, size: 1Gi } }\n";
    }
    return text + "tenants: [{ slug: " + slug + ", tier: free }]\n";
  };
  ASSERT_EQ(generate(with("eu-acme")).code, 0);
  const auto refused = generate(with("acme"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("error[E0310]: shop_web-eu-acme-data (compose) would be of service "
                              "'web-eu' for tenant 'acme', but what it keeps is of service 'web' "
                              "for tenant 'eu-acme'"),
                    HasSubstr("--accept-move volume/web-eu-acme-data")));
  EXPECT_EQ(generate(with("acme"), {"--accept-move", "volume/web-eu-acme-data"}).code, 0);
  EXPECT_EQ(generate(with("acme")).code, 0) << "it is asked once";
}

TEST_F(GeneratePlaces, RefusesThatSecretsAreMadeAnewInAnotherDirectory) {
  ASSERT_EQ(generate(spec("")).code, 0);
  const auto refused = generate(spec("", "targets: { systemd: { prefix: /srv/acme } }\n"));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error,
              HasSubstr("error[E0310]: volume 'secrets' would be looked for in /srv/acme/secrets "
                        "(systemd), but what it keeps is in /opt/acme/secrets (systemd)"));
}

TEST_F(GeneratePlaces, RefusesThatATenantMovesWhileItsOwnDomainsAreServed) {
  const auto with = [](const std::string& tier, const std::string& status) {
    return spec("") + "  - { slug: shop, tier: " + tier + ", status: " + status +
           ", domains: [shop.example.net] }\n";
  };
  const std::vector<std::string> moves{"--accept-move", "tenant/shop"};
  for (const auto& [before, after] : {std::pair{"free", "own"}, std::pair{"own", "free"}}) {
    std::filesystem::remove_all(scratch.path() / "out");
    ASSERT_EQ(generate(with(before, "active")).code, 0);
    const auto refused = generate(with(after, "active"), moves);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.error, AllOf(HasSubstr("error[E0310]: tenant 'shop' moves to another "
                                               "namespace with domains of its own"),
                                     HasSubstr("write `status: suspended` until it has moved")));
    // No other target has an Ingress.
    EXPECT_EQ(
        generate(with(after, "active"), {"--target", "compose", "--dry-run", moves[0], moves[1]})
            .code,
        0);
    EXPECT_EQ(generate(with(before, "suspended")).code, 0);
    EXPECT_THAT(scratch.read("out/helm/acme/values.yaml"),
                Not(HasSubstr("  \"shop.example.net\":")));
    EXPECT_EQ(generate(with(after, "suspended"), moves).code, 0);
    EXPECT_EQ(generate(with(after, "active")).code, 0);
  }
}

}  // namespace
}  // namespace caisson::cli
