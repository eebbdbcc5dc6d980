#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/scratch.h"
#include "installer/format/site.h"
#include "installer/image/testing.h"
#include "installer/site/change.h"
#include "installer/verify/bundle_testing.h"

namespace caisson::installer::testing {

/// A host as a model: units that run or do not, and programs of releases that do what a test says.
/// It writes to the data as a runtime would, through the same disk as the installer.
class ModelHost : public Host {
 public:
  explicit ModelHost(Disks disks) : disks_(disks) {}

  bool is_root() const override { return root; }
  Checked<std::uint64_t> systemd_version() override { return systemd; }
  Checked<Space> space(std::string_view path) override {
    return Space{.device = path.starts_with("/opt") ? 1U : 2U, .bytes = bytes, .inodes = 1'000'000};
  }
  Checked<std::vector<std::string>> mounts_below(std::string_view path) override {
    auto below = mounts;
    std::erase_if(below,
                  [&](const auto& each) { return !each.starts_with(std::string(path) + "/"); });
    return below;
  }
  Checked<bool> is_taken(std::uint16_t port) override { return taken.contains(port); }
  Checked<void> make_accounts(std::string_view file) override { return note("accounts", file); }
  Checked<void> make_directories(std::string_view file) override {
    for (const auto* store : {"edge", "edge_door", "runtime"}) {
      const auto there = disks_.data.status(store);
      if (!there) return tl::unexpected(there.error());
      if (*there) continue;
      if (auto made = disks_.data.make_directory(store, 0700); !made) return made;
    }
    return note("directories", file);
  }
  Checked<std::uint32_t> user(std::string_view) override { return geteuid(); }
  Checked<std::uint32_t> group(std::string_view) override { return getegid(); }
  Checked<void> reload_units() override { return note("reload", ""); }

  Checked<void> set_enabled(std::string_view unit, bool enable) override {
    if (auto there = known(unit); !there) return there;
    if (enable) {
      enabled.emplace(unit);
    } else {
      enabled.erase(std::string(unit));
    }
    return note(enable ? "enable" : "disable", unit);
  }

  Checked<UnitState> unit(std::string_view name) override {
    const auto there = disks_.etc.status("systemd/system/" + std::string(name));
    if (!there) return tl::unexpected(there.error());
    return UnitState{.load = *there ? "loaded" : "not-found",
                     .active = running.contains(std::string(name))  ? "active"
                               : broken.contains(std::string(name)) ? "failed"
                                                                    : "inactive",
                     .enabled = enabled.contains(std::string(name)) ? "enabled" : "disabled",
                     .file = "/etc/systemd/system/" + std::string(name),
                     .drop_ins = {}};
  }

  Checked<void> start(const std::vector<std::string>& units) override {
    for (const auto& unit : units) {
      if (auto there = known(unit); !there) return there;
      if (broken.contains(unit)) return refuse(Code::host_command, unit + " does not start");
      running.insert(unit);
      if (auto noted = note("start", unit); !noted) return noted;
    }
    return {};
  }

  Checked<void> stop(const std::vector<std::string>& units) override {
    for (const auto& unit : units) {
      running.erase(unit);
      if (auto noted = note("stop", unit); !noted) return noted;
    }
    return {};
  }

  Checked<void> start_later(std::string_view unit) override { return note("later", unit); }

  std::string find_program(std::string_view name) override {
    if (name == "getent" && directory) return kGetent;
    return name == "docker" && has_engine ? kDocker : "";
  }

  Checked<Ended> run(const Command& command) override {
    if (command.program == kDocker || command.program == "/bin/sh") return run_docker(command);
    if (command.program == kGetent) return directory(command.arguments);
    if (auto noted = note("run", command.program + " " + command.arguments.front()); !noted) {
      return tl::unexpected(noted.error());
    }
    const auto from = command.program.find(kReleases) + kReleases.size() + 1;
    const auto release = command.program.substr(from, command.program.find('/', from) - from);
    const auto answer = answers.find(release + " " + command.arguments.front());
    const auto status = answer == answers.end() ? 0 : answer->second;
    if (command.arguments.front() == "migrate") {
      if (auto written = write_store("migrated by " + release); !written) {
        return tl::unexpected(written.error());
      }
    }
    const auto words = said.find(command.program);
    Ended ended{.status = status,
                .output = words != said.end() ? words->second
                          : status == 0       ? ""
                                              : "no",
                .report = {}};
    if (command.reports) ended.report["report.json"] = "report of " + release;
    return ended;
  }

