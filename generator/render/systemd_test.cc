#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/render_testing.h"
#include "generator/render/systemd_layout.h"
#include "installer/format/site.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;
using testing::Not;

const TargetSet only_systemd{Target::systemd};

const std::string services = R"(
secrets: { key: { from: { generate: { bytes: 24 } } } }
services:
  shared:
    image: r/x@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d
    env: { TOKEN: "${secret:key}", PRICE: "$5 at 100%" }
    local: { command: [bin/serve, "$HOME", "50%"] }
  own:
    image: r/y@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d
    replica-per-tenant: true
    local: { command: ["exec own --all"] }
  image-only: { image: "r/z@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d" }
)";

const std::string spec = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema }, enterprise: { isolation: deployment } }
tenants:
  - { slug: globex, tier: free }
  - { slug: big-co, tier: enterprise }
)";

Artifacts units_of(const std::string& text) {
  return rendered(plan::plan_of(text).plan, only_systemd);
}

std::string unit(const Artifacts& artifacts, const std::string& name) {
  return artifact(artifacts, "systemd/system/" + name).bytes;
}

TEST(RenderSystemd, ConfinesServicesAsFarAsTheirFieldsSay) {
  const auto artifacts = units_of(spec + R"(
services:
  jit: { image: r/x, local: { command: [node, app.js] }, writable: [/scratch] }
  plain:
    image: r/y
    local: { command: [bin/plain] }
    systemd: { memory-deny-write-execute: true, proc-subset: pid }
    limits: { processes: 20000, files: 1000000 }
    writable: [{ path: /scratch, size: 2Gi, exec: false }]
)");
  for (const auto* line : {"MemoryDenyWriteExecute=no\n", "ProcSubset=all\n", "TasksMax=4096\n",
                           "LimitNOFILE=524288\n", "TemporaryFileSystem=/tmp:mode=1777,size=256M\n",
                           "TemporaryFileSystem=/scratch:mode=1777,size=268435456\n"}) {
    EXPECT_THAT(unit(artifacts, "acme-jit.service"), HasSubstr(line));
  }
  for (const auto* line : {"MemoryDenyWriteExecute=yes\n", "ProcSubset=pid\n", "TasksMax=20000\n",
                           "LimitNOFILE=1000000\n",
                           "TemporaryFileSystem=/scratch:mode=1777,size=2147483648,noexec\n"}) {
    EXPECT_THAT(unit(artifacts, "acme-plain.service"), HasSubstr(line));
  }
  // What interpreters call and container engines allow, and no runtime of Caisson's needs.
  const auto* calls = "SystemCallFilter=@chown @setuid @memlock ";
  EXPECT_THAT(unit(artifacts, "acme-jit.service"),
              testing::AllOf(HasSubstr("AF_NETLINK\n"), HasSubstr(calls)));
  for (const auto* other :
       {"acme-runtime.service", "acme-dashboard.service", "acme-edge.service"}) {
    EXPECT_THAT(unit(artifacts, other),
                testing::AllOf(Not(HasSubstr("AF_NETLINK")), Not(HasSubstr("@chown")),
                               HasSubstr("SystemCallFilter=~@privileged @resources ")));
  }
  for (const auto* line : {"MemoryDenyWriteExecute=yes\n", "ProcSubset=pid\n"}) {
    EXPECT_THAT(unit(artifacts, "acme-runtime.service"), HasSubstr(line));
    EXPECT_THAT(unit(artifacts, "acme-edge.service"), HasSubstr(line));
  }
}

