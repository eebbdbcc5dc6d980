// What the installer is told of a compose project.

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/render_testing.h"
#include "installer/format/site.h"

namespace caisson::render {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

const std::string spec = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema }, enterprise: { isolation: deployment } }
tenants:
  - { slug: globex, tier: free }
  - { slug: big-co, tier: enterprise }
secrets:
  mail-password: { from: { env: { name: MAIL_PASSWORD } } }
services:
  mail:
    image: r/mail@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d
    env: { PASSWORD: "${secret:mail-password}" }
    replicas: 2
  letters:
    image: r/letters@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d
    storage: { path: /letters, size: 1Gi }
)";

const std::string bundle = "targets: { bundle: { for: [compose] } }\n";

Artifacts project(const std::string& text) {
  return rendered(plan::plan_of(text).plan, {Target::compose});
}

std::set<std::string> units_of(const Artifacts& artifacts) {
  const std::string top = "compose/system/";
  std::set<std::string> units;
  for (const auto& each : artifacts) {
    if (each.path.starts_with(top)) units.insert(each.path.substr(top.size()));
  }
  return units;
}

std::string unit(const Artifacts& artifacts, const std::string& name) {
  return artifact(artifacts, "compose/system/" + name).bytes;
}

installer::SiteNeeds needs_of(const Artifacts& artifacts) {
  const auto& text = artifact(artifacts, "compose/SITE").bytes;
  auto needs = installer::read_site_needs(text);
  EXPECT_TRUE(needs) << needs.error().what << "\n" << text;
  EXPECT_EQ(installer::write_site_needs(*needs), text);
  return *std::move(needs);
}

TEST(ComposeInstall, NeedsWhatTheProjectHas) {
  const auto artifacts = project(spec + bundle);
  const auto needs = needs_of(artifacts);
  EXPECT_EQ(needs.product, "acme");
  EXPECT_EQ(needs.prefix, "/opt/acme");
  EXPECT_EQ(needs.data, "/var/lib/acme");
  EXPECT_EQ(needs.target, "acme.target");
  EXPECT_EQ(needs.edge, "acme-edge.service");
  EXPECT_EQ(needs.door, "edge_door");
  EXPECT_EQ(needs.ports.size(), 2U);
  ASSERT_EQ(needs.runtimes.size(), 2U);
  EXPECT_EQ(needs.runtimes[1].unit, "acme-runtime-big-co.service");
  EXPECT_EQ(needs.runtimes[1].settings, "runtime-big-co.json");
  // Certificates stay as they are, whatever release runs.
  EXPECT_THAT(needs.stores, AllOf(Contains("letters-data"), Contains("runtime-data"),
                                  Not(Contains("edge-data"))));
  EXPECT_THAT(needs.services,
              IsSupersetOf({"acme-mail.service", "acme-mail_2.service", "acme-runtime.service"}));
  EXPECT_THAT(needs.services, Not(Contains("acme-edge.service")));
  // Every secret that a container gets, and the one that it gets as a variable.
  std::set<std::string> secrets;
  for (const auto& secret : needs.secrets) secrets.insert(secret.name);
  EXPECT_THAT(secrets, AllOf(Contains("operator-token"), Contains("mail-password")));
  ASSERT_EQ(needs.variables.size(), 1U);
  EXPECT_EQ(needs.variables[0].secret, "mail-password");
  EXPECT_THAT(artifact(artifacts, "compose/compose.yaml").bytes,
              HasSubstr("${" + needs.variables[0].name));
  // Every image of the project by the name that site.yaml gives it.
  const auto& site = *artifact(artifacts, "compose/site.yaml").tree;
  std::set<std::string> images;
  for (const auto& image : needs.images) {
    images.insert(image.reference);
    const auto* user =
        artifact(artifacts, "compose/compose.yaml").tree->at("/services/" + image.name + "/user");
    ASSERT_NE(user, nullptr);
    EXPECT_EQ(*user->text(), image.account + ":" + image.account);
    const auto* name = site.at("/services/" + image.name + "/image");
    ASSERT_NE(name, nullptr) << image.name;
    EXPECT_THAT(*name->text(), testing::StartsWith("${SITE_IMAGE_"));
    EXPECT_EQ(*site.at("/services/" + image.name + "/pull_policy")->text(), "never");
    EXPECT_EQ(*site.at("/services/" + image.name + "/restart")->text(), "no");
  }
  EXPECT_THAT(images, Contains("r/mail@sha256:"
                               "7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d"));
  // Whatever Compose reads is configuration; and of the installer's only site.yaml.
  std::set<std::string> files;
  for (const auto& file : needs.settings) {
    files.insert(file.path);
    EXPECT_NO_THROW((void)artifact(artifacts, "compose/" + file.path));
  }
  EXPECT_THAT(files, IsSupersetOf({"compose.yaml", "runtime.json", "site.yaml", "Caddyfile",
                                   "README.md", "RUNBOOK.md"}));
  EXPECT_FALSE(files.contains("SITE"));
  EXPECT_FALSE(files.contains("site.json"));
}

