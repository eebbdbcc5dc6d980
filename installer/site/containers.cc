#include "installer/site/containers.h"

#include <algorithm>

#include "base/printable.h"
#include "installer/registry/engine.h"
#include "installer/registry/server.h"
#include "installer/site/claims.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostOfSecret = std::size_t{1} << 16;
constexpr std::string_view kRuntimeSettings = "/etc/caisson/runtime.json";

constexpr std::string_view kDocker = "docker";

/// Docker ends with 0 whether there is a container of that kind or not.
constexpr std::string_view kNoneIs =
    R"(bad=$("$1" ps --filter "$2" --filter "$3" --format '{{.Names}}') && test -z "$bad" ||)"
    R"( { echo $bad; exit 1; })";

Checked<Ended> docker(Host& host, std::vector<std::string> arguments,
                      std::chrono::seconds deadline = 60s) {
  auto program = host.find_program(kDocker);
  if (program.empty()) return refuse(Code::host_lacks, "there is no program docker");
  return host.run({.program = std::move(program),
                   .arguments = std::move(arguments),
                   .account = {},
                   .deadline = deadline,
                   .answers = true});
}

std::string told(const Ended& ended) {
  return "ended with " + std::to_string(ended.status) +
         (ended.output.empty() ? "" : ": " + ended.output);
}

/// The service of a project that a unit runs: "runtime" for "shop-runtime.service".
std::string service_of(const Premises& premises, const std::string& unit) {
  const auto begin = premises.product.size() + 1;
  return unit.substr(begin, unit.rfind('.') - begin);
}

std::string container_of(const Premises& premises, const std::string& unit) {
  return premises.product + "-" + service_of(premises, unit) + "-1";
}

/// What Docker marks everything of a project with.
std::string label_of(std::string_view product) {
  return "label=com.docker.compose.project=" + std::string(product);
}

/// Whether an engine answers, soon: one that hangs does not.
bool engine_answers(Host& host) {
  const auto ended = docker(host, {"version", "--format", "{{.Server.Version}}"}, 20s);
  return ended && ended->status == 0 && !ended->output.empty();
}

std::string migration_of(const Premises& premises) { return premises.product + "-migration"; }

/// A value that Compose takes as it is, whatever is in it.
std::string as_written(std::string_view value) {
  if (value.find_first_of("'\n\\") == std::string_view::npos) {
    return "'" + std::string(value) + "'";
  }
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"' || c == '$') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + "\"";
}

/// The images that a release has in the engine, by the names that it has there.
Checked<std::vector<std::string>> images_of(const Disk& site, std::string_view release) {
  std::vector<std::string> names;
  const auto path = below(release_path(release), kComposeEnv);
  const auto there = site.status(path);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return names;
  const auto text = read_file(site, path, kMostOfText);
  if (!text) return tl::unexpected(text.error());
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto equals = line.find('=');
    if (line.starts_with(kImageVariable) && equals != std::string_view::npos) {
      names.emplace_back(line.substr(equals + 1));
    }
  }
  return names;
}

/// Removes what units have left that were stopped while no engine answered: the containers of the
/// product that run these images, and its networks.
Checked<void> remove_containers(const Premises& premises, const std::vector<std::string>& images) {
  if (images.empty()) return {};
  const auto label = label_of(premises.product);
  std::vector<std::string> asked{"ps", "--all", "--format", "{{.Names}}", "--filter", label};
  for (const auto& image : images) {
    asked.emplace_back("--filter");
    asked.push_back("ancestor=" + image);
  }
  const auto found = docker(premises.host, std::move(asked));
  if (!found) return tl::unexpected(found.error());
  std::vector<std::string> removal{"rm", "--force"};
  std::string_view rest = found->output;
  while (found->status == 0 && !rest.empty()) {
    const auto name = rest.substr(0, rest.find_first_of(" \n"));
    if (!name.empty()) removal.emplace_back(name);
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  if (removal.size() == 2) return {};
  const std::vector<std::string> networks{"network", "prune", "--force", "--filter", label};
  for (const auto& words : {removal, networks}) {
    const auto ended = docker(premises.host, words, 5min);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::host_command, "docker " + words.front() + " " + told(*ended));
    }
  }
  return {};
}

