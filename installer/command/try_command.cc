#include "installer/command/try_command.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json_text.h"
#include "installer/command/progress.h"
#include "installer/confine/network.h"
#include "installer/disk/disk.h"
#include "installer/format/site.h"
#include "installer/host/process.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

/// For a start: every part has to become healthy, of which the stack itself waits a minute.
constexpr std::chrono::seconds kPatience{600};
constexpr std::size_t kMostSaid = std::size_t{256} * 1024;
constexpr std::size_t kMostOfNeeds = std::size_t{16} << 20;

/// What a release needs to have for a trial, below `tree/`.
constexpr auto kProgram = "bin/caisson";
constexpr auto kRuntime = "bin/caisson-runtime";
constexpr auto kSpec = "spec/deployment.yaml";

/// The directory's name, absolute and free of links but for its last component.
Checked<std::string> place_of(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  const auto slash = directory.rfind('/');
  const auto name = directory.substr(slash == std::string::npos ? 0 : slash + 1);
  if (!is_file_name(name)) return refuse(Code::host_in_the_way, directory + " names no directory");
  const auto above = slash == std::string::npos ? "." : directory.substr(0, slash + 1);
  const std::unique_ptr<char, decltype(&std::free)> parent(realpath(above.c_str(), nullptr),
                                                           &std::free);
  if (!parent) {
    return refuse(Code::host_read, "cannot find " + above + ": " + system_words(errno));
  }
  const std::string_view found = parent.get();
  return std::string(found == "/" ? "" : found) + "/" + name;
}

/// Why a release is nothing that can be tried, by its list of files.
std::optional<Refusal> fault_of(const Manifest& manifest) {
  for (const auto* path : {kProgram, kRuntime, kSpec}) {
    bool there = false;
    for (const auto& pack : manifest.packs) {
      for (const auto& file : pack.files) there = there || file.path == path;
    }
    if (!there) return Refusal{Code::nothing_to_try, "the release has no " + std::string(path)};
  }
  return std::nullopt;
}

/// Verifies the bundle and puts its content into the directory.
Checked<Said> unpack(const Request& request, const std::string& place) {
  if (auto confined = give_up_network(); !confined) return tl::unexpected(confined.error());
  const auto bundle = open_bundle(request);
  if (!bundle) return tl::unexpected(bundle.error());
  if (auto fault = fault_of(bundle->manifest())) return tl::unexpected(*std::move(fault));
  const auto unlisted = find_unlisted(*bundle, request.strict);
  if (!unlisted) return tl::unexpected(unlisted.error());
  const auto disk = open_disk(place.substr(0, place.rfind('/') + 1));
  if (!disk) return tl::unexpected(disk.error());
  Reading reading;
  std::optional<ReadingProgress> progress;
  if (request.progress) {
    const auto all = bytes_to_read(*bundle);
    if (!all) return tl::unexpected(all.error());
    progress.emplace("verify", *all);
    reading.progress = [&](std::uint64_t bytes) { progress->advance(bytes); };
  }
  const auto totals = stage_content(*bundle, reading, **disk, place.substr(place.rfind('/') + 1));
  if (!totals) return tl::unexpected(totals.error());
  return Said{};
}

/// The same in a process of its own, which alone gives up the network: what is tried needs it. How
/// it ended has been said where it did not end well.
Exit unpacked(const Request& request, const std::string& place) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Exit::host;
  if (child == 0) {
    const auto said = guarded(request.json, [&] { return unpack(request, place); });
    std::fwrite(said.out.data(), 1, said.out.size(), stdout);
    std::fwrite(said.error.data(), 1, said.error.size(), stderr);
    std::fflush(nullptr);
    _exit(static_cast<int>(said.exit));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? static_cast<Exit>(WEXITSTATUS(status)) : Exit::host;
}

