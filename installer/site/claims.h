#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "installer/disk/disk.h"
#include "installer/format/form.h"
#include "installer/format/journal.h"
#include "installer/format/manifest.h"
#include "installer/host/host.h"
#include "installer/site/premises.h"

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

/// The text of sysusers.d(5) of a release, below the site's directory.
[[nodiscard]] std::string declaration_of(const Premises& premises, std::string_view release);

/// Keeps in a journal which accounts and groups releases declare that are about to be removed from
/// the site's disk, but for what those declare that stay. Whether the journal is another one now,
/// which has to be saved.
[[nodiscard]] Checked<bool> note_accounts(const Premises& premises, Journal& journal,
                                          const std::vector<std::string>& going,
                                          const std::vector<std::string>& staying);

/// The accounts and groups of a product that are on this host, each as "the account NAME": of those
/// that its releases declare, and accounts that live in its directory.
[[nodiscard]] Checked<std::vector<std::string>> own_accounts(const Disk& system,
                                                             std::string_view product,
                                                             const std::vector<MadeAccount>& made);

/// An account or a group of a text of sysusers.d(5) that another file of the system declares, or
/// that is there and is not the product's; empty when there is none. The product's own are what the
/// text of the `installed` release declares, accounts from an earlier install, which nobody can log
/// in with and which live where the text says, groups beside such accounts, and groups that nobody
/// is in. A directory of the site (getent(1)) tells whose first group one is as far as it lists its
/// accounts.
[[nodiscard]] Checked<std::string> claimed_account(const HostFiles& files, std::string_view product,
                                                   std::string_view accounts,
                                                   std::string_view installed);

/// An account or a group of this host that has one of these numbers, and which; empty when none
/// has.
[[nodiscard]] Checked<std::string> numbered_account(const HostFiles& files,
                                                    const std::set<std::uint32_t>& numbers);

}  // namespace caisson::installer
