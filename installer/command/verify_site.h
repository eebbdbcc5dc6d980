#pragma once

#include <optional>
#include <vector>

#include "installer/command/site_command.h"
#include "installer/disk/disk.h"
#include "installer/format/journal.h"
#include "installer/trust/chain.h"
#include "installer/verify/bundle.h"
#include "installer/verify/listing.h"

namespace caisson::installer {

/// What a bundle is verified against: whom the site trusts, and what it has.
struct KnownSite {
  std::optional<TrustedRoot> root;      ///< nothing: whom the command names
  std::optional<Floor> floor;           ///< nothing older is taken
  Disk* kept_in = nullptr;              ///< where new roots are kept; there where a root is
  const Manifest* installed = nullptr;  ///< of the release that runs; null for none
  const Journal* journal = nullptr;     ///< there where a release runs
};

/// A bundle that has been verified, and the roots on the way that the site has not.
struct Verified {
  VerifiedBundle bundle;
  std::vector<TrustedRoot> roots;
  Unlisted unlisted;
};

/// The root that a bundle's chain begins at: the one that the site has kept, or whom the command
/// names.
[[nodiscard]] Checked<TrustedRoot> trusted_root(const Request& request, const KnownSite& known,
                                                const UnverifiedBundle& bundle);

/// Verifies a bundle for a site, whose release may follow the one that runs, and keeps each root
/// that a trusted one has led to as soon as it has verified, unless `dry_run`.
[[nodiscard]] Checked<Verified> verify_for(const SiteRequest& request, bool dry_run,
                                           const KnownSite& known, UnverifiedBundle bundle);

}  // namespace caisson::installer
