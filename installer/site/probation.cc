#include "installer/site/probation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "installer/site/containers.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

// How `caisson conform` ends.
constexpr int kPass = 0;
constexpr int kLeak = 1;

/// Where the release says how it is reached, and where that stands in the configuration when it
/// depends on answers.
constexpr auto kGateSite = "systemd/site.json";
constexpr auto kAnsweredSite = "site.json";
constexpr auto kAnsweredTree = "systemd/config/site.json";

std::string place_of(const Premises& premises, const StagedRelease& release) {
  return premises.prefix() + "/" + release_path(release.name);
}

std::string told(const Ended& ended) {
  return "ended with " + std::to_string(ended.status) +
         (ended.output.empty() ? "" : ": " + ended.output);
}

/// Lets the release's own program do something with each runtime, one after the other. What fails
/// is refused with the code of `otherwise`, whose words stand before the unit's name.
Checked<void> each_runtime(const Premises& premises, const StagedRelease& release,
                           const Refusal& otherwise, const auto& command_for) {
  const auto place = place_of(premises, release);
  for (const auto& runtime : release.needs.runtimes) {
    Command command = command_for(runtime);
    command.program = place + "/tree/bin/caisson-runtime";
    command.arguments.insert(command.arguments.end(),
                             {"--config", place + "/etc/" + runtime.settings});
    const auto ended = premises.host.run(command);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(otherwise.code, otherwise.what + runtime.unit + " " + told(*ended));
    }
  }
  return {};
}

/// Replaces what the probes have reported before.
Checked<void> keep_report(Disk& site, const std::map<std::string, std::string>& files) {
  const auto place = below(kGate, "report");
  if (auto made = ensure_directory(site, kGate, 0700); !made) return made;
  if (auto removed = remove_tree(site, place); !removed) return removed;
  if (auto made = site.make_directory(place, 0700); !made) return made;
  for (const auto& [name, text] : files) {
    const auto file = site.create(below(place, name), 0600);
    if (!file) return tl::unexpected(file.error());
    if (auto done = (*file)->append(text); !done) return done;
  }
  return site.sync_all();
}

}  // namespace

Checked<void> check_health(const Premises& premises, const StagedRelease& release,
                           std::chrono::seconds patience) {
  if (release.form == Form::compose) return check_containers(premises, release, patience);
  return each_runtime(premises, release, {.code = Code::not_well, .what = "the health check of "},
                      [patience](const auto&) {
                        return Command{
                            .arguments = {"health"}, .deadline = 30s, .patience = patience};
                      });
}

Checked<void> migrate(const Premises& premises, const StagedRelease& release) {
  if (release.form == Form::compose) return migrate_in_containers(premises, release);
  return each_runtime(premises, release, {.code = Code::not_migrated, .what = "the migration of "},
                      [](const auto& runtime) {
                        return Command{
                            .arguments = {"migrate"}, .account = runtime.account, .deadline = 6h};
                      });
}

Checked<Isolation> probe_isolation(const Premises& premises, const StagedRelease& release) {
  const auto tree = release_path(release.name) + "/tree/";
  const bool asks = !release.manifest.questions.empty();
  const bool answered =
      asks && std::ranges::find(release.needs.settings, kAnsweredSite, &SettingsFile::path) !=
                  release.needs.settings.end();
  for (const auto* file : {"bin/caisson", "spec/deployment.yaml",
                           release.form == Form::compose ? "compose/site.json"
                           : answered                    ? kAnsweredTree
                                                         : kGateSite}) {
    const auto there = premises.disks.site.status(tree + file);
    if (!there) return tl::unexpected(there.error());
    if (!*there)
      return Isolation{.probed = false, .remark = "the release has no " + std::string(file)};
  }
  const auto place = place_of(premises, release) + "/tree/";
  // What a killed run has left is found again by this path, which is the same for every release.
  auto site = premises.prefix() + "/" + std::string(kCurrent) +
              (answered ? "/etc/" + std::string(kAnsweredSite) : "/tree/" + std::string(kGateSite));
  if (release.form == Form::compose) {
    auto located = locate_containers(premises, release);
    if (!located) return tl::unexpected(located.error());
    site = *std::move(located);
  }
  Command command{.program = place + "bin/caisson",
                  .arguments = {"conform", place + "spec/deployment.yaml", "--attach", site,
                                "--level", "1", "--quiet"},
                  .account = {},
                  .deadline = 15min};
  if (!release.needs.environment.empty()) {
    command.arguments.insert(command.arguments.end(), {"--env", release.needs.environment});
  }
  if (asks) {
    command.arguments.insert(
        command.arguments.end(),
        {"--answers", place_of(premises, release) + "/etc/" + std::string(kAnswersFile)});
  }
  return run_probes(premises, std::move(command));
}

Checked<Isolation> run_probes(const Premises& premises, Command command) {
  command.arguments.emplace_back("--report");
  command.reports = true;
  // What could not be told is asked once more.
  for (int asked = 0;; ++asked) {
    const auto ended = premises.host.run(command);
    if (!ended) return tl::unexpected(ended.error());
    if (auto kept = keep_report(premises.disks.site, ended->report); !kept) {
      return tl::unexpected(kept.error());
    }
    if (ended->status == kPass) return Isolation{.probed = true, .remark = "no leak was found"};
    if (ended->status == kLeak) {
      return refuse(Code::leaking, "the isolation probes say: " + ended->output);
    }
    if (asked > 0) return refuse(Code::not_well, "the isolation probes " + told(*ended));
  }
}

}  // namespace caisson::installer