/// Which environment of the spec the release was made of; "" for none.
Checked<std::string> environment_of(const std::string& place) {
  for (const auto form : {Form::systemd, Form::compose}) {
    const auto file = place + "/tree/" + site_needs_of(form);
    const auto there = is_there(file);
    if (!there) return refuse(Code::host_read, there.error().what);
    if (!*there) continue;
    const auto text = caisson::read_file(file, kMostOfNeeds);
    if (!text) return refuse(Code::host_read, text.error().what);
    const auto needs = read_site_needs(*text);
    if (!needs) return tl::unexpected(needs.error());
    return needs->environment;
  }
  return std::string();
}

/// Runs the release's own `caisson` on the release's own spec.
Checked<Ended> run_release(const std::string& place, const char* command,
                           const std::vector<std::string>& more) {
  const auto tree = place + "/tree/";
  // `caddy` and what else the stack starts by name come from the release.
  std::vector<std::string> words{
      "/usr/bin/env",  "HOME=" + place,  "PATH=" + tree + "bin:/usr/sbin:/usr/bin:/sbin:/bin",
      tree + kProgram, command,          tree + kSpec,
      "--state",       place + "/state", "--runtime",
      tree + kRuntime};
  const auto environment = environment_of(place);
  if (!environment) return tl::unexpected(environment.error());
  if (!environment->empty()) {
    words.emplace_back("--env");
    words.push_back(*environment);
  }
  words.insert(words.end(), more.begin(), more.end());
  return run_process(words, kPatience, kMostSaid);
}

Checked<Said> start(const TrialRequest& request) {
  const auto place = place_of(request.directory);
  if (!place) return tl::unexpected(place.error());
  const auto there = is_there(*place);
  if (!there) return refuse(Code::host_read, there.error().what);
  if (*there) {
    return refuse(Code::host_in_the_way, *place +
                                             " is there already: name a directory "
                                             "that is not, or end the trial in it "
                                             "with `try --end`");
  }
  if (const auto exit = unpacked(request.bundle, *place); exit != Exit::ok) {
    if (auto removed = caisson::remove_tree(*place); !removed) {
      return refuse(Code::host_write, removed.error().what);
    }
    return Said{.exit = exit};
  }
  std::vector<std::string> more;
  if (!request.answers.empty()) more = {"--answers", request.answers};
  const auto ended = run_release(*place, "up", more);
  const auto rest = "; `caisson-install try --end --dir " + *place + "` removes " + *place +
                    ", its logs among it";
  if (!ended) return refuse(ended.error().code, ended.error().what + rest);
  if (ended->status != 0) {
    return refuse(Code::host_command,
                  "the release did not start" + rest + ". It said:\n" + ended->output);
  }
  if (request.bundle.json) {
    return Said{.out = R"({"result":"ok","directory":)" + json_string(*place) + R"(,"said":)" +
                       json_string(ended->output) + "}\n"};
  }
  return Said{.out = ended->output + "\nend it with: caisson-install try --end --dir " + *place +
                     "\n"};
}

Checked<Said> end(const TrialRequest& request) {
  const auto place = place_of(request.directory);
  if (!place) return tl::unexpected(place.error());
  for (const auto* name : {"MANIFEST", "tree/bin/caisson", "tree/spec/deployment.yaml"}) {
    const auto there = is_there(*place + "/" + name);
    if (!there) return refuse(Code::host_read, there.error().what);
    if (!*there) {
      return refuse(Code::nothing_to_try, *place + " has no " + name + ": no trial has made it");
    }
  }
  const auto ended = run_release(*place, "down", {});
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status != 0) {
    return refuse(Code::host_command,
                  "the stack does not stop, and nothing was removed: " + ended->output);
  }
  if (auto removed = caisson::remove_tree(*place); !removed) {
    return refuse(Code::host_write, removed.error().what);
  }
  if (request.bundle.json) return Said{.out = "{\"result\":\"ok\"}\n"};
  return Said{.out = "ended; " + *place + " is removed\n"};
}

}  // namespace

Said start_trial(const TrialRequest& request) {
  return guarded(request.bundle.json, [&] { return start(request); });
}

Said end_trial(const TrialRequest& request) {
  return guarded(request.bundle.json, [&] { return end(request); });
}

}  // namespace caisson::installer
