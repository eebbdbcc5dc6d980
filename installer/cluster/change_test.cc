#include "installer/cluster/change.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "installer/cluster/forecast.h"
#include "installer/site/site_testing.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

/// The installer is killed here.
struct Killed {};

/// What a cluster has, whoever asks.
struct ModelCluster {
  struct Deployed {
    std::string version;
    std::string status;
    bool shut = false;
  };
  std::map<std::uint64_t, Deployed> revisions;
  std::set<std::string> spaces{"kube-system"};
  std::set<std::string> cleared;  ///< namespaces whose claims and secrets were removed
  std::string id = "0b6c2f44-6a6b";
  std::set<std::string> leaking;  ///< releases' versions
  std::set<std::string> unclear;  ///< the probes cannot tell
  std::set<std::string> unready;  ///< never become ready
  bool outlived = false;          ///< something that only an older revision has is there still
  std::string kubernetes = "v1.32.2";

  [[nodiscard]] std::string serves() const {
    if (revisions.empty()) return {};
    const auto& newest = revisions.rbegin()->second;
    return newest.status == "deployed" && !newest.shut ? newest.version
                                                       : "nobody: " + newest.status;
  }
};

class Forwarding final : public Companion {
 public:
  [[nodiscard]] const std::string& said() const override { return said_; }

 private:
  std::string said_ =
      "Forwarding from 127.0.0.1:40001 -> 8080\nForwarding from 127.0.0.1:40002 -> 9090";
};

/// helm, kubectl and `caisson conform` as a model of them: killed at a call, before it does
/// anything or in its middle.
class ClusterHost final : public testing::ModelHost {
 public:
  ClusterHost(ModelCluster& cluster, Disks disks) : testing::ModelHost(disks), cluster_(cluster) {}

  Checked<std::unique_ptr<Companion>> start_beside(const Command&, std::size_t) override {
    return std::make_unique<Forwarding>();
  }
  std::string find_program(std::string_view name) override {
    return programs ? "/usr/bin/" + std::string(name) : "";
  }

  Checked<Ended> run(const Command& command) override {
    ++calls_made;
    if (calls_made == die_before) throw Killed();
    const bool dies = calls_made == die_within;
    auto words = command.arguments;
    std::string space;
    if (words.front() == "--namespace") {
      space = words[1];
      words.erase(words.begin(), words.begin() + 2);
    }
    if (command.program.ends_with("/helm")) return helm(words, dies);
    if (dies) throw Killed();
    if (command.program.ends_with("/kubectl")) return kubectl(words, space);
    return conform();
  }

  bool programs = true;
  int calls_made = 0;
  int die_before = 0;
  int die_within = 0;

 private:
  static Ended said(std::string output) { return {.output = std::move(output), .report = {}}; }
  static Ended failed(std::string output) {
    return {.status = 1, .output = std::move(output), .report = {}};
  }

  Checked<Ended> helm(const std::vector<std::string>& words, bool dies) {
    auto& revisions = cluster_.revisions;
    if (words[0] == "version") return said("v3.17");
    if (words[0] == "template") return said("image: \"shop:1\"");
    if (words[0] == "uninstall") {
      if (dies) throw Killed();
      if (revisions.empty()) return failed("release: not found");
      revisions.clear();
      return said("");
    }
    if (words[0] == "upgrade" && !revisions.empty() &&
        revisions.rbegin()->second.status.starts_with("pending")) {
      return failed("another operation (install/upgrade/rollback) is in progress");
    }
    ModelCluster::Deployed next;
    if (words[0] == "rollback") {
      const auto to = revisions.find(number_of(words[2]).value());
      if (to == revisions.end()) return failed("release: not found");
      next = to->second;
      if (std::exchange(cluster_.outlived, false)) {
        revisions[revisions.rbegin()->first + 1] = {
            .version = next.version, .status = "failed", .shut = next.shut};
        return failed("Error: no PersistentVolumeClaim with the name \"runtime.backup\" found");
      }
    } else {
      // "…/releases/1.1000000-…/tree/helm/shop"
      next.version = version_in(words[2]);
      next.shut = std::ranges::find(words, "ingress.shut=true") != words.end();
    }
    const auto number = revisions.empty() ? 1 : revisions.rbegin()->first + 1;
    next.status = revisions.empty() ? "pending-install" : "pending-" + words[0];
    revisions[number] = next;
    if (dies) throw Killed();
    if (words[0] == "upgrade" && cluster_.unready.contains(next.version)) {
      revisions[number].status = "failed";
      return failed("context deadline exceeded");
    }
    // A hook of the chart.
    cluster_.spaces.insert("shop-umbrella");
    for (auto& [other, each] : revisions) {
      if (each.status == "deployed") each.status = "superseded";
    }
    revisions[number].status = "deployed";
    return said("");
  }