/// The address that a container has in a network, as "container/network" names them.
Checked<std::string> address_of(const Premises& premises, std::string_view place) {
  const auto slash = std::min(place.find('/'), place.size());
  const std::string container(place.substr(0, slash));
  const std::string network(place.substr(std::min(slash + 1, place.size())));
  const auto ended = docker(
      premises.host,
      {"inspect", "--format",
       R"({{(index .NetworkSettings.Networks ")" + network + R"(").IPAddress}})", container});
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status != 0 || ended->output.empty() ||
      ended->output.find_first_not_of("0123456789.") != std::string::npos) {
    return refuse(Code::not_well,
                  container + " has no address in " + network + ": docker inspect " + told(*ended));
  }
  return ended->output;
}

}  // namespace

Checked<void> import_containers(const Premises& premises, const VerifiedBundle& bundle,
                                const StagedRelease& to) {
  const auto catalogue = Catalogue::of(bundle);
  if (!catalogue) return tl::unexpected(catalogue.error());
  std::string env = "# Written by caisson-install.\nSOURCE_DIR=.\n";
  const auto server = Server::listen(*catalogue, premises.image_port);
  if (!server) return tl::unexpected(server.error());
  for (const auto& image : to.needs.images) {
    const auto& all = catalogue->images();
    const auto served = std::ranges::find_if(
        all, [&](const Served& each) { return each.image->reference == image.reference; });
    if (served == all.end()) {
      return refuse(Code::missing_file, "the bundle has no image " + printable(image.reference));
    }
    const auto name = pulled_name(*served, (*server)->port());
    env += image_variable(image.name) + "=" + name + "\n";
    // One that the engine has by this digest is that image.
    const auto known = docker(premises.host, {"image", "inspect", "--format", "{{.Id}}", name});
    if (!known) return tl::unexpected(known.error());
    if (known->status == 0) continue;
    premises.say("bringing " + printable(image.reference) + " into the engine");
    const auto ended = docker(premises.host, {"pull", "--quiet", name}, 30min);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::engine_refused,
                    "docker pull of '" + printable(image.reference) + "' " + told(*ended));
    }
  }
  for (const auto& variable : to.needs.variables) {
    const auto value =
        read_file(premises.disks.site, below(kSecrets, variable.secret), kMostOfSecret);
    if (!value) return tl::unexpected(value.error());
    env += variable.name + "=" + as_written(*value) + "\n";
  }
  return replace_file(premises.disks.site, below(release_path(to.name), kComposeEnv), env, 0600);
}

Checked<void> forget_containers(const Premises& premises, const std::vector<std::string>& going,
                                const std::vector<std::string>& staying) {
  const auto& site = premises.disks.site;
  // While the host boots there is no engine yet; what it has then costs space alone.
  if (premises.booting || going.empty()) return {};
  std::vector<std::string> kept;
  for (const auto& release : staying) {
    const auto names = images_of(site, release);
    if (!names) return tl::unexpected(names.error());
    kept.insert(kept.end(), names->begin(), names->end());
  }
  for (const auto& release : going) {
    const auto names = images_of(site, release);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      if (std::ranges::find(kept, name) != kept.end()) continue;
      // It may be gone already, or somebody else may use it.
      const auto ended = docker(premises.host, {"image", "rm", name}, 5min);
      if (!ended) return tl::unexpected(ended.error());
    }
  }
  return {};
}