TEST(RenderSystemd, LetsWhoHasALowPortListenThereAndNobodyElse) {
  const auto artifacts = units_of(spec + R"(
services:
  low: { image: r/x, port: 80, local: { command: [serve] } }
  image: { image: r/x, port: 1023 }
  high: { image: r/x, port: 1024, needs: [low], local: { command: [serve] } }
)");
  for (const auto* name : {"acme-low.service", "acme-image.service"}) {
    EXPECT_THAT(unit(artifacts, name),
                testing::AllOf(HasSubstr("\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"),
                               HasSubstr("\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"),
                               Not(HasSubstr("PrivateUsers="))));
  }
  for (const auto* name : {"acme-high.service", "acme-runtime.service"}) {
    EXPECT_THAT(unit(artifacts, name), testing::AllOf(Not(HasSubstr("CAP_NET_BIND_SERVICE")),
                                                      HasSubstr("PrivateUsers=yes\n")));
  }
}

TEST(RenderSystemd, EveryServiceStartsFromTheHouseStyle) {
  for (const auto& file : units_of(spec + services)) {
    if (!file.path.ends_with(".service")) continue;
    SCOPED_TRACE(file.path);
    for (const auto* line :
         {"NoNewPrivileges=yes\n", "ProtectSystem=strict\n", "MemoryDenyWriteExecute=",
          "SystemCallFilter=@system-service\n", "RestrictNamespaces=yes\n", "PrivateDevices=yes\n",
          "CapabilityBoundingSet=", "IPAddressDeny=", "RestrictAddressFamilies=AF_",
          "MemoryMax=", "TasksMax=", "CPUQuota=", "Slice=acme-", "PartOf=acme.target\n"}) {
      EXPECT_THAT(file.bytes, HasSubstr(line));
    }
    const bool edge = file.path.ends_with("acme-edge.service");
    EXPECT_EQ(file.bytes.find("PrivateNetwork=yes\n") == std::string::npos, edge);
    EXPECT_EQ(file.bytes.find("\nUser=") == std::string::npos,
              file.bytes.find("DynamicUser=yes\n") != std::string::npos);
    EXPECT_THAT(file.tree, testing::NotNull());
  }
}

/// systemd starts what says nothing at most five times in ten seconds, and whoever stops and starts
/// everything is locked out.
TEST(RenderSystemd, BoundsItselfHowOftenAnyUnitMayStart) {
  for (const auto& file :
       units_of(spec + services + "backup: { schedule: '0 3 * * *', to: /srv/b }\n")) {
    if (!file.path.starts_with("systemd/system/")) continue;
    const auto has_no_limit = file.path.ends_with(".target") || file.path.ends_with(".slice");
    EXPECT_EQ(file.bytes.find("StartLimitIntervalSec=") == std::string::npos, has_no_limit)
        << file.path;
  }
}

TEST(RenderSystemd, SharesWithANetworkNoTemporaryFiles) {
  const auto text = spec + services +
                    "  small: { image: r/x, local: { command: [bin/small] }, "
                    "writable: [{ path: /tmp, size: 1Mi, exec: false }] }\n";
  const auto artifacts = units_of(text);
  for (const auto& file : artifacts) {
    if (!file.path.ends_with(".service")) continue;
    SCOPED_TRACE(file.path);
    EXPECT_THAT(file.bytes, HasSubstr("TemporaryFileSystem=/dev/shm:mode=1777,size="));
    if (file.bytes.find("PrivateNetwork=yes\n") == std::string::npos) continue;
    EXPECT_THAT(file.bytes, HasSubstr("TemporaryFileSystem=/tmp:mode=1777,size="));
    EXPECT_THAT(file.bytes, HasSubstr("TemporaryFileSystem=/var/tmp:mode=1777,size="));
    EXPECT_THAT(file.bytes, Not(HasSubstr("PrivateTmp=")));
    if (file.bytes.find("JoinsNamespaceOf=") == std::string::npos) continue;
    EXPECT_THAT(file.bytes, Not(HasSubstr("DynamicUser="))) << "it implies PrivateTmp=";
  }
  EXPECT_THAT(unit(artifacts, "acme-small.service"),
              testing::AllOf(HasSubstr("TemporaryFileSystem=/tmp:mode=1777,size=1048576,noexec\n"),
                             Not(HasSubstr("TemporaryFileSystem=/tmp:mode=1777,size=256M")),
                             HasSubstr("User=acme-small\n")));
  EXPECT_THAT(artifact(artifacts, "systemd/sysusers.d/acme.conf").bytes,
              HasSubstr("u acme-small - \"acme small\" -\n"));
  EXPECT_THAT(artifact(artifacts, "systemd/tmpfiles.d/acme.conf").bytes,
              Not(HasSubstr("acme-small")));
}