  static std::string version_in(const std::string& path) {
    const auto sequence = path.substr(path.find("releases/1.") + 11, 7);
    return sequence == "1000000" ? "1.0.0" : sequence == "1001000" ? "1.1.0" : "1.2.0";
  }

  Checked<Ended> kubectl(const std::vector<std::string>& words, const std::string& space) {
    const auto has = [&](std::string_view word) {
      return std::ranges::find(words, word) != words.end();
    };
    if (words[0] == "version")
      return said("Client Version: v1.32.2\nServer Version: " + cluster_.kubernetes);
    if (has("kube-system")) return said(cluster_.id);
    if (words[0] == "create") cluster_.spaces.insert(words[2]);
    if (words[0] == "delete" && words[1] == "namespace") cluster_.spaces.erase(words[2]);
    if (words[0] == "delete" && words[1] == "persistentvolumeclaims,secrets") {
      cluster_.cleared.insert(space);
    }
    if (words[0] == "rollout" || words[0] != "get") return said("");
    if (words[1].starts_with("namespace/")) {
      return said(cluster_.spaces.contains(words[1].substr(10)) ? words[1] : "");
    }
    if (words[1] == "secrets") {
      std::string text;
      for (const auto& [number, each] : cluster_.revisions) {
        text += std::to_string(number) + " " + each.status + "\n";
      }
      return said(text);
    }
    if (words[1] == "secret") return said("dG9rZW4=");
    if (words[1] == "persistentvolumeclaims,secrets") {
      const auto umbrella = words[0] == "get" && space == "shop-umbrella";
      return said(umbrella ? "PersistentVolumeClaim/data-runtime-0  \n"
                           : "Secret/operator-token  keep\n"
                             "Secret/settings shop \n"
                             "Secret/kept shop keep\n");
    }
    if (words[1] == "nodes") return said("node-1 docker.io/library/shop:1");
    return said("");
  }

  Checked<Ended> conform() {
    const auto& version = cluster_.revisions.rbegin()->second.version;
    if (cluster_.leaking.contains(version)) {
      return Ended{.status = 1, .output = "DB1 leaks", .report = {}};
    }
    if (cluster_.unclear.contains(version)) {
      return Ended{.status = 2, .output = "cannot tell", .report = {}};
    }
    return said("");
  }

  ModelCluster& cluster_;
};

class AClusterSite : public ::testing::Test {
 protected:
  AClusterSite() {
    put_release("1.0.0", 1'000'000, 1);
    put_release("1.1.0", 1'001'000, 1);
    put_release("1.2.0", 1'002'000, 2);
  }

  void put_release(const std::string& version, std::uint64_t sequence, std::uint64_t data) {
    maker_.manifest.version = version_of(version).value();
    maker_.manifest.envelope.release.sequence = sequence;
    maker_.manifest.data = data;
    maker_.manifest.forms = {"helm"};
    maker_.manifest.packs.clear();
    std::erase_if(maker_.files, [](const auto& file) { return file.first.starts_with("blobs/"); });
    const ChartNeeds needs{
        .product = "shop",
        .space = "shop",
        .oldest_major = 1,
        .oldest_minor = 28,
        .places = {"shop-umbrella"},
        .workloads = {{"", "statefulset/runtime"}},
        .runtimes = {
            {{"", "statefulset/runtime"}, "runtime", 8080, 9090, "operator-token", "value"}}};
    maker_.add({{"bin/caisson", "gate of " + version}});
    maker_.add({{"helm/shop/Chart.yaml", "chart of " + version},
                {"helm/shop/SITE", write_chart_needs(needs)}});
    maker_.add({{"spec/deployment.yaml", "spec"}});
    maker_.seal();
    maker_.put_directory(top_ / version);
  }

