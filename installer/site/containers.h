#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "installer/site/claims.h"
#include "installer/site/preflight.h"
#include "installer/site/store.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {

// What a release in its form compose is on this host. Its containers are made, started and stopped
// by units of systemd; what no unit does is asked of Docker here.

/// Below a release: the names of its images in the engine, and secrets that are variables.
inline constexpr std::string_view kComposeEnv = "compose.env";

/// The group whose members read secrets, by its number, and the user of containers that say no
/// other.
inline constexpr std::uint32_t kContainerGroup = 10001;

/// Lets the engine pull the images of a release out of its bundle, by their digests, and writes
/// `compose.env`. Secrets are there. It is durable after `sync_all`.
[[nodiscard]] Checked<void> import_containers(const Premises& premises,
                                              const VerifiedBundle& bundle,
                                              const StagedRelease& to);

/// Takes the images of releases that go from the engine, unless one that stays has them. What is
/// still used stays.
[[nodiscard]] Checked<void> forget_containers(const Premises& premises,
                                              const std::vector<std::string>& going,
                                              const std::vector<std::string>& staying);

/// Leaves nothing of the product in the engine, for an uninstall, whose units are stopped: no
/// container, no network, no image of the releases. Where no engine answers, what it may have still
/// and how that is removed later; else empty.
[[nodiscard]] Checked<std::string> clear_engine(const Premises& premises,
                                                const std::vector<std::string>& going);

/// Whether the runtimes answer as they should and no container is ill or beginning, in this time.
[[nodiscard]] Checked<void> check_containers(const Premises& premises, const StagedRelease& release,
                                             std::chrono::seconds patience);

/// Brings the data of every runtime to what a release writes, each in a container of that release
/// (`Code::not_migrated`).
[[nodiscard]] Checked<void> migrate_in_containers(const Premises& premises,
                                                  const StagedRelease& release);

/// Ends a migration that goes on after this program was killed.
[[nodiscard]] Checked<void> end_migration(const Premises& premises);

/// Writes `gate/site.json` for the isolation probes: the release's, with the addresses that its
/// containers have now. Its path, which is the same for every release.
[[nodiscard]] Checked<std::string> locate_containers(const Premises& premises,
                                                     const StagedRelease& release);

/// The numbers that containers of a release run under, and 10001; but not those of root and
/// nobody, which are the same on every host.
[[nodiscard]] std::set<std::uint32_t> container_users(const StagedRelease& release);

/// That no account of this host has one of these numbers (`Code::foreign_name`).
[[nodiscard]] Checked<Requirement> container_accounts(const HostFiles& files,
                                                      const std::set<std::uint32_t>& numbers);

/// A container or a network that the engine has of a project of this name; empty when it has none,
/// or does not answer.
[[nodiscard]] Checked<std::string> project_in_engine(Host& host, std::string_view product);

/// What the form needs of this host: an engine that answers, and its plugin; and for a bundle, the
/// port at which its images are served, and all of them.
[[nodiscard]] Checked<std::vector<Requirement>> container_requirements(
    Host& host, const VerifiedBundle* bundle);

}  // namespace caisson::installer