TEST(RenderSystemd, GivesWhatIsThereToTheAccountOfThisVersion) {
  const auto artifacts = units_of(spec);
  EXPECT_THAT(artifact(artifacts, "systemd/tmpfiles.d/acme.conf").bytes,
              HasSubstr("d /var/lib/acme/runtime-big-co 0700 acme-runtime-big-co "
                        "acme-runtime-big-co - -\n"
                        "Z /var/lib/acme/runtime-big-co - acme-runtime-big-co "
                        "acme-runtime-big-co - -\n"));
}

TEST(RenderSystemd, OpensTheListenersForTheProcesses) {
  const auto artifacts = units_of(spec);
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co-data.socket"),
              testing::AllOf(HasSubstr("ListenStream=/run/acme/runtime-big-co/data.sock\n"),
                             HasSubstr("SocketGroup=acme\n"), HasSubstr("SocketMode=0660\n"),
                             HasSubstr("Service=acme-runtime-big-co.service\n")));
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co-operator.socket"),
              testing::AllOf(HasSubstr("SocketUser=acme-runtime-big-co\n"),
                             HasSubstr("SocketMode=0600\n")));
  EXPECT_THAT(
      unit(artifacts, "acme-runtime-big-co-metrics.socket"),
      testing::AllOf(HasSubstr("SocketUser=root\n"), HasSubstr("SocketGroup=acme_metrics\n"),
                     HasSubstr("SocketMode=0660\n")))
      << "who watches is in this group, and in none that the operator's socket lets in";
  EXPECT_THAT(artifact(artifacts, "systemd/sysusers.d/acme.conf").bytes,
              HasSubstr("g acme_metrics -\n"));
  EXPECT_THAT(artifact(artifacts, "systemd/config/runtime-big-co.json").bytes,
              testing::AllOf(HasSubstr("\"unix:/run/acme/runtime-big-co/data.sock\""),
                             HasSubstr("\"unix:/run/acme/runtime-big-co/operator.sock\""),
                             HasSubstr("\"unix\""),
                             HasSubstr("/run/credentials/acme-runtime-big-co.service/")));
  EXPECT_THAT(artifact(artifacts, "systemd/config/Caddyfile").bytes,
              testing::AllOf(HasSubstr("unix//run/acme/runtime-big-co/data.sock"),
                             Not(HasSubstr("operator.sock"))));
}

TEST(RenderSystemd, KeepsTenantsApartFromWhatARestartIsFor) {
  const auto artifacts = units_of(spec);
  const auto directory = std::string("/opt/acme/etc/tenants/runtime-big-co");
  EXPECT_THAT(artifact(artifacts, "systemd/config/runtime-big-co.json").bytes,
              testing::AllOf(HasSubstr("\"tenants-file\": \"" + directory + "/tenants.ndjson\""),
                             Not(HasSubstr("\"tiers\"")), Not(HasSubstr("\"tenants\""))));
  EXPECT_THAT(
      artifact(artifacts, "systemd/config/tenants/runtime-big-co/tenants.ndjson").bytes,
      testing::AllOf(testing::StartsWith("{ \"tiers\": {"), HasSubstr("\"slug\": \"big-co\"")));
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co.service"),
              testing::AllOf(HasSubstr("BindReadOnlyPaths=" + directory),
                             Not(HasSubstr("/etc/tenants/runtime/"))));
  EXPECT_THAT(artifact(artifacts, "systemd/install.sh").bytes,
              testing::AllOf(HasSubstr("look acme-runtime-big-co.service "
                                       "/opt/acme/bin/caisson-runtime "
                                       "/opt/acme/etc/runtime-big-co.json /opt/acme/secrets/"),
                             Not(testing::ContainsRegex("look.*tenants"))));
}