  /// Runs something as a program that may be killed; nothing when it was.
  std::optional<Checked<Outcome>> act(const auto& what, int before = 0, int within = 0) {
    ClusterHost host(cluster_, disks_);
    host.die_before = before;
    host.die_within = within;
    auto kube = Kube::find(host, "shop");
    EXPECT_TRUE(kube);
    ClusterPremises premises{.site = {.product = "shop", .disks = disks_, .host = host},
                             .place = (top_ / "opt").string(),
                             .kube = *std::move(kube),
                             .bring_images = {}};
    premises.site.form = Form::helm;
    premises.site.moves = moves_;
    try {
      auto outcome = Checked<Outcome>(what(premises));
      calls_ = host.calls_made;
      return outcome;
    } catch (const Killed&) {
      return std::nullopt;
    }
  }

  /// What a change would do; nothing at all is changed by asking.
  Checked<std::vector<std::string>> foresees(const auto& forecast) {
    const auto before = read_file(*opt_, "journal", 65536);
    const auto revisions = cluster_.revisions.size();
    ClusterHost host(cluster_, disks_);
    ClusterPremises premises{.site = {.product = "shop", .disks = disks_, .host = host},
                             .place = "/opt/shop",
                             .kube = Kube::find(host, "shop").value(),
                             .bring_images = {}};
    auto lines = forecast(premises);
    EXPECT_EQ(read_file(*opt_, "journal", 65536).value(), before.value());
    EXPECT_EQ(cluster_.revisions.size(), revisions);
    return lines;
  }

  Checked<Outcome> deliver(ClusterPremises& premises, const std::string& version,
                           bool again = false) {
    const auto bundle = testing::verified(top_ / version, maker_.root_text, testing::site());
    if (!bundle) return tl::unexpected(bundle.error());
    const Reading reading{.threads = 1};
    const Delivery delivery{.bundle = *bundle, .reading = reading, .again = again, .answers = {}};
    const ClusterDelivery to{
        .bundle = delivery, .values = values_, .space = {}, .registry = registry_, .pins = {}};
    const auto journal = load_journal(*opt_);
    return journal && *journal && !(*journal)->installed.empty() ? update_chart(premises, to)
                                                                 : install_chart(premises, to);
  }

  Checked<Outcome> bring(const std::string& version, bool again = false) {
    return *act([&](ClusterPremises& premises) { return deliver(premises, version, again); });
  }
  Checked<Outcome> recovers() { return *act(recover_chart); }

  std::optional<Journal> journal() { return load_journal(*opt_).value(); }

  /// What is installed, and all that is served, is of one version.
  void expect_whole(const std::string& version) {
    const auto now = journal();
    ASSERT_TRUE(now);
    EXPECT_FALSE(now->flight);
    EXPECT_EQ(load_chart({.product = "shop", .disks = disks_, .host = *host_}, now->installed)
                  ->manifest.version,
              version_of(version).value());
    EXPECT_EQ(cluster_.serves(), version);
    EXPECT_EQ(now->cluster->revision, cluster_.revisions.rbegin()->first);
    EXPECT_FALSE(std::filesystem::exists(top_ / "opt/gate/token-runtime"));
  }

  Scratch top_;
  testing::Maker maker_;
  AcceptedMoves moves_;
  ModelCluster cluster_;
  std::unique_ptr<Disk> opt_ = [this] {
    std::filesystem::create_directories(top_ / "opt");
    return *open_disk(top_ / "opt");
  }();
  Disks disks_{*opt_, *opt_, *opt_, *opt_};
  std::unique_ptr<Host> host_ = std::make_unique<ClusterHost>(cluster_, disks_);
  int calls_ = 0;
  std::optional<std::string> values_;
  std::string registry_;
};