TEST(ComposeInstall, KeepsDataAndSecretsWhereTheInstallerHasThem) {
  const auto artifacts = project(spec + bundle);
  const auto& site = *artifact(artifacts, "compose/site.yaml").tree;
  EXPECT_EQ(*site.at("/services/letters/volumes/0/source")->text(), "/var/lib/acme/letters-data");
  EXPECT_EQ(*site.at("/services/letters/volumes/0/target")->text(), "/letters");
  EXPECT_EQ(*site.at("/secrets/operator-token/file")->text(), "/opt/acme/secrets/operator-token");
  EXPECT_EQ(site.at("/secrets/mail-password"), nullptr);
  const auto directories = artifact(artifacts, "compose/tmpfiles.d/acme.conf").bytes;
  EXPECT_THAT(directories, AllOf(HasSubstr("d /var/lib/acme/runtime-data 0700 10001 10001 - -\n"),
                                 HasSubstr("d /var/lib/acme/edge_door 0755 root root - -\n")));
  // The engine gives containers other addresses each time.
  EXPECT_THAT(artifact(artifacts, "compose/site.json").bytes,
              HasSubstr("${acme-runtime-1/acme_operator}:9090"));
}

// The installer knows a project by its product alone.
TEST(ComposeInstall, NamesTheProjectAfterTheProduct) {
  const auto artifacts =
      project(spec + "targets: { compose: { project: other }, bundle: { for: [compose] } }\n");
  EXPECT_THAT(artifact(artifacts, "compose/compose.yaml").bytes, HasSubstr("name: other\n"));
  for (const auto& each : artifacts) {
    if (!each.path.starts_with("compose/system/") && each.path != "compose/site.json") continue;
    EXPECT_THAT(each.bytes, Not(HasSubstr("other"))) << each.path;
  }
}

TEST(ComposeInstall, HasAUnitForEachContainer) {
  const auto artifacts = project(spec + bundle);
  const auto needs = needs_of(artifacts);
  auto units = units_of(artifacts);
  for (const auto& each : needs.services) EXPECT_EQ(units.erase(each), 1U) << each;
  EXPECT_THAT(units, ElementsAre("acme-_containers.service", "acme-edge.service", "acme.target"));
  const auto second = unit(artifacts, "acme-mail_2.service");
  EXPECT_THAT(second, AllOf(HasSubstr("ExecStart=docker start --attach acme-mail-2\n"),
                            HasSubstr("Requires=acme-_containers.service\n"),
                            HasSubstr("PartOf=acme.target\n"), HasSubstr("Restart=always\n")));
  const auto containers = unit(artifacts, "acme-_containers.service");
  EXPECT_THAT(containers, AllOf(HasSubstr("up --no-start --no-deps"), HasSubstr("--pull never"),
                                HasSubstr(" --project-name acme "), Not(HasSubstr(" edge"))));
  // Between two releases the edge goes on, and so does not require them.
  const auto edge = unit(artifacts, "acme-edge.service");
  EXPECT_THAT(edge, AllOf(Not(HasSubstr("Requires=")), HasSubstr("never edge\n"),
                          HasSubstr("ExecStopPost=docker rm --force acme-edge-1\n")));
  for (const auto& each : needs.services) {
    EXPECT_THAT(unit(artifacts, each), HasSubstr("StartLimitIntervalSec=")) << each;
    EXPECT_THAT(unit(artifacts, "acme.target"), HasSubstr(each));
  }
}