TEST(RenderSystemd, GivesEachTenantsDeploymentASliceAndANetworkOfItsOwn) {
  const auto artifacts = units_of(spec + services);
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co.service"),
              testing::AllOf(HasSubstr("Slice=acme-tenant-big_co.slice\n"),
                             HasSubstr("JoinsNamespaceOf=acme-own-big-co.service\n"),
                             Not(HasSubstr("JoinsNamespaceOf=acme-shared.service")),
                             Not(HasSubstr("runtime.json"))));
  EXPECT_THAT(unit(artifacts, "acme-own-globex.service"),
              Not(HasSubstr("JoinsNamespaceOf=acme-runtime-big-co.service")));
  EXPECT_THAT(unit(artifacts, "acme-tenant-big_co.slice"),
              testing::AllOf(HasSubstr("MemoryMax="), HasSubstr("TasksMax=")));
}

TEST(RenderSystemd, TakesValuesAsDataAndKeepsSecretsOutOfTheEnvironment) {
  const auto text = unit(units_of(spec + services), "acme-shared.service");
  EXPECT_THAT(text,
              HasSubstr("ExecStart=/opt/acme/services/shared/bin/serve \"$$HOME\" \"50%%\"\n"));
  EXPECT_THAT(text, HasSubstr("Environment=\"PRICE=$5 at 100%%\"\n"));
  EXPECT_THAT(text, HasSubstr("Environment=TOKEN_FILE=/run/credentials/acme-shared.service/key\n"));
  EXPECT_THAT(text, HasSubstr("LoadCredential=key:/opt/acme/secrets/key\n"));
  EXPECT_THAT(text, Not(HasSubstr("TOKEN=")));
}

/// A web service that needs one for everybody and one of each tenant; `program` is of the host.
const std::string images = R"(
services:
  web:
    image: r/web:1
    command: [serve, "100%"]
    env: { LEVEL: info }
    port: 8080
    storage: { path: /srv/data, size: 1Gi }
    needs: [api, own, program]
  api: { image: r/api:1, port: 9000 }
  own: { image: r/own:1, port: 9001, replica-per-tenant: true, needs: [api] }
  program: { image: r/p:1, port: 7000, local: { command: [bin/p] }, needs: [api] }
  apart: { image: r/apart:1 }
)";

TEST(RenderSystemd, GivesAnImageARootAndANetworkOfItsOwn) {
  const auto artifacts = units_of(spec + images);
  const auto web = unit(artifacts, "acme-web.service");
  for (const auto* line :
       {"ExecStart=/bin/false serve \"100%%\"\n", "RootDirectory=/opt/acme/images/web/root\n",
        "AssertPathExists=/opt/acme/images/web/root\n", "User=acme-web\n", "MountAPIVFS=yes\n",
        "PrivateNetwork=yes\n", "BindReadOnlyPaths=/opt/acme/etc/web.hosts:/etc/hosts\n",
        "BindPaths=/var/lib/acme/web:/srv/data\n", "Environment=LEVEL=info\n"}) {
    EXPECT_THAT(web, HasSubstr(line));
  }
  EXPECT_THAT(web, Not(HasSubstr("TemporaryFileSystem=/opt/acme")));
  EXPECT_THAT(web, Not(HasSubstr("JoinsNamespaceOf=acme-api.service")));
  EXPECT_THAT(unit(artifacts, "acme-runtime.service"),
              Not(HasSubstr("JoinsNamespaceOf=acme-web.service")));
  EXPECT_THAT(unit(artifacts, "acme-apart.service"), Not(HasSubstr("JoinsNamespaceOf=")));
  EXPECT_THAT(unit(artifacts, "acme.target"), HasSubstr("Wants=acme-web.service\n"));
}