  std::string random(std::size_t size) override { return std::string(size, 'r'); }
  std::uint64_t now() override { return clock; }

  /// What a runtime keeps.
  Checked<void> write_store(const std::string& text) {
    for (const auto* name : {"runtime/store", "runtime/log"}) {
      if (auto removed = disks_.data.remove(name); !removed) return removed;
      const auto file = disks_.data.create(name, 0600);
      if (!file) return tl::unexpected(file.error());
      if (auto done = (*file)->append(text); !done) return done;
      if (auto done = (*file)->sync(); !done) return done;
    }
    return disks_.data.sync_directory("runtime");
  }

  /// Its words in `calls`, and what `engine` says, which may look at them.
  Checked<Ended> run_docker(const Command& command) {
    std::string words;
    for (const auto& word : command.arguments) words += " " + word;
    if (auto noted = note("docker", words.substr(1)); !noted) return tl::unexpected(noted.error());
    auto ended = engine(words.substr(1));
    const auto release = words.find(kReleases);
    if (words.find(" migrate ") != std::string::npos && release != std::string::npos) {
      const auto from = release + kReleases.size() + 1;
      if (auto written =
              write_store("migrated by " + words.substr(from, words.find('/', from) - from));
          !written) {
        return tl::unexpected(written.error());
      }
    }
    return ended;
  }

  static constexpr auto kDocker = "/usr/bin/docker";
  static constexpr auto kGetent = "/usr/bin/getent";

  bool root = true;
  bool has_engine = true;
  /// Does all that it is told, and has every image.
  std::function<Ended(const std::string& words)> engine = [](const std::string& words) {
    return Ended{.status = 0, .output = words.starts_with("inspect ") ? "172.18.0.2" : ""};
  };
  /// What getent(1) says, where there is one.
  std::function<Ended(const std::vector<std::string>& words)> directory;
  std::uint64_t systemd = 252;
  std::uint64_t bytes = std::uint64_t{1} << 40;
  std::uint64_t clock = 1'800'000'000;
  std::vector<std::string> mounts;
  std::set<std::uint16_t> taken;
  std::set<std::string> running;
  std::set<std::string> enabled;
  std::set<std::string> broken;             ///< units that do not start
  std::map<std::string, int> answers;       ///< "RELEASE COMMAND": how it ends, unless with 0
  std::map<std::string, std::string> said;  ///< what programs of the host say, by their paths
  std::vector<std::string> calls;
  std::function<Checked<void>()> at_call;  ///< before each call that does something

 private:
  Checked<void> note(std::string_view what, std::string_view of) {
    calls.push_back(std::string(what) + " " + std::string(of));
    return at_call ? at_call() : Checked<void>{};
  }

  /// systemd starts no unit whose file is not there.
  Checked<void> known(std::string_view unit) const {
    const auto there = disks_.etc.status("systemd/system/" + std::string(unit));
    if (!there) return tl::unexpected(there.error());
    if (*there) return {};
    return refuse(Code::host_command, "there is no unit " + std::string(unit));
  }

