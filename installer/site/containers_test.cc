// Changes of a site whose releases are compose projects, on real directories, with a model of its
// host and of the engine that runs containers.

#include "installer/site/containers.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/registry/connection.h"
#include "installer/site/doctor.h"
#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The installer was killed.
struct Killed {};

/// A site that Docker runs, and three releases for it: 2.1.0 and 2.2.0 write data of another
/// version than 2.0.0.
class ASiteOfContainers : public testing::ASite {
 protected:
  ASiteOfContainers() {
    top_.write("handed/mail-password", "p'a\\s\"$HOME\nword");
    handed_ = *open_disk(top_ / "handed");
    premises_.form = Form::compose;
    premises_.secrets = handed_.get();
    premises_.image_port = 0;
    put_release("2.0.0", 2'000'000, 1, "containers");
    put_release("2.1.0", 2'001'000, 2, "containers");
    put_release("2.2.0", 2'002'000, 2, "containers");
    host_.engine = [this](const std::string& words) { return run_engine(words); };
  }

  /// Pulls what it has not, by asking for it as an engine does.
  Ended run_engine(const std::string& words) {
    const auto name = words.substr(words.rfind(' ') + 1);
    if (const auto fault = faults_.find(words.substr(0, words.find(' '))); fault != faults_.end()) {
      return {.status = 1, .output = fault->second};
    }
    if (words.starts_with("inspect ")) return {.status = 0, .output = "172.18.0.2"};
    if (words.starts_with("version ")) return {.status = 0, .output = "26.1.5"};
    if (words.starts_with("image inspect ")) {
      return {.status = engine_has_.contains(name) ? 0 : 1, .output = "sha256:of it"};
    }
    if (words.starts_with("image rm ")) engine_has_.erase(name);
    if (words.starts_with("pull ")) {
      EXPECT_THAT(served(name), HasSubstr("HTTP/1.1 200 OK")) << name;
      engine_has_.insert(name);
    }
    return {};
  }

  static bool asks_for_a_project(const std::string& words) {
    return words.starts_with("ps ") || words.starts_with("network ");
  }

  /// What is said at the address in a name such as "127.0.0.1:5005/app@sha256:...".
  static std::string served(const std::string& name) {
    const auto colon = name.find(':');
    const auto slash = name.find('/');
    const auto at = name.find('@');
    auto connection = connect({.host = name.substr(0, colon),
                               .port = name.substr(colon + 1, slash - colon - 1),
                               .tls = false},
                              nullptr);
    if (!connection) return connection.error().what;
    const auto asked = "GET /v2/" + name.substr(slash + 1, at - slash - 1) + "/manifests/" +
                       name.substr(at + 1) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    if (auto written = (*connection)->write(asked); !written) return written.error().what;
    std::string text(4096, '\0');
    const auto got = (*connection)->read(text);
    text.resize(got ? *got : 0);
    return text;
  }

  std::string image_in(const std::string& version) const {
    const auto text = read("opt/releases/" + names_.at(version) + "/compose.env");
    const auto from = text.find("SITE_IMAGE_APP=") + 15;
    return text.substr(from, text.find('\n', from) - from);
  }

  std::vector<std::string> calls_with(const std::string& words) const {
    std::vector<std::string> calls;
    for (const auto& call : host_.calls) {
      if (call.find(words) != std::string::npos) calls.push_back(call);
    }
    return calls;
  }

  std::unique_ptr<Disk> handed_;
  std::set<std::string> engine_has_;           ///< images, by their names
  std::map<std::string, std::string> faults_;  ///< what the engine says to a word, and fails
};