TEST_F(AClusterSite, LooksForNothingElsewhereUntilSomebodyTakesItAlong) {
  maker_.manifest.places = {{"helm", "tenant/acme", "runtime-data"}};
  put_release("1.0.0", 1'000'000, 1);
  maker_.manifest.places = {{"helm", "tenant/acme", "runtime-acme-data"}};
  put_release("1.1.0", 1'001'000, 1);
  ASSERT_TRUE(bring("1.0.0"));
  EXPECT_EQ(bring("1.1.0").error().code, Code::data_move);
  expect_whole("1.0.0");
  moves_ = {"tenant/acme"};
  ASSERT_TRUE(bring("1.1.0"));
  expect_whole("1.1.0");
  moves_.clear();
  EXPECT_EQ(act(roll_back_chart)->error().code, Code::data_move);
  moves_ = {"tenant/acme"};
  ASSERT_TRUE(*act(roll_back_chart));
  expect_whole("1.0.0");
}

TEST_F(AClusterSite, GoesBackToARevisionWhoseClaimsOutlivedTheNextOne) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(bring("1.1.0"));
  cluster_.outlived = true;
  const auto done = *act(roll_back_chart);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->kind, Outcome::Kind::done);
  EXPECT_FALSE(cluster_.outlived);
  expect_whole("1.0.0");
}

TEST_F(AClusterSite, InstallsUpdatesAndGoesBackToTheNewestRevisionThatCameToItsEnd) {
  auto done = bring("1.0.0");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->kind, Outcome::Kind::done) << done->why->what;
  EXPECT_TRUE(done->isolation.probed);
  expect_whole("1.0.0");
  EXPECT_EQ(journal()->cluster->made, (std::vector<std::string>{"shop", "shop-umbrella"}));
  EXPECT_TRUE(cluster_.revisions.at(1).shut) << "it served somebody before it was probed";
  done = bring("1.1.0");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->kind, Outcome::Kind::done) << done->why->what;
  expect_whole("1.1.0");
  done = *act(roll_back_chart);
  ASSERT_TRUE(done) << done.error().what;
  expect_whole("1.0.0");
  EXPECT_EQ(bring("1.2.0").error().code, Code::no_way_back);
  cluster_.id = "ffff";
  EXPECT_EQ(act(roll_back_chart)->error().code, Code::other_cluster);
  EXPECT_EQ(bring("1.1.0").error().code, Code::other_cluster);
}

TEST_F(AClusterSite, TakesBackWhatLeaksIsUnclearOrNeverReady) {
  ASSERT_TRUE(bring("1.0.0"));
  for (auto* const set : {&cluster_.leaking, &cluster_.unclear, &cluster_.unready}) {
    set->insert("1.1.0");
    const auto done = bring("1.1.0", true);
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(done->kind, Outcome::Kind::rolled_back);
    EXPECT_EQ(done->why->code, set == &cluster_.leaking   ? Code::leaking
                               : set == &cluster_.unclear ? Code::not_well
                                                          : Code::helm_failed);
    expect_whole("1.0.0");
    set->clear();
  }
  EXPECT_EQ(bring("1.1.0").error().code, Code::refused_release);
  ASSERT_TRUE(bring("1.1.0", true));
  expect_whole("1.1.0");
}

TEST_F(AClusterSite, TouchesNothingOfAClusterThatLacksSomething) {
  cluster_.kubernetes = "v1.27.9";
  const auto done = bring("1.0.0");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->why->code, Code::cluster_lacks);
  EXPECT_THAT(done->why->what, HasSubstr("1.28"));
  EXPECT_TRUE(cluster_.revisions.empty());
  EXPECT_EQ(cluster_.spaces, std::set<std::string>{"kube-system"});
  EXPECT_FALSE(journal());
}

TEST_F(AClusterSite, LeavesAReleaseOfSomebodyElseAlone) {
  cluster_.revisions[1] = {"0.9.0", "deployed"};
  const auto done = bring("1.0.0");
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->why->code, Code::foreign_name);
  EXPECT_EQ(cluster_.serves(), "0.9.0");
}

