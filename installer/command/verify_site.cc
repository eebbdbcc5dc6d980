#include "installer/command/verify_site.h"

#include <string>
#include <utility>

#include "installer/format/succession.h"
#include "installer/site/premises.h"
#include "installer/site/roots.h"

namespace caisson::installer {

Checked<TrustedRoot> trusted_root(const Request& request, const KnownSite& known,
                                  const UnverifiedBundle& bundle) {
  if (known.root) return *known.root;
  if (request.expected_root) {
    const auto files = bundle.roots();
    if (!files) return tl::unexpected(files.error());
    return expected_root(*files, *request.expected_root);
  }
  if (request.roots.empty()) {
    return refuse(Code::root_not_trusted,
                  "this site trusts nobody yet: say whom, with --expect-root or --roots");
  }
  const auto disk = open_disk(request.roots);
  if (!disk) return refuse(Code::host_read, disk.error().what);
  auto root = load_roots(**disk, "");
  if (!root) return tl::unexpected(root.error());
  if (!*root) return refuse(Code::root_not_trusted, request.roots + " holds no root.N");
  return **std::move(root);
}

Checked<Verified> verify_for(const SiteRequest& request, bool dry_run, const KnownSite& known,
                             UnverifiedBundle bundle) {
  std::vector<TrustedRoot> roots;
  auto root = trusted_root(request.bundle, known, bundle);
  if (!root) return tl::unexpected(root.error());
  if (!known.root) roots.push_back(*root);
  std::optional<Refusal> unkept;
  auto with_signature =
      SignedBundle::verify(std::move(bundle), *std::move(root), [&](const TrustedRoot& next) {
        roots.push_back(next);
        // At once, whatever becomes of the bundle.
        if (!known.root || dry_run || unkept) return;
        if (auto kept = keep_root(*known.kept_in, kRoots, next); !kept) unkept = kept.error();
      });
  if (!with_signature) return tl::unexpected(with_signature.error());
  if (unkept) return tl::unexpected(*unkept);
  Site site{.arch = std::string(host_arch())};
  if (known.floor) {
    site.floor = known.floor->release;
    site.manifest = known.floor->manifest;
  }
  if (known.installed != nullptr) site.version = known.installed->version;
  auto verified = VerifiedBundle::verify(*std::move(with_signature), site);
  if (!verified) return tl::unexpected(verified.error());
  auto unlisted = find_unlisted(*verified, request.bundle.strict);
  if (!unlisted) return tl::unexpected(unlisted.error());
  if (known.installed != nullptr) {
    const auto& next = verified->manifest();
    const auto name = release_name(next.envelope.release, verified->digest());
    auto fits = check_successor(*known.journal, *known.installed,
                                {.release = name,
                                 .manifest = next,
                                 .again = request.again,
                                 .moves = request.stage ? nullptr : &request.moves});
    if (!fits) return tl::unexpected(fits.error());
  }
  return Verified{*std::move(verified), std::move(roots), *std::move(unlisted)};
}

}  // namespace caisson::installer
