#include "installer/trust/chain.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/hex.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/public_key.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

using Points = std::set<std::vector<unsigned char>>;

std::string name_of(std::uint64_t number) { return "keys/root." + std::to_string(number); }

/// A root whose signatures nobody has looked at.
Checked<Root> read(std::uint64_t number, std::string_view text) {
  const auto name = name_of(number);
  auto root = read_root(name, text);
  if (!root) return root;
  if (root->version != number) {
    return refuse(Code::bad_root,
                  name + ": it says that it is version " + std::to_string(root->version));
  }
  for (const auto* keys : {&root->keys, &root->releases}) {
    for (const auto& key : *keys) {
      if (const auto fault = fault_of_key(key); !fault.empty()) {
        return refuse(Code::bad_key, name + ": key " + key_id(key) + ": " + std::string(fault));
      }
    }
  }
  return root;
}

/// Counts the keys of `roots` that have signed the root in `file`, for each of them by its own
/// entries: what another root says of a key, its hash above all, counts for that root alone. Every
/// signature has to hold for one of them.
Checked<std::vector<std::uint64_t>> count_signers(const RootFile& file,
                                                  std::span<const Root* const> roots) {
  if (file.signatures.size() > 2 * kMostKeys) {
    return refuse(Code::too_many, name_of(file.number) + ": more than 32 signatures");
  }
  std::vector<Points> points(roots.size());
  for (const auto& [name, bytes] : file.signatures) {
    std::optional<Refusal> fault;
    bool holds = false;
    for (std::size_t i = 0; i < roots.size(); ++i) {
      auto key = check_signature(name, bytes, file.text, roots[i]->keys);
      if (key) {
        holds = true;
        points[i].insert(std::move(key->point));
      } else if (!fault || fault->code == Code::unknown_key) {
        fault = std::move(key.error());
      }
    }
    if (!holds) return tl::unexpected(*std::move(fault));
  }
  std::vector<std::uint64_t> counts;
  counts.reserve(points.size());
  for (const auto& each : points) counts.push_back(each.size());
  return counts;
}

std::string too_few(std::uint64_t number, std::uint64_t have, const Root& signing) {
  return name_of(number) + ": signed by " + std::to_string(have) + " of the " +
         std::to_string(signing.threshold) + " keys of root " + std::to_string(signing.version) +
         " that are needed";
}

std::vector<Key> without(std::vector<Key> keys, const std::vector<Key>& named) {
  std::erase_if(keys, [&](const Key& key) {
    return std::ranges::find(named, key.point, &Key::point) != named.end();
  });
  return keys;
}

/// What was revoked before `next`, or is by it.
std::vector<Key> revoked_by(const Root& next, const Root& before, std::vector<Key> revoked) {
  revoked.insert(revoked.end(), before.releases.begin(), before.releases.end());
  std::ranges::sort(revoked);
  const auto same = std::ranges::unique(revoked);
  revoked.erase(same.begin(), same.end());
  return without(std::move(revoked), next.releases);
}

/// Why a root cannot follow another one, whoever signed it.
std::optional<Refusal> fault_of_step(const Root& before, const Root& next) {
  const auto name = name_of(next.version);
  if (next.product != before.product) {
    return Refusal{Code::other_product, name + ": it is of product '" + next.product +
                                            "', not of '" + before.product + "'"};
  }
  if (next.version <= before.version) {
    return Refusal{Code::root_rollback,
                   name + ": root " + std::to_string(before.version) + " is trusted already"};
  }
  if (next.version != before.version + 1) {
    return Refusal{Code::root_gap, name + ": it follows root " + std::to_string(before.version) +
                                       ", and those between are missing"};
  }
  if (next.epoch < before.epoch) {
    return Refusal{Code::root_epoch, name + ": its epoch is " + std::to_string(next.epoch) +
                                         ", after " + std::to_string(before.epoch)};
  }
  return std::nullopt;
}

}  // namespace

TrustedRoot::TrustedRoot(Root root, std::string text, std::vector<Key> revoked)
    : root_(std::move(root)),
      text_(std::move(text)),
      digest_(sha256(text_)),
      revoked_(std::move(revoked)) {}

