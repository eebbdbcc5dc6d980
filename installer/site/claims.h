#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "installer/disk/disk.h"
#include "installer/format/form.h"
#include "installer/format/manifest.h"
#include "installer/host/host.h"

namespace caisson::installer {

/// What a product has on a host already.
enum class Standing {
  fresh,      ///< nothing: no caisson-install has written down that it was here
  kept,       ///< data and secrets that an uninstall has kept
  installed,  ///< a release
};

/// A host, and the disk of its "/".
struct HostFiles {
  Host& host;
  const Disk& system;
};

/// What stands where a release would put its own, and is somebody else's: in the product's
/// directories, among unit files and among files about accounts, directories and logs, wherever
/// systemd looks for them. Empty when nothing does. `units` are those that the installed release
/// has not; `system` is the disk of "/".
[[nodiscard]] Checked<std::string> claimed(const Disk& system, std::string_view product,
                                           const std::vector<std::string>& units,
                                           Standing standing);

/// The same for a manifest, and accounts of the names of its units; `installed` is the one of the
/// installed release, or null.
[[nodiscard]] Checked<std::string> claimed(const HostFiles& files, const Manifest& manifest,
                                           const Manifest* installed, Standing standing, Form form);

/// The accounts of a product, and its groups that nobody else is in, each as "the account NAME".
[[nodiscard]] Checked<std::vector<std::string>> own_accounts(const Disk& system,
                                                             std::string_view product);

/// An account or a group of a text of sysusers.d(5) that another file of the system declares, or
/// that is there with another home, or where no account lives in the product's directory; empty
/// when there is none. What is there from an earlier install is the product's own, and so is a
/// group that nobody is in.
[[nodiscard]] Checked<std::string> claimed_account(const HostFiles& files, std::string_view product,
                                                   std::string_view accounts);

/// An account or a group of this host that has one of these numbers, and which; empty when none
/// has.
[[nodiscard]] Checked<std::string> numbered_account(const HostFiles& files,
                                                    const std::set<std::uint32_t>& numbers);

}  // namespace caisson::installer