Checked<std::string> clear_engine(const Premises& premises, const std::vector<std::string>& going) {
  // While the host boots there is no engine yet, and no container that runs.
  if (premises.booting) return std::string();
  std::vector<std::string> images;
  for (const auto& release : going) {
    const auto names = images_of(premises.disks.site, release);
    if (!names) return tl::unexpected(names.error());
    images.insert(images.end(), names->begin(), names->end());
  }
  std::ranges::sort(images);
  images.erase(std::unique(images.begin(), images.end()), images.end());
  const auto label = label_of(premises.product);
  if (!engine_answers(premises.host)) {
    std::string told = "containers, networks and images of " + premises.product +
                       ", maybe: no engine answers, and its containers may run on. Once one "
                       "answers: docker ps --all --quiet --filter " +
                       label +
                       " | xargs --no-run-if-empty docker rm --force; docker network prune "
                       "--force --filter " +
                       label;
    if (!images.empty()) told += "; docker image rm";
    for (const auto& image : images) told += " " + image;
    return told;
  }
  if (auto done = remove_containers(premises, images); !done) return tl::unexpected(done.error());
  if (auto done = forget_containers(premises, going, {}); !done) {
    return tl::unexpected(done.error());
  }
  return std::string();
}

Checked<void> check_containers(const Premises& premises, const StagedRelease& release,
                               std::chrono::seconds patience) {
  const auto program = premises.host.find_program(kDocker);
  if (program.empty()) return refuse(Code::host_lacks, "there is no program docker");
  for (const auto& runtime : release.needs.runtimes) {
    const auto ended = premises.host.run(
        {.program = program,
         .arguments = {"exec", container_of(premises, runtime.unit), "/bin/caisson-runtime",
                       "health", "--config", std::string(kRuntimeSettings)},
         .account = {},
         .deadline = 30s,
         .patience = patience});
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::not_well, "the health check of " + runtime.unit + " " + told(*ended));
    }
  }
  const auto label = label_of(premises.product);
  for (const std::string state : {"starting", "unhealthy"}) {
    const auto ended = premises.host.run(
        {.program = "/bin/sh",
         .arguments = {"-c", std::string(kNoneIs), "sh", program, label, "health=" + state},
         .account = {},
         .deadline = 30s,
         .patience = patience});
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::not_well, "containers are " + state + ": " + ended->output);
    }
  }
  return {};
}

Checked<void> migrate_in_containers(const Premises& premises, const StagedRelease& release) {
  const auto place = below(premises.prefix(), release_path(release.name));
  for (const auto& runtime : release.needs.runtimes) {
    if (auto done = end_migration(premises); !done) return done;
    const auto ended = docker(premises.host,
                              {"compose",
                               "--project-name",
                               premises.product,
                               "--project-directory",
                               place + "/etc",
                               "--file",
                               place + "/etc/compose.yaml",
                               "--file",
                               place + "/etc/site.yaml",
                               "--env-file",
                               below(place, kComposeEnv),
                               "run",
                               "--rm",
                               "--no-deps",
                               "--no-TTY",
                               "--pull",
                               "never",
                               "--name",
                               migration_of(premises),
                               service_of(premises, runtime.unit),
                               "migrate",
                               "--config",
                               std::string(kRuntimeSettings)},
                              6h);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::not_migrated, "the migration of " + runtime.unit + " " + told(*ended));
    }
  }
  return {};
}

Checked<void> end_migration(const Premises& premises) {
  const auto ended = docker(premises.host, {"rm", "--force", migration_of(premises)});
  if (!ended) return tl::unexpected(ended.error());
  // Clients differ in what they say of one that is not there.
  if (ended->status == 0 || ended->output.find("No such container") != std::string::npos) return {};
  return refuse(Code::host_command, "docker rm " + told(*ended));
}

Checked<std::string> locate_containers(const Premises& premises, const StagedRelease& release) {
  auto& site = premises.disks.site;
  const auto text =
      read_file(site, tree_path(release.name, release.form) + "/site.json", kMostOfText);
  if (!text) return tl::unexpected(text.error());
  std::string filled;
  std::string_view rest = *text;
  for (auto at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
    const auto end = rest.find('}', at);
    if (end == std::string_view::npos) break;
    auto address = address_of(premises, rest.substr(at + 2, end - at - 2));
    if (!address) return address;
    filled.append(rest.substr(0, at)).append(*address);
    rest.remove_prefix(end + 1);
  }
  filled += rest;
  if (auto made = ensure_directory(site, kGate, 0700); !made) return tl::unexpected(made.error());
  const auto path = below(kGate, "site.json");
  if (auto done = replace_file(site, path, filled, 0600); !done) {
    return tl::unexpected(done.error());
  }
  return below(premises.prefix(), path);
}