Checked<TrustedRoot> kept_roots(std::span<const std::string> texts) {
  std::optional<TrustedRoot> newest;
  for (const auto& text : texts) {
    auto root = read_root("a root that this site keeps", text);
    if (!root) return tl::unexpected(root.error());
    if (!newest) {
      newest = TrustedRoot(*std::move(root), text, {});
      continue;
    }
    if (auto fault = fault_of_step(newest->root_, *root)) return tl::unexpected(*std::move(fault));
    auto revoked = revoked_by(*root, newest->root_, std::move(newest->revoked_));
    newest = TrustedRoot(*std::move(root), text, std::move(revoked));
  }
  if (!newest) return refuse(Code::root_not_trusted, "this site keeps no root");
  return *std::move(newest);
}

Checked<TrustedRoot> expected_root(std::span<const RootFile> roots, const Digest& expected) {
  const auto file = std::ranges::find_if(
      roots, [&](const RootFile& each) { return sha256(each.text) == expected; });
  if (file == roots.end()) {
    return refuse(Code::root_not_trusted, "no root has the fingerprint " + hex(expected));
  }
  auto root = read(file->number, file->text);
  if (!root) return tl::unexpected(root.error());
  // The first root of a site may be a later one, which the keys of the one before have signed too.
  // Those are not known here, and their signatures say nothing.
  auto own = *file;
  std::erase_if(own.signatures, [&](const SignatureFile& each) {
    const auto check = SignatureCheck::begin(each.name, each.bytes, root->keys);
    return !check && check.error().code == Code::unknown_key;
  });
  const Root* const alone[] = {&*root};
  const auto have = count_signers(own, alone);
  if (!have) return tl::unexpected(have.error());
  if ((*have)[0] < root->threshold) {
    return refuse(Code::root_threshold, too_few(file->number, (*have)[0], *root));
  }
  return TrustedRoot(*std::move(root), file->text, {});
}

Checked<TrustedRoot> next_root(const TrustedRoot& trusted, const RootFile& candidate) {
  auto root = read(candidate.number, candidate.text);
  if (!root) return tl::unexpected(root.error());
  const auto& before = trusted.root();
  if (auto fault = fault_of_step(before, *root)) return tl::unexpected(*std::move(fault));

  const Root* const both[] = {&*root, &before};
  const auto have = count_signers(candidate, both);
  if (!have) return tl::unexpected(have.error());
  // Its own keys first: that shows that who holds the new ones can use them.
  if ((*have)[0] < root->threshold) {
    return refuse(Code::root_threshold, too_few(candidate.number, (*have)[0], *root));
  }
  if ((*have)[1] < before.threshold) {
    return refuse(Code::root_predecessor, too_few(candidate.number, (*have)[1], before));
  }
  auto revoked = revoked_by(*root, before, trusted.revoked());
  return TrustedRoot(*std::move(root), candidate.text, std::move(revoked));
}

Checked<TrustedRoot> follow_chain(TrustedRoot trusted, std::span<const RootFile> roots,
                                  const std::function<void(const TrustedRoot&)>& keep) {
  if (roots.size() > kMostRoots) return refuse(Code::too_many, "keys: more than 1,000 roots");
  std::vector<const RootFile*> sorted;
  sorted.reserve(roots.size());
  for (const auto& root : roots) sorted.push_back(&root);
  std::ranges::sort(sorted, {}, &RootFile::number);
  if (sorted.empty()) return refuse(Code::root_gap, "keys: there is no root");

  const auto start = trusted.root().version;
  if (const auto newest = sorted.back()->number; newest < start) {
    return refuse(Code::root_rollback, "keys: the newest root is " + std::to_string(newest) +
                                           ", and root " + std::to_string(start) + " is trusted");
  }
  for (const auto* root : sorted) {
    if (root->number < start) continue;
    if (root->number == start) {
      if (root->text == trusted.text()) continue;
      return refuse(Code::root_not_trusted,
                    name_of(start) + ": it is another one than the trusted root of this version");
    }
    if (root->number != trusted.root().version + 1) {
      return refuse(Code::root_gap, name_of(trusted.root().version + 1) + ": it is missing");
    }
    auto next = next_root(trusted, *root);
    if (!next) return next;
    trusted = *std::move(next);
    keep(trusted);
  }
  return trusted;
}

std::optional<Refusal> fault_of_key_times(const Root& root, std::uint64_t date) {
  for (const auto* keys : {&root.keys, &root.releases}) {
    const auto late =
        std::ranges::find_if(*keys, [date](const Key& key) { return key.created > date; });
    if (late == keys->end()) continue;
    return Refusal{Code::bad_key, name_of(root.version) + ": key " + key_id(*late) +
                                      " was made at " + std::to_string(late->created) +
                                      ", after the date of the release, " + std::to_string(date)};
  }
  return std::nullopt;
}

}  // namespace caisson::installer