TEST(RenderSystemd, OpensADoorForEachNeedAndNoOther) {
  const auto artifacts = units_of(spec + images);
  EXPECT_EQ(artifact(artifacts, "systemd/config/web.hosts").bytes,
            "# Generated by Caisson.\n127.0.0.1 localhost web\n::1 localhost\n127.0.1.1 api\n"
            "127.0.1.2 own-globex\n127.0.1.3 own-big-co\n127.0.1.4 program\n");
  const auto listener = unit(artifacts, "acme-web_to_own-big-co.socket");
  for (const auto* line :
       {"ListenStream=127.0.1.3:9001\n", "PrivateNetwork=yes\n", "PrivateIPC=yes\n",
        "JoinsNamespaceOf=acme-web.service\n", "JoinsNamespaceOf=acme-web_to_api.socket\n"}) {
    EXPECT_THAT(listener, HasSubstr(line));
  }
  EXPECT_THAT(listener, Not(HasSubstr("acme-own-big-co.service")));
  const auto door = unit(artifacts, "acme-web_to_own-big-co.service");
  for (const auto* line :
       {"ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:9001\n", "User=acme_doors\n",
        "PrivateNetwork=yes\n", "JoinsNamespaceOf=acme-own-big-co.service\n"}) {
    EXPECT_THAT(door, HasSubstr(line));
  }
  EXPECT_THAT(door, Not(HasSubstr("JoinsNamespaceOf=acme-web.service")));
  // The network of an image and that of programs.
  EXPECT_THAT(unit(artifacts, "acme-web_to_program.service"),
              HasSubstr("JoinsNamespaceOf=acme-runtime.service\n"));
  EXPECT_THAT(unit(artifacts, "acme-program_to_api.socket"),
              testing::AllOf(HasSubstr("ListenStream=127.0.0.1:9000\n"),
                             HasSubstr("JoinsNamespaceOf=acme-runtime.service\n")));
  std::set<std::string> doors;
  for (const auto& each : artifacts) {
    if (each.path.find("_to_") != std::string::npos && each.path.ends_with(".socket")) {
      doors.insert(each.path.substr(std::string("systemd/system/acme-").size()));
    }
  }
  EXPECT_EQ(doors, (std::set<std::string>{"own-big-co_to_api.socket", "own-globex_to_api.socket",
                                          "program_to_api.socket", "web_to_api.socket",
                                          "web_to_own-big-co.socket", "web_to_own-globex.socket",
                                          "web_to_program.socket"}));
}

TEST(RenderSystemd, InstallsImagesThatAreNamedOnTheCommandLine) {
  const auto script = artifact(units_of(spec + images), "systemd/install.sh").bytes;
  EXPECT_THAT(script, HasSubstr("image acme-web.service acme-web web 'r/web:1'\n"));
  EXPECT_THAT(script, HasSubstr("look acme-web.service /etc/systemd/system/acme-web.service.d/"
                                "image.conf /opt/acme/etc/web.hosts\n"));
  EXPECT_THAT(script, HasSubstr("look acme-web_to_api.service\n"));
  EXPECT_THAT(artifact(units_of(spec), "systemd/install.sh").bytes, Not(HasSubstr("--images")));
}