std::set<std::uint32_t> container_users(const StagedRelease& release) {
  constexpr std::uint32_t kNobody = 65534;
  std::set<std::uint32_t> users{kContainerGroup};
  for (const auto& image : release.needs.images) {
    const auto number = number_of(image.account);
    if (number && *number < 0xffff'ffffU) {
      users.insert(static_cast<std::uint32_t>(*number));
      continue;
    }
    // The project leaves it to the image, or is of before it was said here.
    const auto& all = release.manifest.images;
    const auto its = std::ranges::find(all, image.reference, &Image::reference);
    if (its != all.end()) users.insert(its->uid);
  }
  users.erase(0);
  users.erase(kNobody);
  return users;
}

Checked<Requirement> container_accounts(const HostFiles& files,
                                        const std::set<std::uint32_t>& numbers) {
  const auto account = numbered_account(files, numbers);
  if (!account) return tl::unexpected(account.error());
  std::string list;
  for (const auto number : numbers) list += (list.empty() ? "" : ", ") + std::to_string(number);
  return Requirement{.what = "users and groups of containers: " + list,
                     .needs = "nobody of this host",
                     .has = account->empty() ? "nobody" : *account,
                     .met = account->empty(),
                     .code = Code::foreign_name};
}

Checked<std::string> project_in_engine(Host& host, std::string_view product) {
  if (host.find_program(kDocker).empty()) return std::string();
  const auto label = label_of(product);
  const std::vector<std::vector<std::string>> asked{
      {"ps", "--all", "--filter", label, "--format", "the container {{.Names}}"},
      {"network", "ls", "--filter", label, "--format", "the network {{.Name}}"}};
  for (const auto& words : asked) {
    const auto ended = docker(host, words);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status == 0 && !ended->output.empty()) {
      return ended->output.substr(0, ended->output.find('\n'));
    }
  }
  return std::string();
}

Checked<std::vector<Requirement>> container_requirements(Host& host, const VerifiedBundle* bundle) {
  std::vector<Requirement> rows;
  const bool has_program = !host.find_program(kDocker).empty();
  const auto ask = [&](std::string what, std::string needs,
                       std::vector<std::string> arguments) -> Checked<void> {
    rows.push_back(
        {.what = std::move(what), .needs = std::move(needs), .has = "no program docker"});
    if (!has_program) return {};
    const auto ended = docker(host, std::move(arguments));
    if (!ended) return tl::unexpected(ended.error());
    rows.back().met = ended->status == 0 && !ended->output.empty();
    rows.back().has = rows.back().met ? ended->output : "none that answers";
    return {};
  };
  if (auto done =
          ask("Docker engine", "one that answers", {"version", "--format", "{{.Server.Version}}"});
      !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = ask("Docker's compose plugin", "version 2", {"compose", "version", "--short"});
      !done) {
    return tl::unexpected(done.error());
  }
  if (bundle == nullptr) return rows;
  const auto taken = host.is_taken(kImagePort);
  if (!taken) return tl::unexpected(taken.error());
  rows.push_back({.what = "port " + std::to_string(kImagePort) + ", for the images",
                  .needs = "free",
                  .has = *taken ? "taken" : "free",
                  .met = !*taken,
                  .code = Code::serving_port});
  const auto catalogue = Catalogue::of(*bundle);
  if (!catalogue && catalogue.error().code != Code::wrong_base) {
    return tl::unexpected(catalogue.error());
  }
  rows.push_back({.what = "images of the bundle",
                  .needs = "whole",
                  .has = catalogue ? "whole" : catalogue.error().what,
                  .met = catalogue.has_value(),
                  .code = Code::wrong_base});
  return rows;
}

}  // namespace caisson::installer
