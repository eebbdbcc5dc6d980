#include "generator/signing/roots.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "base/files.h"
#include "base/hex.h"
#include "installer/format/lines.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/signature.h"

namespace caisson::signing {
namespace {

namespace fs = std::filesystem;
using installer::Code;
using installer::Key;
using installer::RingKey;
using installer::Root;
using installer::RootFile;

constexpr std::string_view kStart = "root.";
constexpr auto kRing = "keyring.gpg";
constexpr std::size_t kMostOfRoot = std::size_t{64} * 1024;

tl::unexpected<Failure> failed(const installer::Refusal& refusal) {
  const auto& entry = installer::entry_of(refusal.code);
  return fail(refusal.what + " (" + std::string(entry.number) + ", " + std::string(entry.title) +
              ")");
}

std::string file_name(std::uint64_t number) { return std::string(kStart) + std::to_string(number); }

Result<std::vector<installer::SignatureFile>> read_signatures(
    const fs::path& directory, std::uint64_t number, const std::vector<std::string>& names) {
  std::vector<installer::SignatureFile> signatures;
  for (const auto& name : names) {
    if (!name.starts_with(file_name(number) + ".") || !name.ends_with(".gpg")) continue;
    auto bytes = read_file(directory / name, installer::kMostOfSignature);
    if (!bytes) return tl::unexpected(bytes.error());
    signatures.push_back({.name = "keys/" + name, .bytes = *std::move(bytes)});
  }
  return signatures;
}

/// The chain up to and without the newest root. Its first root is believed as it is: this is the
/// vendor's own directory.
installer::Checked<std::optional<installer::TrustedRoot>> before_newest(
    std::span<const RootFile> files) {
  if (files.size() < 2) return std::nullopt;
  const auto older = files.first(files.size() - 1);
  auto first = installer::expected_root(older.first(1), sha256(older.front().text));
  if (!first) return tl::unexpected(first.error());
  auto last = installer::follow_chain(*std::move(first), older, [](const auto&) {});
  if (!last) return tl::unexpected(last.error());
  return *std::move(last);
}

installer::Checked<installer::TrustedRoot> newest(
    std::span<const RootFile> files, const std::optional<installer::TrustedRoot>& before) {
  const auto& last = files.back();
  return before ? installer::next_root(*before, last)
                : installer::expected_root(std::span(&last, 1), sha256(last.text));
}

bool has_signed(const RootFile& file, const Key& key) {
  const auto name = "keys/" + file_name(file.number) + "." + installer::key_id(key) + ".gpg";
  return std::ranges::find(file.signatures, name, &installer::SignatureFile::name) !=
         file.signatures.end();
}

std::size_t drop(std::vector<Key>& keys, std::string_view end) {
  return std::erase_if(
      keys, [&](const Key& key) { return hex(installer::fingerprint(key)).ends_with(end); });
}

/// Adds keys that are not there, whatever they were named.
void add(std::vector<Key>& keys, const std::vector<RingKey>& more) {
  for (const auto& each : more) {
    if (std::ranges::find(keys, each.key.point, &Key::point) == keys.end())
      keys.push_back(each.key);
  }
}

/// The ring of the root's release keys, out of what the old ring and the change hold.
Result<std::string> ring_of(const Root& root, std::vector<RingKey> known) {
  std::string ring;
  for (const auto& key : root.releases) {
    const auto found = std::ranges::find_if(
        known, [&](const RingKey& each) { return each.key.point == key.point; });
    if (found == known.end()) {
      return fail("keyring.gpg does not hold release key " + installer::key_id(key),
                  "give its public key with --release-key once more");
    }
    ring += found->bytes;
  }
  return ring;
}

Result<Root> changed(Root root, const Change& change) {
  for (const auto& end : change.without) {
    if (drop(root.keys, end) + drop(root.releases, end) == 0) {
      return fail("root " + std::to_string(root.version) + " names no key " + end);
    }
  }
  add(root.keys, change.roots);
  add(root.releases, change.releases);
  root.version += 1;
  if (root.epoch == 0 || change.raise_epoch) root.epoch += 1;
  root.threshold = change.threshold.value_or(root.threshold);
  if (root.keys.empty()) return fail("the root would name no root key", "add one with --root-key");
  if (root.releases.empty()) {
    return fail("the root would name no release key", "add one with --release-key");
  }
  if (root.threshold == 0 || root.threshold > root.keys.size()) {
    return fail("a threshold of " + std::to_string(root.threshold) + " does not fit " +
                    std::to_string(root.keys.size()) + " root keys",
                "say with --threshold how many have to sign, or add a key with --root-key");
  }
  return root;
}

}  // namespace

Result<Roots> read_roots(const fs::path& directory) {
  auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  std::ranges::sort(*names);
  const auto has = [&](const std::string& name) {
    return std::ranges::binary_search(*names, name);
  };
  Roots roots;
  for (std::uint64_t number = 1; has(file_name(number)); ++number) {
    auto text = read_file(directory / file_name(number), kMostOfRoot);
    if (!text) return tl::unexpected(text.error());
    auto signatures = read_signatures(directory, number, *names);
    if (!signatures) return tl::unexpected(signatures.error());
    roots.files.push_back({number, *std::move(text), *std::move(signatures)});
  }
  for (const auto& name : *names) {
    const auto number = name.starts_with(kStart)
                            ? installer::number_of(std::string_view(name).substr(kStart.size()))
                            : std::nullopt;
    if (number && *number > roots.files.size()) {
      return fail(
          (directory / name).string() + ": " + file_name(roots.files.size() + 1) + " is missing",
          "a chain holds every root from root.1 on");
    }
  }
  if (has(kRing)) {
    auto ring = read_file(directory / kRing, installer::kMostOfRing);
    if (!ring) return tl::unexpected(ring.error());
    roots.ring = *std::move(ring);
  }
  return roots;
}

Result<Progress> progress(const Roots& roots) {
  if (roots.files.empty()) {
    return fail("there is no root", "make the first one with `caisson keys root`");
  }
  const auto& file = roots.files.back();
  auto root = installer::read_root("keys/" + file_name(file.number), file.text);
  if (!root) return failed(root.error());
  const auto before = before_newest(roots.files);
  if (!before) return failed(before.error());
  const auto whole = newest(roots.files, *before);
  Progress progress{.root = *std::move(root), .fingerprint = sha256_hex(file.text)};
  if (!whole) {
    const auto code = whole.error().code;
    if (code != Code::root_threshold && code != Code::root_predecessor)
      return failed(whole.error());
    progress.lacking = whole.error().what;
  }
  auto keys = progress.root.keys;
  if (*before)
    keys.insert(keys.end(), (*before)->root().keys.begin(), (*before)->root().keys.end());
  std::ranges::sort(keys);
  const auto same = std::ranges::unique(keys);
  keys.erase(same.begin(), same.end());
  std::erase_if(keys, [&](const Key& key) { return has_signed(file, key); });
  progress.may_sign = std::move(keys);
  return progress;
}

Result<void> write_next(const fs::path& directory, const Change& change) {
  const auto roots = read_roots(directory);
  if (!roots) return tl::unexpected(roots.error());
  Root old{.product = change.product};
  std::vector<RingKey> known;
  if (!roots->files.empty()) {
    auto now = progress(*roots);
    if (!now) return tl::unexpected(now.error());
    if (now->lacking) {
      return fail(*now->lacking, "let it be signed with `caisson keys root " + directory.string() +
                                     " --sign KEY`, or remove its files");
    }
    old = std::move(now->root);
    auto ring = installer::read_ring(kRing, roots->ring);
    if (!ring) return failed(ring.error());
    known = *std::move(ring);
  } else if (change.product.empty()) {
    return fail("the first root of " + directory.string() + " needs a product",
                "name it with --product");
  }
  auto next = changed(std::move(old), change);
  if (!next) return tl::unexpected(next.error());
  const auto number = next->version;
  const auto text = installer::write_root(*next);
  // Read as a site reads it, which also sorts and finds a key that stands twice.
  const auto read = installer::read_root("keys/" + file_name(number), text);
  if (!read) return failed(read.error());
  known.insert(known.end(), change.releases.begin(), change.releases.end());
  const auto ring = ring_of(*read, std::move(known));
  if (!ring) return tl::unexpected(ring.error());
  if (auto made = make_directory(directory, 0755); !made) return made;
  if (auto written = write_file(directory / kRing, *ring, 0644); !written) return written;
  return write_file(directory / file_name(number), text, 0644);
}

Result<void> sign_newest(const fs::path& directory, const Signer& signer, std::uint32_t date) {
  const auto roots = read_roots(directory);
  if (!roots) return tl::unexpected(roots.error());
  const auto now = progress(*roots);
  if (!now) return tl::unexpected(now.error());
  const auto& key = signer.key();
  const auto& file = roots->files.back();
  const auto name = file_name(file.number);
  const auto id = installer::key_id(key);
  if (has_signed(file, key)) return fail("key " + id + " has signed " + name + " already");
  if (std::ranges::find(now->may_sign, key) == now->may_sign.end()) {
    return fail("key " + id + " is a root key neither of " + name + " nor of the root before it",
                "sign with a key that one of them names");
  }
  const auto signature = signer.sign(file.text, date);
  if (!signature) return tl::unexpected(signature.error());
  return write_file(directory / (name + "." + id + ".gpg"), *signature, 0644);
}

}  // namespace caisson::signing