TEST(RenderSystemd, TellsTheInstallerWhatInstallShDoes) {
  const auto artifacts = units_of(spec + services + R"(
backup: { schedule: "0 3 * * *", to: /var/backups/acme }
)");
  const auto& text = artifact(artifacts, "systemd/SITE").bytes;
  const auto needs = installer::read_site_needs(text);
  ASSERT_TRUE(needs) << needs.error().what << "\n" << text;
  EXPECT_EQ(installer::write_site_needs(*needs), text);
  EXPECT_EQ(needs->product, "acme");
  EXPECT_EQ(needs->edge, "acme-edge.service");
  EXPECT_EQ(needs->door, "edge_door");
  EXPECT_EQ(needs->ports.size(), 2U);
  EXPECT_THAT(needs->stores, testing::Contains("runtime-big-co"));
  EXPECT_THAT(needs->stores, Not(testing::Contains("edge")));
  ASSERT_EQ(needs->runtimes.size(), 2U);
  EXPECT_EQ(needs->runtimes[1].settings, "runtime-big-co.json");
  // Every file and every secret that install.sh brings, and no others.
  const auto& script = artifact(artifacts, "systemd/install.sh").bytes;
  std::size_t files = 0;
  for (const auto& each : artifacts) {
    const std::string top = "systemd/config/";
    if (!each.path.starts_with(top)) continue;
    ++files;
    const auto path = each.path.substr(top.size());
    const auto file = std::ranges::find(needs->settings, path, &installer::SettingsFile::path);
    ASSERT_NE(file, needs->settings.end()) << path;
    EXPECT_THAT(script,
                HasSubstr("configure " + std::string(file->mode == 0640 ? "0640 " : "0644 ") +
                          file->group + " " + path + "\n"));
  }
  EXPECT_EQ(needs->settings.size(), files);
  for (const auto& secret : needs->secrets) {
    EXPECT_THAT(script, HasSubstr("| put " + secret.name + "\n"));
  }
  ASSERT_EQ(needs->images.size(), 1U);
  EXPECT_EQ(needs->images[0].name, "image-only");
  EXPECT_EQ(needs->images[0].account, "acme-image-only");
  EXPECT_EQ(needs->programs.size(), 3U) << "`own` is there twice";
  // Every service but the edge, and nothing that a timer starts.
  std::set<std::string> started(needs->services.begin(), needs->services.end());
  started.insert(needs->edge);
  for (const auto& each : artifacts) {
    const std::string top = "systemd/system/";
    if (!each.path.starts_with(top) || !each.path.ends_with(".service")) continue;
    EXPECT_EQ(started.contains(each.path.substr(top.size())),
              !each.path.ends_with("_backup.service"))
        << each.path;
  }
}

TEST(RenderSystemd, BacksEachRuntimeUpAsItsOwnAccount) {
  const auto artifacts =
      units_of(spec + "backup: { schedule: \"0 3 1 * 1\", keep: 3, to: /srv/backups/ }\n");
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co_backup.timer"),
              testing::AllOf(HasSubstr("OnCalendar=*-*-01 03:00:00 UTC\n"),
                             HasSubstr("OnCalendar=Mon *-*-* 03:00:00 UTC\n")));
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co_backup.service"),
              testing::AllOf(HasSubstr("User=acme-runtime-big-co\n"),
                             HasSubstr("ReadWritePaths=/srv/backups/runtime-big-co\n"),
                             HasSubstr("PrivateNetwork=yes\n"), HasSubstr("Type=oneshot\n")));
  EXPECT_THAT(artifact(artifacts, "systemd/config/runtime-big-co.backup.json").bytes,
              testing::AllOf(HasSubstr("\"unix:/run/acme/runtime-big-co/operator.sock\""),
                             HasSubstr("\"keep\": 3")));
  EXPECT_THAT(artifact(artifacts, "systemd/tmpfiles.d/acme.conf").bytes,
              HasSubstr("d /srv/backups/runtime-big-co 0700 acme-runtime-big-co"));
}

TEST(RenderSystemd, CutsAccountsAndSocketPathsWithoutCollision) {
  std::string text = spec;
  const std::string slug(36, 'a');
  text += "  - { slug: " + slug + "-one, tier: enterprise }\n";
  text += "  - { slug: " + slug + "-two, tier: enterprise }\n";
  const auto plan = plan::plan_of(text).plan;
  const SystemdLayout layout(plan);
  std::set<std::string> accounts;
  std::set<std::string> sockets;
  std::size_t runtimes = 0;
  for (const auto& instance : plan.instances) {
    if (instance.role != plan::Role::runtime) continue;
    ++runtimes;
    accounts.insert(layout.account(instance));
    sockets.insert(layout.socket_path(instance.name, "operator"));
  }
  EXPECT_EQ(accounts.size(), runtimes);
  EXPECT_EQ(sockets.size(), runtimes);
  for (const auto& account : accounts) EXPECT_LE(account.size(), 31) << account;
  for (const auto& path : sockets) EXPECT_LE(path.size(), 107) << path;
}