TEST(ComposeInstall, StartsWhatNeedsAnotherOnceThatIsWell) {
  const auto nginx = project(spec + bundle + "edge: { proxy: nginx }\n");
  const auto runtime = unit(nginx, "acme-runtime.service");
  EXPECT_THAT(runtime, HasSubstr(R"(ExecStartPost=/bin/sh -c "until \"$$@\" )"));
  EXPECT_THAT(runtime, HasSubstr(" docker exec acme-runtime-1 /bin/caisson-runtime health "));
  EXPECT_THAT(unit(nginx, "acme-mail.service"), Not(HasSubstr("ExecStartPost")));
  // Through the edge, which is started later than both when a release is replaced.
  EXPECT_THAT(unit(nginx, "acme-certificates.service"), HasSubstr("After=acme-runtime.service\n"));
}

TEST(ComposeInstall, SaysInItsReadmeHowDockerComposeFindsIt) {
  const std::string how =
      "COMPOSE_PROJECT_NAME=acme COMPOSE_FILE=compose.yaml:site.yaml "
      "COMPOSE_ENV_FILES=/opt/acme/current/compose.env\n";
  EXPECT_THAT(artifact(project(spec + bundle), "compose/README.md").bytes, HasSubstr(how));
  EXPECT_THAT(artifact(project(spec), "compose/README.md").bytes, Not(HasSubstr("site.yaml")));
}

TEST(ComposeInstall, HasARunbookOfItsOwnForASite) {
  const auto artifacts = project(spec + bundle);
  const auto installed = artifact(artifacts, "compose/installed/RUNBOOK.md").bytes;
  // Units run what is there, the release is read-only, and nothing of the vendor's tree is there.
  for (const auto* no : {"docker compose stop", "up --detach", "secrets/generate.sh", "../..",
                         "caisson generate", "docker compose down"}) {
    EXPECT_THAT(installed, Not(HasSubstr(no)));
  }
  EXPECT_THAT(installed,
              AllOf(HasSubstr("COMPOSE_FILE=/opt/acme/etc/compose.yaml:/opt/acme/etc/site.yaml "),
                    HasSubstr("--directory /var/lib/acme ."),
                    HasSubstr("/opt/acme/caisson-install update \"$MEDIUM\"\n"),
                    HasSubstr("| put operator-token\nrenew runtime\n"),
                    HasSubstr("\nvariable mail-password SECRET_MAIL_PASSWORD\nrenew mail\n"),
                    HasSubstr("\"caisson-install update\" wants --accept-move")));
  // Whoever has the project itself has his own, with a bundle and without one.
  const auto own = artifact(artifacts, "compose/RUNBOOK.md").bytes;
  EXPECT_EQ(own, artifact(project(spec), "compose/RUNBOOK.md").bytes);
  EXPECT_THAT(own, AllOf(HasSubstr("docker compose stop\n"), Not(HasSubstr("/opt/acme"))));
  EXPECT_THROW((void)artifact(project(spec), "compose/installed/RUNBOOK.md"), std::runtime_error);
}