TEST_F(AClusterSite, RemovesOnlyTheNamespacesThatItHasMade) {
  cluster_.spaces.insert("shop");
  ASSERT_TRUE(bring("1.0.0"));
  const auto gone =
      *act([](ClusterPremises& premises) { return uninstall_chart(premises, false); });
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_TRUE(cluster_.revisions.empty());
  EXPECT_EQ(cluster_.spaces, (std::set<std::string>{"kube-system", "shop"}));
  EXPECT_FALSE(journal());
}

TEST_F(AClusterSite, TellsWhatARollbackWouldDoAndWhyNot) {
  ASSERT_TRUE(bring("1.0.0"));
  EXPECT_EQ(foresees(forecast_roll_back_chart).error().code, Code::no_previous);
  ASSERT_TRUE(bring("1.1.0"));
  auto lines = foresees(forecast_roll_back_chart);
  ASSERT_TRUE(lines) << lines.error().what;
  EXPECT_THAT(*lines, Contains(AllOf(HasSubstr("go back to 1.0.0"), HasSubstr("revision 2"))));
  EXPECT_THAT(*lines, Contains("restart what differs of statefulset/runtime in namespace shop"));
  // Helm is killed.
  cluster_.revisions[9] = {"1.2.0", "pending-upgrade"};
  lines = foresees(forecast_roll_back_chart);
  ASSERT_TRUE(lines) << lines.error().what;
  EXPECT_THAT(lines->front(), HasSubstr("back to revision 4"));
  cluster_.revisions.erase(9);
  cluster_.revisions.erase(2);
  EXPECT_EQ(foresees(forecast_roll_back_chart).error().code, Code::no_previous);
  EXPECT_EQ(act(roll_back_chart)->error().code, Code::no_previous);
  cluster_.id = "ffff";
  EXPECT_EQ(foresees(forecast_roll_back_chart).error().code, Code::other_cluster);
}

TEST_F(AClusterSite, TellsWhatAnUninstallWouldRemove) {
  cluster_.spaces.insert("shop");
  ASSERT_TRUE(bring("1.0.0"));
  for (const bool keep : {true, false}) {
    const auto lines = foresees(
        [&](ClusterPremises& premises) { return forecast_uninstall_chart(premises, keep); });
    ASSERT_TRUE(lines) << lines.error().what;
    const std::string verb = keep ? "keep " : "remove ";
    EXPECT_THAT(*lines, Contains("stop statefulset/runtime in namespace shop"));
    for (const auto* what :
         {"PersistentVolumeClaim/data-runtime-0 in namespace shop-umbrella",
          "Secret/operator-token in namespace shop", "Secret/kept in namespace shop",
          "namespace shop-umbrella", "/opt/shop"}) {
      EXPECT_THAT(*lines, Contains(verb + what));
    }
    EXPECT_THAT(*lines, Contains("keep namespace shop"));
    EXPECT_THAT(*lines, Not(Contains(HasSubstr("settings")))) << "Helm removes it";
  }
  const auto gone = *act([](ClusterPremises& premises) { return uninstall_chart(premises, true); });
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_THAT(gone->kept, Contains("Secret/operator-token in namespace shop"));
  EXPECT_THAT(gone->kept,
              Contains("PersistentVolumeClaim/data-runtime-0 in namespace shop-umbrella"));
}

TEST_F(AClusterSite, RemovesLaterWhatAnUninstallHasKeptInNamespacesOfOthers) {
  cluster_.spaces = {"kube-system", "shop", "shop-umbrella"};
  ASSERT_TRUE(bring("1.0.0"));
  auto gone = *act([](ClusterPremises& premises) { return uninstall_chart(premises, true); });
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_THAT(gone->kept,
              Contains("PersistentVolumeClaim/data-runtime-0 in namespace shop-umbrella"));
  EXPECT_THAT(cluster_.cleared, IsEmpty());
  const auto lines =
      foresees([](ClusterPremises& premises) { return forecast_uninstall_chart(premises, false); });
  ASSERT_TRUE(lines) << lines.error().what;
  EXPECT_THAT(*lines, AllOf(Contains("remove PersistentVolumeClaim/data-runtime-0 in namespace "
                                     "shop-umbrella"),
                            Contains("keep namespace shop-umbrella")));
  gone = *act([](ClusterPremises& premises) { return uninstall_chart(premises, false); });
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_THAT(cluster_.cleared, UnorderedElementsAre("shop", "shop-umbrella"));
  EXPECT_EQ(cluster_.spaces, (std::set<std::string>{"kube-system", "shop", "shop-umbrella"}));
  EXPECT_FALSE(journal());
}