/// What a line of a unit file or of sysusers.d names as an account or a group.
std::set<std::string> accounts_of(const Artifacts& artifacts) {
  std::set<std::string> names;
  const std::regex directive(
      "(?:^|\n)(?:(?:User|Group|SocketUser|SocketGroup|SupplementaryGroups)=|"
      "directory |file 0640 |configure 0640 |image \\S+\\.service )(\\S+)");
  for (const auto& file : artifacts) {
    if (!file.path.starts_with("systemd/") || file.path.ends_with(".md")) continue;
    for (std::sregex_iterator each(file.bytes.begin(), file.bytes.end(), directive), end;
         each != end; ++each) {
      names.insert((*each)[1]);
    }
  }
  names.erase("root");
  return names;
}

TEST(RenderSystemd, GivesTheLongestNamesAccountsAndGroupsThatCanBeMade) {
  auto text = spec + services + R"(
  images: { image: "r/q:1", port: 9000, needs: [reached], storage: { path: /data } }
  reached: { image: "r/q:1", port: 9001 }
backup: { schedule: "0 3 * * *", to: /var/backups/x }
)";
  const std::string name = "customer-relationship-platform-of-europe";
  ASSERT_EQ(name.size(), 40U);
  text.replace(text.find("name: acme"), 10, "name: " + name);
  const auto artifacts = units_of(text);
  std::set<std::string> made;
  const auto& file = artifact(artifacts, "systemd/sysusers.d/" + name + ".conf").bytes;
  const std::regex line("(?:^|\n)[ug] (\\S+) ");
  for (std::sregex_iterator each(file.begin(), file.end(), line), end; each != end; ++each) {
    made.insert((*each)[1]);
  }
  EXPECT_GT(made.size(), 8U) << file;
  for (const auto& each : made) EXPECT_LE(each.size(), 31U) << each;
  // Everybody that something is run as, or given to, is there.
  for (const auto& each : accounts_of(artifacts)) EXPECT_THAT(made, testing::Contains(each));
  for (const auto* paper : {"README.md", "RUNBOOK.md", "SITE", "install.sh"}) {
    EXPECT_THAT(artifact(artifacts, "systemd/" + std::string(paper)).bytes,
                Not(HasSubstr("group `" + name)));
  }
}

TEST(RenderSystemd, RefusesADirectoryThatNotEveryDirectiveCanCarry) {
  const auto plan = plan::plan_of(spec + "targets: { systemd: { data: \"/srv/my data\" } }\n").plan;
  const auto artifacts = render(plan, Blueprints{}, only_systemd);
  ASSERT_FALSE(artifacts);
  EXPECT_THAT(artifacts.error().text(), HasSubstr("targets.systemd.data: '/srv/my data'"));
}

TEST(RenderSystemd, PatchesAUnitLikeAnyStructuredFile) {
  const auto artifacts = units_of(spec + R"(patches:
  - { file: systemd/system/acme-runtime.service, at: /Service/Nice, set: 5, reason: quiet }
  - { file: systemd/system/acme-edge.service, at: /Service/LimitNOFILE, set: 1000, reason: small }
)");
  EXPECT_THAT(unit(artifacts, "acme-runtime.service"), HasSubstr("Nice=5\n"));
  EXPECT_THAT(unit(artifacts, "acme-edge.service"), HasSubstr("LimitNOFILE=1000\n"));
}

}  // namespace
}  // namespace caisson::render