TEST(ComposeInstall, BacksUpByATimer) {
  const auto artifacts =
      project(spec + bundle + "backup: { schedule: \"0 3 * * *\", keep: 3, to: /srv/backups/ }\n");
  const auto needs = needs_of(artifacts);
  EXPECT_THAT(unit(artifacts, "acme-runtime-big-co_backup.timer"),
              AllOf(HasSubstr("OnCalendar=*-*-* 03:00:00 UTC\n"), HasSubstr("Persistent=yes\n"),
                    HasSubstr("PartOf=acme.target\n")));
  EXPECT_THAT(unit(artifacts, "acme.target"),
              AllOf(HasSubstr("Wants=acme-runtime_backup.timer\n"),
                    Not(HasSubstr("Wants=acme-runtime_backup.service\n"))));
  EXPECT_THAT(needs.services, Not(Contains("acme-runtime_backup.service")));
  const auto service = unit(artifacts, "acme-runtime_backup.service");
  EXPECT_THAT(service, AllOf(HasSubstr("Type=oneshot\n"), HasSubstr("After=acme-runtime.service\n"),
                             HasSubstr(" run --rm --no-deps --no-TTY --pull never --name "
                                       "acme-runtime_backup runtime_backup\n")));
  EXPECT_EQ(artifact(artifacts, "compose/runtime.backup.json").bytes,
            "{\n"
            "  \"operator\": \"runtime-operator:9090\",\n"
            "  \"token-file\": \"/run/secrets/operator-token\",\n"
            "  \"data\": \"/var/lib/caisson\",\n"
            "  \"to\": \"/var/backups/caisson\",\n"
            "  \"keep\": 3\n"
            "}\n");
  EXPECT_NE(
      std::ranges::find(needs.settings, "runtime.backup.json", &installer::SettingsFile::path),
      needs.settings.end());
  // Its container reaches the operator API, the data and the backups, and nothing else; nor does
  // the runtime reach the backups.
  const auto& site = *artifact(artifacts, "compose/site.yaml").tree;
  const auto* backup = site.at("/services/runtime_backup");
  ASSERT_NE(backup, nullptr);
  EXPECT_EQ(*backup->at("/networks"), Node(Node::List{"operator"}));
  EXPECT_EQ(*backup->at("/secrets"), Node(Node::List{"operator-token"}));
  EXPECT_EQ(*backup->at("/user")->text(), "10001:10001");
  EXPECT_EQ(*backup->at("/read_only"), Node(true));
  EXPECT_EQ(*backup->at("/volumes/0/source")->text(), "/var/lib/acme/runtime-data");
  EXPECT_EQ(*backup->at("/volumes/1/source")->text(), "/srv/backups/runtime");
  EXPECT_EQ(site.at("/services/runtime/volumes/1"), nullptr);
  EXPECT_THAT(artifact(artifacts, "compose/tmpfiles.d/acme.conf").bytes,
              AllOf(HasSubstr("d /srv/backups 0755 root root - -\n"),
                    HasSubstr("d /srv/backups/runtime 0700 10001 10001 - -\n")));
  EXPECT_THAT(artifact(artifacts, "compose/installed/RUNBOOK.md").bytes,
              AllOf(HasSubstr("systemctl start acme-runtime_backup.service\n"),
                    HasSubstr("they go, too. Backups stay. ")));
  // Below the data they are data.
  const auto inside = project(spec + bundle + "backup: { schedule: \"0 3 * * *\", to: saved }\n");
  EXPECT_THAT(artifact(inside, "compose/installed/RUNBOOK.md").bytes,
              HasSubstr("So do the backups in `/var/lib/acme/saved`, "));
  for (const auto& each : project(spec + bundle)) {
    EXPECT_THAT(each.path, Not(HasSubstr("backup")));
  }
}

TEST(ComposeInstall, ClosesTheEdgeWhicheverItIs) {
  EXPECT_THAT(artifact(project(spec + bundle), "compose/Caddyfile").bytes,
              HasSubstr("/run/caisson/door"));
  const auto nginx = project(spec + bundle + "edge: { proxy: nginx }\n");
  EXPECT_THAT(artifact(nginx, "compose/nginx.conf").bytes,
              HasSubstr("if (-f /run/caisson/door/closed) {\n"));
  const auto needs = needs_of(nginx);
  EXPECT_EQ(needs.edge, "acme-edge.service");
  EXPECT_THAT(needs.services, Contains("acme-certificates.service"));
  EXPECT_THAT(unit(nginx, "acme-certificates.service"), HasSubstr("After=acme-edge.service\n"));
  EXPECT_THAT(unit(nginx, "acme-edge.service"), Not(HasSubstr("certificates")));
  const auto& site = *artifact(nginx, "compose/site.yaml").tree;
  EXPECT_EQ(*site.at("/services/edge/volumes/1/source")->text(), "/var/lib/acme/edge_door");
  const auto none = project(spec + bundle + "edge: { proxy: none }\n");
  EXPECT_EQ(needs_of(none).edge, "");
}

TEST(ComposeInstall, IsWrittenForABundleAlone) {
  for (const std::string more : {"", "targets: { bundle: { for: [systemd] } }\n"}) {
    const auto artifacts = project(spec + more);
    EXPECT_TRUE(units_of(artifacts).empty());
    EXPECT_THROW((void)artifact(artifacts, "compose/SITE"), std::runtime_error);
    EXPECT_THAT(artifact(artifacts, "compose/Caddyfile").bytes, Not(HasSubstr("closed")));
  }
}

}  // namespace
}  // namespace caisson::render