  Disks disks_;
};

/// The files of a release that has a runtime, a dashboard and an edge, and `with` more; with
/// "containers" as a compose project, with a text that begins with a group, as "g shop -", these
/// accounts.
inline void add_release(Maker& maker, const std::string& version, std::uint64_t sequence,
                        std::uint64_t data, std::string_view with = {}) {
  const auto number = version_of(version).value();
  maker.manifest.version = number;
  maker.manifest.from = {.major = 1};
  maker.manifest.envelope.release.sequence = sequence;
  maker.manifest.data = data;
  maker.manifest.reads = 1;
  maker.manifest.packs.clear();
  std::erase_if(maker.files, [](const auto& file) { return file.first.starts_with(kBlobs); });
  maker.manifest.images.clear();
  const bool contained = with.ends_with("containers");
  if (maker.manifest.forms.front() == "compose" && !contained)
    maker.add_image("registry.example/app:1", "layer");
  const std::string form = contained ? "compose/" : "systemd/";
  const std::string configuration = contained ? form : "systemd/config/";
  SiteNeeds needs{.product = "shop",
                  .prefix = "/opt/shop",
                  .data = "/var/lib/shop",
                  .target = "shop.target",
                  .edge = "shop-edge.service",
                  .door = "edge_door",
                  .ports = {80, 443},
                  .directories = {{"tenants/runtime", "shop-runtime"}},
                  .settings = {{"dashboard.json", 0644, "root"},
                               {"runtime.json", 0640, "shop-runtime"},
                               {"tenants/runtime/tenants.ndjson", 0640, "shop-runtime"}},
                  .secrets = {{SiteSecret::Source::generated, "operator-token", 32, ""}},
                  .stores = {"edge", "runtime"},
                  .services = {"shop-dashboard.service", "shop-runtime.service"},
                  .runtimes = {{"shop-runtime.service", "shop-runtime", "runtime.json"}}};
  std::string asked;
  maker.manifest.questions.clear();
  if (with == "questions") {
    maker.manifest.questions = {
        {"certificates", AnswerType::word, "internal", {"files", "internal"}, "From where?"},
        {"domain", AnswerType::domain, std::nullopt, {}, "Under which name?"},
        {"https", AnswerType::port, "443", {}, "On which port?"},
        {"mail-password", AnswerType::secret, std::nullopt, {}, "Which password?"}};
    needs.ports = {80};
    needs.answered_ports = {"https"};
    needs.settings.push_back({"site.json", 0644, "root"});
    needs.secrets.push_back({SiteSecret::Source::answered, "edge-certificate", 0, "tls/site.pem",
                             "certificates", "files"});
    needs.secrets.push_back({SiteSecret::Source::given, "mail-password", 0, "the vault"});
    maker.add({{"systemd/config/site.json", "port ${answer:https}\n"}});
    asked = "domain ${answer:domain}\n";
  }
  if (contained) {
    maker.manifest.forms = {"compose"};
    const auto image = "registry.example/app:" + version;
    maker.add_image(image, "layer of " + version);
    maker.manifest.images.back().uid = 65532;
    needs.images = {{"app", with == "numbered containers" ? "1000" : "root", image}};
    needs.secrets.push_back({SiteSecret::Source::given, "mail-password", 0, "the vault"});
    needs.variables = {{"MAIL_PASSWORD", "mail-password"}};
    maker.add({{"bin/caisson", "gate of " + version}}).files.front().executable = true;
    maker.add({{"spec/deployment.yaml", "spec"}});
    maker.add({{"compose/site.json", R"({"data":"${shop-runtime-1/shop_front}:8080"})"}});
  }
  if (with == "a program") needs.programs.emplace_back("shop-app.service");
  if (with == "an image" || with == "a hostile image") {
    maker.add_image("registry.example/app:1",
                    ended(member({.path = with == "an image" ? "app" : "../../../../escaped",
                                  .content = "app of " + version,
                                  .mode = 0755})));
    maker.add({{"systemd/system/shop-app.service",
                "[Service]\nExecStart=/bin/false serve " + version + "\n"}});
    needs.images.push_back({"app", "shop-app", "registry.example/app:1"});
    needs.services.insert(needs.services.begin(), "shop-app.service");
  }
  maker.add({{"bin/caddy", "caddy of " + version}});
  if (with == "a gate") {
    maker.add({{"bin/caisson", "gate of " + version}}).files.front().executable = true;
    maker.add({{"spec/deployment.yaml", "spec"}});
    maker.add({{"systemd/site.json", "{}"}});
  }
  auto& runtime = maker.add({{"bin/caisson-runtime", "runtime of " + version}});
  runtime.files.front().executable = true;
  std::vector<Content> files{
      {form + "SITE", write_site_needs(needs)},
      {configuration + "dashboard.json", "dashboard of every version\n"},
      {configuration + "runtime.json", "runtime of " + version + "\nlimit 1\n" + asked},
      {configuration + "tenants/runtime/tenants.ndjson", "tenants\n"},
      {form + "journald@shop.conf", "journal\n"},
      {form + "system/shop-dashboard.service", "dashboard of " + version},
      {form + "system/shop-edge.service", "edge of " + version},
      {form + "system/shop-runtime-data.socket", "socket of " + version},
      {form + "system/shop-runtime.service", "runtime of " + version},
      {form + "system/shop.slice", "slice of " + version},
      {form + "system/shop.target", "target of " + version},
      {form + "sysusers.d/shop.conf",
       with.starts_with("g ") ? std::string(with) : "accounts of " + version},
      {form + "tmpfiles.d/shop.conf", "directories of " + version}};
  std::ranges::sort(files);
  maker.add(files);
  maker.seal();
}

}  // namespace caisson::installer::testing