TEST_F(AClusterSite, FinishesAnUninstallThatAnOlderProgramHasBegun) {
  cluster_.spaces = {"kube-system", "shop", "shop-umbrella"};
  ASSERT_TRUE(bring("1.0.0"));
  // It has committed, and written down no namespace of others.
  auto begun = *journal();
  begun.flight = Flight{.change = Change::uninstall,
                        .step = Step::committed,
                        .from = std::exchange(begun.installed, {}),
                        .to = {}};
  begun.cluster->revision = 0;
  ASSERT_TRUE(save_journal(*opt_, begun));
  const auto gone = recovers();
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_TRUE(cluster_.revisions.empty());
  EXPECT_THAT(cluster_.cleared, UnorderedElementsAre("shop", "shop-umbrella"));
  EXPECT_FALSE(journal());
}

TEST_F(AClusterSite, SaysThatAReleaseKeepsItsValuesAndItsRegistry) {
  values_ = "a: 1\n";
  ASSERT_TRUE(bring("1.0.0"));
  const auto update = [&] { return bring("1.0.0"); };
  EXPECT_EQ(update()->kind, Outcome::Kind::nothing);
  values_ = "a: 2\n";
  EXPECT_EQ(update().error().code, Code::same_release);
  values_.reset();
  EXPECT_EQ(update()->kind, Outcome::Kind::nothing);
  registry_ = "registry.example:5000";
  EXPECT_EQ(update().error().code, Code::same_release);
}

/// Every change, killed before each call and within each: then it is the old or the new one, whole.
TEST_F(AClusterSite, IsOldOrNewWhereverItIsKilled) {
  const auto first = [&](ClusterPremises& premises) { return deliver(premises, "1.0.0"); };
  const auto next = [&](ClusterPremises& premises) { return deliver(premises, "1.1.0"); };
  int killed = 0;
  const auto begin_anew = [&] {
    EXPECT_TRUE(remove_tree(*opt_, "releases"));
    for (const auto* name : {"journal", "gate"}) EXPECT_TRUE(remove_tree(*opt_, name));
    cluster_ = {};
  };
  const auto try_all = [&](const auto& prepare, const auto& change, const std::string& old_version,
                           const std::string& new_version) {
    for (int at = 1;; ++at) {
      bool reached = false;
      for (const bool within : {false, true}) {
        begin_anew();
        prepare();
        if (act(change, within ? 0 : at, within ? at : 0)) continue;
        reached = true;
        ++killed;
        const auto recovered = recovers();
        ASSERT_TRUE(recovered) << at << ": " << recovered.error().what;
        const auto now = journal();
        if (!now || now->installed.empty()) {
          EXPECT_TRUE(old_version.empty() || new_version.empty()) << at;
          EXPECT_TRUE(cluster_.revisions.empty()) << at;
          EXPECT_EQ(cluster_.spaces, std::set<std::string>{"kube-system"}) << at;
        } else {
          expect_whole(cluster_.serves() == new_version ? new_version : old_version);
        }
        const auto again = recovers();
        ASSERT_TRUE(again) << again.error().what;
        EXPECT_EQ(again->kind, Outcome::Kind::nothing) << at;
      }
      if (!reached) return;
    }
  };
  const auto nothing = [] {};
  const auto one = [&] { ASSERT_TRUE(act(first)->has_value()); };
  const auto two = [&] {
    one();
    ASSERT_TRUE(act(next)->has_value());
  };
  try_all(nothing, first, "", "1.0.0");
  try_all(one, next, "1.0.0", "1.1.0");
  try_all(two, roll_back_chart, "1.1.0", "1.0.0");
  try_all(
      one, [](ClusterPremises& premises) { return uninstall_chart(premises, false); }, "1.0.0", "");
  EXPECT_GT(killed, 80);
}

}  // namespace
}  // namespace caisson::installer
