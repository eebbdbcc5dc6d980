#include "generator/bundle/keys.h"

#include <algorithm>

#include "base/files.h"
#include "generator/signing/roots.h"
#include "installer/trust/chain.h"

namespace caisson::bundle {
namespace {

constexpr std::string_view kRing = "keyring.gpg";

}  // namespace

Result<PublicKeys> read_keys(const std::filesystem::path& directory, const std::string& product,
                             std::uint64_t date) {
  const auto shown = "'" + directory.string() + "'";
  const auto roots = signing::read_roots(directory);
  if (!roots) return tl::unexpected(roots.error());
  if (roots->files.empty() || roots->ring.empty()) {
    return fail(shown + " has no root.1 or no keyring.gpg", "`caisson keys root` makes them");
  }
  const auto newest = signing::progress(*roots);
  if (!newest) return tl::unexpected(newest.error());
  if (newest->root.product != product) {
    return fail(shown + " says who signs " + newest->root.product + ", and this is " + product,
                "give the keys of " + product);
  }
  if (newest->lacking) {
    return fail(
        shown + ": root." + std::to_string(newest->root.version) + " lacks " + *newest->lacking,
        "no site would follow it: have it signed first");
  }
  if (const auto fault = installer::fault_of_key_times(newest->root, date)) {
    return fail(fault->what, "raise SOURCE_DATE_EPOCH, or make a root without the key");
  }
  PublicKeys keys{.epoch = newest->root.epoch};
  keys.files.emplace_back(kRing, roots->ring);
  for (const auto& root : roots->files) {
    keys.files.emplace_back("root." + std::to_string(root.number), root.text);
    for (const auto& signature : root.signatures) {
      const auto name = std::filesystem::path(signature.name).filename().string();
      keys.files.emplace_back(name, signature.bytes);
    }
  }
  std::ranges::sort(keys.files);
  const auto there = list_directory(directory);
  if (!there) return tl::unexpected(there.error());
  for (const auto& name : *there) {
    if (std::ranges::find(keys.files, name, &std::pair<std::string, std::string>::first) !=
        keys.files.end()) {
      continue;
    }
    return fail("'" + (directory / name).string() + "' has no place in a bundle",
                "give the directory of public keys alone: root.N, root.N.KEY.gpg, keyring.gpg");
  }
  return keys;
}

}  // namespace caisson::bundle