TEST_F(ASiteOfContainers, IsInstalledWithItsImagesAndSecrets) {
  const auto outcome = bring("2.0.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_EQ(outcome->kind, Outcome::Kind::done) << outcome->why->what;
  expect_whole("2.0.0");
  expect_running();
  EXPECT_EQ(journal().form, Form::compose);
  // The engine has the image by its digest, and nobody serves it any longer.
  const auto name = image_in("2.0.0");
  EXPECT_THAT(name, AllOf(HasSubstr("127.0.0.1:"), HasSubstr("/app@sha256:")));
  EXPECT_TRUE(engine_has_.contains(name)) << name;
  EXPECT_THAT(served(name), Not(HasSubstr("HTTP/1.1")));
  // A secret that is a variable, as Compose reads it.
  const auto env = "releases/" + names_["2.0.0"] + "/compose.env";
  EXPECT_THAT(read("opt/" + env),
              AllOf(HasSubstr("SOURCE_DIR=.\n"),
                    HasSubstr("MAIL_PASSWORD=\"p'a\\\\s\\\"\\$HOME\\nword\"\n")));
  EXPECT_EQ((**opt_->status(env)).mode, 0600U);
  const auto secret = **opt_->status("secrets/operator-token");
  EXPECT_EQ(secret.mode, 0440U);
  EXPECT_EQ(secret.gid, kContainerGroup);
  EXPECT_EQ((**opt_->status("secrets")).mode, 0700U);
  // The probes are told the addresses that containers have now.
  EXPECT_EQ(read("opt/gate/site.json"), R"({"data":"172.18.0.2:8080"})");
  EXPECT_THAT(outcome->isolation.remark, HasSubstr("no leak"));
  EXPECT_EQ(bring("2.0.0")->kind, Outcome::Kind::nothing);
}

TEST_F(ASiteOfContainers, WritesSimpleSecretsAsTheyAre) {
  top_.write("handed/mail-password", "a$b\"c#d e");
  ASSERT_TRUE(bring("2.0.0"));
  EXPECT_THAT(read("opt/current/compose.env"), HasSubstr("MAIL_PASSWORD='a$b\"c#d e'\n"));
}

TEST_F(ASiteOfContainers, PullsNoImageThatTheEngineHas) {
  ASSERT_TRUE(bring("2.0.0"));
  ASSERT_TRUE(uninstall(premises_, true));
  host_.engine = [](const std::string& words) {
    return Ended{.status = 0, .output = words.starts_with("inspect ") ? "172.18.0.2" : ""};
  };
  host_.calls.clear();
  ASSERT_TRUE(bring("2.0.0"));
  expect_whole("2.0.0");
  EXPECT_THAT(calls_with("docker pull"), IsEmpty());
}

TEST_F(ASiteOfContainers, MigratesItsDataInAContainerOfTheNewRelease) {
  ASSERT_TRUE(bring("2.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  host_.calls.clear();
  const auto outcome = bring("2.1.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_EQ(outcome->kind, Outcome::Kind::done) << outcome->why->what;
  expect_whole("2.1.0");
  expect_running();
  EXPECT_EQ(store(), "migrated by " + names_["2.1.0"]);
  const auto place = "/opt/shop/releases/" + names_["2.1.0"];
  EXPECT_THAT(
      calls_with(" migrate "),
      ::testing::ElementsAre("docker compose --project-name shop --project-directory " + place +
                             "/etc --file " + place + "/etc/compose.yaml --file " + place +
                             "/etc/site.yaml --env-file " + place +
                             "/compose.env run --rm --no-deps --no-TTY --pull never --name "
                             "shop-migration runtime migrate --config /etc/caisson/runtime.json"));
  // What they may write is theirs before they are migrated.
  const auto& calls = host_.calls;
  const auto owned =
      std::ranges::find(calls, "directories " + place + "/tree/compose/tmpfiles.d/shop.conf");
  ASSERT_NE(owned, calls.end());
  EXPECT_LT(owned, std::ranges::find(calls, calls_with(" migrate ").front()));
}

TEST_F(ASiteOfContainers, ForgetsImagesOfReleasesThatGo) {
  ASSERT_TRUE(bring("2.0.0"));
  const auto first = image_in("2.0.0");
  ASSERT_TRUE(bring("2.1.0"));
  EXPECT_TRUE(engine_has_.contains(first)) << "the release before may come back";
  ASSERT_TRUE(bring("2.2.0"));
  EXPECT_FALSE(engine_has_.contains(first));
  EXPECT_EQ(engine_has_.size(), 2U);
  ASSERT_TRUE(roll_back(premises_));
  expect_whole("2.1.0");
  EXPECT_EQ(engine_has_.size(), 2U);
  // One that somebody else uses stays, and stops nothing.
  faults_["image"] = "image is being used by running container 1";
  ASSERT_TRUE(uninstall(premises_, false));
  EXPECT_EQ(engine_has_.size(), 2U);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
}

TEST_F(ASiteOfContainers, LeavesNoImageWhenItIsUninstalled) {
  ASSERT_TRUE(bring("2.0.0"));
  ASSERT_TRUE(bring("2.1.0"));
  ASSERT_TRUE(uninstall(premises_, false));
  EXPECT_THAT(engine_has_, IsEmpty());
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
}

TEST_F(ASiteOfContainers, IsUninstalledWithoutItsEngine) {
  const std::vector<std::pair<const char*, std::function<void()>>> ways{
      {"it is gone", [&] { host_.has_engine = false; }},
      {"it does not answer", [&] { faults_["version"] = "cannot connect to the engine"; }},
      {"it hangs",
       [&] {
         host_.at_call = [&]() -> Checked<void> {
           if (!host_.calls.back().starts_with("docker ")) return {};
           return refuse(Code::host_command, "docker ran longer than 20 s");
         };
       }},
  };
  for (const auto& [name, fail] : ways) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(bring("2.0.0"));
    const auto image = image_in("2.0.0");
    fail();
    const auto outcome = uninstall(premises_, false);
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(outcome->kind, Outcome::Kind::done);
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
    // What it may have still is told, and what removes it.
    EXPECT_THAT(outcome->kept,
                Contains(AllOf(HasSubstr("containers, networks and images of shop"),
                               HasSubstr("label=com.docker.compose.project=shop | xargs "),
                               HasSubstr("docker image rm " + image))));
    host_.has_engine = true;
    faults_.clear();
    host_.at_call = nullptr;
  }
}

TEST_F(ASiteOfContainers, RemovesContainersThatItsUnitsHaveLeft) {
  ASSERT_TRUE(bring("2.0.0"));
  host_.engine = [this](const std::string& words) {
    // Others of that name with other images are somebody else's.
    if (words.starts_with("ps --all ") && words.find(" ancestor=127.0.0.1:") != words.npos) {
      return Ended{.status = 0, .output = "shop-runtime-1 shop-edge-1"};
    }
    return run_engine(words);
  };
  const auto outcome = uninstall(premises_, true);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_THAT(calls_with("docker rm --force shop-runtime-1 shop-edge-1"), Not(IsEmpty()));
  EXPECT_THAT(calls_with("docker network prune --force --filter label=com.docker.compose.project="),
              Not(IsEmpty()));
  EXPECT_THAT(outcome->kept, Not(Contains(HasSubstr("docker"))));
  EXPECT_THAT(engine_has_, IsEmpty());
}

TEST_F(ASiteOfContainers, GoesBackFromWhatItsContainersDo) {
  ASSERT_TRUE(bring("2.0.0"));
  const auto on_probation = [this] { return journal().flight->step == Step::switched; };
  struct Case {
    const char* name;
    std::function<bool(const std::string& words)> fails;
    Code code;
    const char* says;
  };
  const std::vector<Case> cases{
      {"pull", [](const auto& words) { return words.starts_with("pull "); }, Code::engine_refused,
       "docker pull of 'registry.example/app:2.1.0' ended with 1: no"},
      {"migrate", [](const auto& words) { return words.starts_with("compose "); },
       Code::not_migrated, "the migration of shop-runtime.service ended with 1: no"},
      {"health",
       [&](const auto& words) {
         return words.starts_with("exec shop-runtime-1 ") && on_probation();
       },
       Code::not_well, "the health check of shop-runtime.service ended with 1: no"},
      {"unhealthy",
       [&](const auto& words) { return words.ends_with("health=unhealthy") && on_probation(); },
       Code::not_well, "containers are unhealthy: no"},
      {"no address",
       [&](const auto& words) { return words.starts_with("inspect ") && on_probation(); },
       Code::not_well, "shop-runtime-1 has no address in shop_front"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    ASSERT_TRUE(host_.write_store("of customers"));
    host_.engine = [&](const std::string& words) {
      return each.fails(words) ? Ended{.status = 1, .output = "no"} : run_engine(words);
    };
    const auto outcome = bring("2.1.0", true);
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
    ASSERT_TRUE(outcome->why);
    EXPECT_EQ(outcome->why->code, each.code) << outcome->why->what;
    EXPECT_THAT(outcome->why->what, HasSubstr(each.says));
    expect_whole("2.0.0");
    expect_running();
    EXPECT_EQ(store(), "of customers");
  }
}

TEST_F(ASiteOfContainers, EndsAMigrationThatGoesOnWithoutTheInstaller) {
  ASSERT_TRUE(bring("2.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  bool killed = false;
  host_.at_call = [&]() -> Checked<void> {
    if (!killed && host_.calls.back().find(" migrate ") != std::string::npos) {
      killed = true;
      throw Killed{};
    }
    return {};
  };
  EXPECT_THROW((void)bring("2.1.0"), Killed);
  // It goes on writing until its container ends.
  host_.at_call = nullptr;
  ASSERT_TRUE(host_.write_store("in the middle"));
  host_.calls.clear();
  faults_["rm"] = "cannot connect to the engine";
  EXPECT_EQ(recover(premises_).error().code, Code::host_command);
  EXPECT_EQ(store(), "in the middle") << "data were brought back below a migration";
  // Clients fail over one that is not there.
  faults_["rm"] = "Error response from daemon: No such container: shop-migration";
  ASSERT_TRUE(recover(premises_));
  EXPECT_THAT(calls_with("docker rm --force shop-migration"), Not(IsEmpty()));
  EXPECT_EQ(store(), "of customers");
  expect_whole("2.0.0");
  expect_running();
}

TEST_F(ASiteOfContainers, RecoversAtBootBeforeThereIsAnEngine) {
  ASSERT_TRUE(bring("2.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  host_.at_call = [&]() -> Checked<void> {
    if (host_.calls.back().find(" migrate ") != std::string::npos) throw Killed{};
    return {};
  };
  EXPECT_THROW((void)bring("2.1.0"), Killed);
  host_.at_call = nullptr;
  host_.running.clear();
  host_.calls.clear();
  premises_.booting = true;
  host_.engine = [](const std::string& words) {
    ADD_FAILURE() << "docker " << words;
    return Ended{.status = 1, .output = "no engine"};
  };
  const auto outcome = recover(premises_);
  ASSERT_TRUE(outcome) << outcome.error().what;
  expect_whole("2.0.0");
  EXPECT_EQ(store(), "of customers");
}

TEST_F(ASiteOfContainers, IsUpdatedToAReleaseThatWasStagedBefore) {
  ASSERT_TRUE(bring("2.0.0"));
  const auto deliver = [&](const fs::path& from, bool apply) {
    const auto bundle = testing::verified(from, maker_.root_text, testing::site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    const Reading reading{.threads = 1};
    const Delivery delivery{.bundle = *bundle, .reading = reading, .staged = apply, .answers = {}};
    return apply ? update(premises_, delivery) : stage(premises_, delivery);
  };
  host_.calls.clear();
  ASSERT_TRUE(deliver(top_ / "2.1.0", false));
  EXPECT_THAT(host_.calls, IsEmpty()) << "something that runs was touched";
  expect_running();
  // The medium is gone; the images come out of the release on the disk.
  fs::remove_all(top_ / "2.1.0");
  const auto outcome = deliver(top_ / ("opt/releases/" + names_["2.1.0"]), true);
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_EQ(outcome->kind, Outcome::Kind::done) << outcome->why->what;
  expect_whole("2.1.0");
  EXPECT_TRUE(engine_has_.contains(image_in("2.1.0")));
}

TEST_F(ASiteOfContainers, NamesAllSecretsThatAreMissing) {
  premises_.secrets = nullptr;
  const auto outcome = bring("2.0.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->why->code, Code::missing_secret);
  EXPECT_THAT(outcome->why->what, HasSubstr("mail-password"));
  EXPECT_THAT(calls_with("docker"), IsEmpty());
}

TEST_F(ASiteOfContainers, KeepsItsForm) {
  ASSERT_TRUE(bring("2.0.0"));
  maker_.manifest.forms = {"systemd"};
  put_release("2.3.0", 2'003'000, 2);
  EXPECT_EQ(bring("2.3.0").error().code, Code::wrong_form);
  expect_whole("2.0.0");
}

TEST_F(ASiteOfContainers, KeepsWhatSomebodyChangedInTheProject) {
  ASSERT_TRUE(bring("2.0.0"));
  top_.write("opt/current/etc/dashboard.json", "dashboard of this site\n");
  ASSERT_TRUE(bring("2.1.0"));
  EXPECT_EQ(read("opt/current/etc/dashboard.json"), "dashboard of this site\n");
  top_.write("opt/current/etc/runtime.json", "runtime of this site\n");
  const auto outcome = bring("2.2.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->why->code, Code::edited_twice);
}

TEST_F(ASiteOfContainers, TellsBeforehandWhatItNeeds) {
  const auto bundle = testing::verified(top_ / "2.0.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle);
  const auto fault = [&] {
    const auto rows = preflight(host_, {.system = *system_, .form = Form::compose}, *bundle);
    EXPECT_TRUE(rows) << rows.error().what;
    return fault_of(*rows).value_or(Refusal{});
  };
  host_.engine = [](const std::string& words) {
    if (asks_for_a_project(words)) return Ended{};
    return Ended{.status = 0, .output = words.starts_with("compose ") ? "2.29.1" : "26.1.5"};
  };
  const auto rows = preflight(host_, {.system = *system_, .form = Form::compose}, *bundle);
  EXPECT_FALSE(fault_of(*rows)) << fault_of(*rows)->what;
  EXPECT_THAT(table_of(*rows), AllOf(HasSubstr("26.1.5"), HasSubstr("2.29.1"),
                                     HasSubstr("port 5005"), HasSubstr("/var/lib/docker")));
  host_.taken = {5005};
  EXPECT_EQ(fault().code, Code::serving_port);
  host_.taken.clear();
  host_.engine = [](const std::string& words) {
    return words.starts_with("compose ") ? Ended{.status = 1, .output = "no such command"}
                                         : Ended{.status = 0, .output = "26.1.5"};
  };
  EXPECT_EQ(fault().code, Code::host_lacks);
  EXPECT_THAT(fault().what, HasSubstr("Docker's compose plugin"));
  host_.engine = [](const std::string&) { return Ended{.status = 1, .output = "no answer"}; };
  EXPECT_THAT(fault().what, HasSubstr("Docker engine: needs one that answers"));
  host_.has_engine = false;
  EXPECT_THAT(fault().what, HasSubstr("no program docker"));
}

TEST_F(ASiteOfContainers, TakesNoNumberAndNoProjectOfOthers) {
  const auto bundle = testing::verified(top_ / "2.0.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle);
  std::string project;
  host_.engine = [&](const std::string& words) {
    if (asks_for_a_project(words)) {
      return Ended{.status = 0,
                   .output = words.starts_with(project) ? "the network shop_a\nb" : ""};
    }
    return Ended{.status = 0, .output = "26.1.5"};
  };
  const auto fault = [&] {
    const auto rows = preflight(host_, {.system = *system_, .form = Form::compose}, *bundle);
    EXPECT_TRUE(rows) << rows.error().what;
    return fault_of(*rows).value_or(Refusal{});
  };
  for (const auto& [path, line, says] :
       {std::tuple("etc/passwd", "anna:x:10001:100:Anna:/home/anna:/bin/sh\n", "the account anna"),
        std::tuple("etc/group", "staff:x:10001:\n", "the group staff")}) {
    project = "none";
    top_.write(path, line);
    EXPECT_EQ(fault().code, Code::foreign_name);
    EXPECT_THAT(fault().what, HasSubstr(says));
    top_.write(path, "anna:x:100010:\nberta:x:1000:10001:Berta:/home/10001:/bin/sh\n");
    EXPECT_THAT(fault().what, Not(HasSubstr(says)));
    fs::remove(top_ / path);
  }
  for (const auto* asked : {"ps --all --filter label=com.docker.compose.project=shop ",
                            "network ls --filter label=com.docker.compose.project=shop "}) {
    project = asked;
    EXPECT_EQ(fault().code, Code::foreign_name);
    EXPECT_THAT(fault().what, HasSubstr("has the network shop_a"));
  }
}

TEST_F(ASiteOfContainers, SharesNoNumberWithAnAccount) {
  put_release("2.3.0", 2'003'000, 2, "numbered containers");
  EXPECT_EQ(container_users({.needs = {.images = {{"app", "1000", ""},
                                                  {"db", "0", ""},
                                                  {"metrics", "65534", ""},
                                                  {"more", "4294967295", ""}}}}),
            (std::set<std::uint32_t>{1000, 10001}));
  const auto has = [](std::uint32_t number) {
    return "anna:x:" + std::to_string(number) + ":100:Anna:/home/anna:/bin/sh\n";
  };
  // The user of the image, where the project says none.
  top_.write("etc/passwd", "nobody:x:65534:65534::/:/bin/false\n" + has(65532));
  auto outcome = bring("2.0.0");
  ASSERT_TRUE(outcome);
  ASSERT_TRUE(outcome->why);
  EXPECT_EQ(outcome->why->code, Code::foreign_name);
  EXPECT_THAT(outcome->why->what, HasSubstr("has the account anna (65532)"));
  EXPECT_FALSE(there("opt/releases"));
  // Where this release runs, the one who has a number of the next is asked for.
  top_.write("etc/passwd", has(1000));
  ASSERT_TRUE(bring("2.0.0"));
  outcome = bring("2.3.0");
  ASSERT_TRUE(outcome);
  ASSERT_TRUE(outcome->why);
  EXPECT_EQ(outcome->why->code, Code::foreign_name);
  expect_whole("2.0.0");
  expect_running();
  top_.write("etc/passwd", has(1001));
  host_.directory = [&](const std::vector<std::string>& words) {
    return Ended{
        .status = 0,
        .output = words == std::vector<std::string>{"group", "1000"} ? "staff:*:1000:anna\n" : ""};
  };
  EXPECT_THAT(bring("2.3.0")->why->what, HasSubstr("the group staff (1000)"));
  host_.directory = nullptr;
  ASSERT_FALSE(bring("2.3.0")->why);
  expect_whole("2.3.0");
  // Whoever gets one later stops no update, and is told of.
  top_.write("etc/passwd", has(1000));
  put_release("2.4.0", 2'004'000, 2, "numbered containers");
  ASSERT_FALSE(bring("2.4.0")->why);
  expect_whole("2.4.0");
  std::string faults;
  for (const auto& finding : examine(premises_)) faults += finding.is + "\n";
  EXPECT_THAT(faults, HasSubstr("the account anna (1000)"));
}

TEST_F(ASiteOfContainers, RefusesADeltaThatLeavesOutBlobs) {
  testing::add_release(maker_, "2.3.0", 2'003'000, 2, "containers");
  maker_.manifest.base = Base{.manifest = sha256("base"), .version = {.major = 2}};
  const auto layer = blob_path(maker_.manifest.images[0].layers[0].blob.digest);
  maker_.seal();
  maker_.files.erase(layer);
  maker_.seal_sums();
  maker_.put_directory(top_ / "2.3.0");
  const auto bundle = testing::verified(top_ / "2.3.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle) << bundle.error().what;
  host_.engine = [](const std::string& words) {
    return Ended{.status = 0, .output = asks_for_a_project(words) ? "" : "2.0"};
  };
  const auto rows = preflight(host_, {.system = *system_, .form = Form::compose}, *bundle);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(fault_of(*rows).value_or(Refusal{}).code, Code::wrong_base);
  EXPECT_THAT(table_of(*rows), HasSubstr("blobs of 'registry.example/app:2.3.0' are in"));
}

TEST_F(ASiteOfContainers, IsExaminedWithItsEngine) {
  ASSERT_TRUE(keeps_roots());
  ASSERT_TRUE(bring("2.0.0"));
  host_.taken = {80, 443};
  const auto faults = [&] {
    std::vector<std::string> all;
    for (const auto& finding : examine(premises_)) {
      if (finding.level == Finding::Level::fault) all.push_back(finding.what + ": " + finding.is);
    }
    return all;
  };
  host_.engine = [](const std::string& words) {
    return Ended{.status = 0, .output = words.starts_with("inspect ") ? "172.18.0.2" : "2.0"};
  };
  EXPECT_THAT(faults(), IsEmpty());
  fs::permissions(top_ / "opt/secrets/operator-token", fs::perms::others_read,
                  fs::perm_options::add);
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("than root and containers may read it")));
  fs::permissions(top_ / "opt/secrets/operator-token", fs::perms::others_read,
                  fs::perm_options::remove);
  top_.write("etc/passwd", "anna:x:10001:100:Anna:/home/anna:/bin/sh\n");
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("the account anna")));
  fs::remove(top_ / "etc/passwd");
  fs::remove(top_ / "opt/current/etc/runtime.json");
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("it is not there")));
  top_.write("opt/current/etc/runtime.json", "runtime of 2.0.0\nlimit 1\n");
  host_.engine = [](const std::string&) { return Ended{.status = 1, .output = "no answer"}; };
  EXPECT_THAT(faults(), Contains(HasSubstr("Docker engine")));
}

}  // namespace
}  // namespace caisson::installer
