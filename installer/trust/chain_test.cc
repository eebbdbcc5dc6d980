#include "installer/trust/chain.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "generator/signing/testing.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

using signing::testing::ed25519;
using signing::testing::p256;

constexpr std::uint32_t kDate = 1'735'689'600;

/// A root of product agentik with keys by their letters, and its signatures.
struct Made {
  std::uint64_t version = 1;
  std::uint64_t epoch = 1;
  std::uint64_t threshold = 1;
  std::string keys = "a";
  std::string releases = "z";
  std::string signers = "a";
  std::string product = "agentik";
};

RootFile make(const Made& made) {
  Root root{.product = made.product,
            .version = made.version,
            .epoch = made.epoch,
            .threshold = made.threshold};
  for (const char each : made.keys) root.keys.push_back(ed25519(each).key());
  for (const char each : made.releases) root.releases.push_back(ed25519(each).key());
  RootFile file{.number = made.version, .text = write_root(root)};
  for (const char each : made.signers) {
    auto key = ed25519(each);
    const auto name =
        "keys/root." + std::to_string(made.version) + "." + key_id(key.key()) + ".gpg";
    file.signatures.push_back(
        {name, signing::signer_of(std::move(key))->sign(file.text, kDate).value()});
  }
  return file;
}

TrustedRoot first(const Made& made = {}) {
  const std::vector<RootFile> files{make(made)};
  return expected_root(files, sha256(files[0].text)).value();
}

std::string code_of(const Checked<TrustedRoot>& root) {
  return root ? "taken" : std::string(entry_of(root.error().code).number);
}

std::string code_of(Code code) { return std::string(entry_of(code).number); }

/// What follows the first root, signed by key a.
Checked<TrustedRoot> follow(const std::vector<RootFile>& files,
                            std::vector<std::uint64_t>* kept = nullptr) {
  return follow_chain(first(), files, [&](const TrustedRoot& root) {
    if (kept != nullptr) kept->push_back(root.root().version);
  });
}

TEST(Chain, FollowsRootsInAnyOrderAndKeepsEachAtOnce) {
  std::vector<RootFile> files;
  // A key a root, each signed by the one before too: a hundred rotations.
  for (std::uint64_t version = 1; version <= 100; ++version) {
    const auto key = static_cast<char>('a' + (version - 1) % 20);
    const auto before = static_cast<char>('a' + (version - 2) % 20);
    files.push_back(make({.version = version,
                          .epoch = 1 + version / 50,
                          .keys = {key},
                          .signers = version == 1 ? std::string{key} : std::string{key, before}}));
  }
  std::ranges::reverse(files);
  std::vector<std::uint64_t> kept;
  const auto last = follow(files, &kept);
  ASSERT_TRUE(last) << last.error().what;
  EXPECT_EQ(last->root().version, 100U);
  EXPECT_EQ(last->text(), files.front().text);
  ASSERT_EQ(kept.size(), 99U);
  EXPECT_TRUE(std::ranges::is_sorted(kept));

  // What verified stays kept where a later one does not hold.
  files[10].signatures.clear();
  kept.clear();
  EXPECT_EQ(code_of(follow(files, &kept)), code_of(Code::root_threshold));
  EXPECT_EQ(kept.back(), 89U);
}

TEST(Chain, RefusesEachWayToSlipInARoot) {
  const auto old = make({});
  const auto next = [&](Made made) {
    if (made.version == 1) made.version = 2;
    return code_of(follow({old, make(made)}));
  };
  EXPECT_EQ(next({.keys = "b", .signers = "ab"}), "taken");
  EXPECT_EQ(next({.keys = "b", .signers = "b"}), code_of(Code::root_predecessor));
  EXPECT_EQ(next({.keys = "b", .signers = "a"}), code_of(Code::root_threshold));
  EXPECT_EQ(next({.keys = "b", .signers = ""}), code_of(Code::root_threshold));
  EXPECT_EQ(next({.keys = "b", .signers = "abc"}), code_of(Code::unknown_key));
  EXPECT_EQ(next({.product = "other"}), code_of(Code::other_product));
  EXPECT_EQ(next({.version = 3}), code_of(Code::root_gap));
  // A key that signs twice is one key, under whatever file name.
  auto twice = make({.version = 2, .threshold = 2, .keys = "ab", .signers = "aa"});
  EXPECT_EQ(code_of(follow({old, twice})), code_of(Code::root_threshold));
  // A signature of another root.
  auto stolen = make({.version = 2, .keys = "b", .signers = "ab"});
  stolen.signatures[1] = make({.keys = "b", .signers = "b"}).signatures[0];
  EXPECT_EQ(code_of(follow({old, stolen})), code_of(Code::wrong_signature));
  // The file says another version than the text.
  auto renamed = make({.version = 3, .signers = "a"});
  renamed.number = 2;
  EXPECT_EQ(code_of(follow({old, renamed})), code_of(Code::bad_root));
  auto many = make({.version = 2});
  many.signatures.resize(33, many.signatures[0]);
  EXPECT_EQ(code_of(follow({old, many})), code_of(Code::too_many));
  EXPECT_EQ(code_of(follow({})), code_of(Code::root_gap));
  EXPECT_EQ(code_of(follow(std::vector<RootFile>(1001, old))), code_of(Code::too_many));
  // Two roots of one version, one of them the trusted one.
  EXPECT_EQ(code_of(follow({make({.releases = "y"})})), code_of(Code::root_not_trusted));
  EXPECT_EQ(code_of(follow({old, make({.version = 2}), make({.version = 2})})),
            code_of(Code::root_gap));
}

TEST(Chain, NeverGoesBack) {
  const auto second = make({.version = 2, .epoch = 5});
  const auto trusted = next_root(first(), second);
  ASSERT_TRUE(trusted) << trusted.error().what;
  const auto follow_on = [&](const std::vector<RootFile>& files) {
    return code_of(follow_chain(*trusted, files, [](const TrustedRoot&) {}));
  };
  EXPECT_EQ(follow_on({make({})}), code_of(Code::root_rollback));
  EXPECT_EQ(follow_on({make({}), second}), "taken");
  EXPECT_EQ(follow_on({second}), "taken");
  EXPECT_EQ(follow_on({second, make({.version = 3, .epoch = 4})}), code_of(Code::root_epoch));
  EXPECT_EQ(follow_on({second, make({.version = 3, .epoch = 6})}), "taken");
  EXPECT_EQ(code_of(next_root(*trusted, make({}))), code_of(Code::root_rollback));
  // Without the roots that it has behind it, and without the next one.
  EXPECT_EQ(follow_on({make({.version = 3, .epoch = 5})}), "taken");
  EXPECT_EQ(follow_on({make({}), make({.version = 4, .epoch = 5})}), code_of(Code::root_gap));
}

TEST(Chain, CountsKeysByTheirMaterial) {
  // The same point under another time has another fingerprint, and is one key.
  auto key = ed25519('a').key();
  auto twin = key;
  twin.created += 1;
  const Root root{.product = "agentik",
                  .version = 1,
                  .epoch = 1,
                  .threshold = 2,
                  .keys = {key, twin},
                  .releases = {ed25519('z').key()}};
  const std::vector<RootFile> files{{.number = 1, .text = write_root(root)}};
  EXPECT_EQ(code_of(expected_root(files, sha256(files[0].text))), code_of(Code::bad_root));
  auto zero = make({});
  zero.text.replace(zero.text.find("threshold 1"), 11, "threshold 0");
  EXPECT_EQ(code_of(expected_root(std::span(&zero, 1), sha256(zero.text))),
            code_of(Code::bad_root));
}

TEST(Chain, RefusesKeysUnderWhichAnythingFits) {
  auto root = read_root("root", make({}).text).value();
  root.releases[0].point.assign(32, 0);
  const std::vector<RootFile> files{{.number = 1, .text = write_root(root)}};
  EXPECT_EQ(code_of(expected_root(files, sha256(files[0].text))), code_of(Code::bad_key));
}

TEST(Chain, RefusesKeysUnderWhichReadersDisagree) {
  auto root = read_root("root", make({}).text).value();
  auto& point = root.releases[0].point;
  // A sound point with one of order 8 added.
  point = {0xe9, 0xc6, 0xaa, 0x47, 0xf2, 0xc1, 0xdc, 0x30, 0xd0, 0x86, 0x79,
           0xfe, 0xb4, 0x51, 0x62, 0xca, 0x38, 0xdf, 0xa1, 0xe5, 0x57, 0xaf,
           0x57, 0x5b, 0x80, 0x3e, 0x03, 0xf3, 0x01, 0x10, 0xef, 0xf5};
  const std::vector<RootFile> files{{.number = 1, .text = write_root(root)}};
  EXPECT_EQ(code_of(expected_root(files, sha256(files[0].text))), code_of(Code::bad_key));
}

TEST(Chain, CountsTheKeysOfEachRootByItsOwnEntries) {
  const auto key = ed25519('a');
  const auto root_of = [&](std::uint64_t version, Hash hash) {
    auto pinned = key.key();
    pinned.hash = hash;
    return RootFile{.number = version,
                    .text = write_root({.product = "agentik",
                                        .version = version,
                                        .epoch = 1,
                                        .threshold = 1,
                                        .keys = {pinned},
                                        .releases = {ed25519('z').key()}})};
  };
  const auto sign = [&](RootFile& file, Hash hash) {
    auto signer = key.key();
    signer.hash = hash;
    Hashing document(hash);
    document.update(file.text);
    const auto hashed = start_of_signature(signer, kDate, Signed::document);
    const auto digest = signed_digest(std::move(document), hashed);
    file.signatures.push_back({"keys/root." + std::to_string(file.number) + ".gpg",
                               write_signature(signer, hashed, digest, key.sign(digest))});
  };
  auto one = root_of(1, Hash::sha256);
  sign(one, Hash::sha256);
  const auto trusted = expected_root(std::span(&one, 1), sha256(one.text));
  ASSERT_TRUE(trusted) << trusted.error().what;
  const auto next = [&](Hash pinned, const std::vector<Hash>& signatures) {
    auto two = root_of(2, pinned);
    for (const auto hash : signatures) sign(two, hash);
    return code_of(next_root(*trusted, two));
  };
  EXPECT_EQ(next(Hash::sha256, {Hash::sha256}), "taken");
  EXPECT_EQ(next(Hash::sha256, {Hash::sha512}), code_of(Code::key_mismatch));
  EXPECT_EQ(next(Hash::sha256, {Hash::sha256, Hash::sha512}), code_of(Code::key_mismatch));
  // The new root says another hash of the key: that is not for it to say of the old one's.
  EXPECT_EQ(next(Hash::sha512, {Hash::sha512}), code_of(Code::root_predecessor));
  EXPECT_EQ(next(Hash::sha512, {Hash::sha256}), code_of(Code::root_threshold));
  EXPECT_EQ(next(Hash::sha512, {Hash::sha256, Hash::sha512}), "taken");
}

TEST(Chain, FindsKeysThatWereMadeAfterARelease) {
  auto root = read_root("root", make({}).text).value();
  const std::uint64_t made = root.keys[0].created;
  EXPECT_FALSE(fault_of_key_times(root, made));
  EXPECT_EQ(fault_of_key_times(root, made - 1)->code, Code::bad_key);
  root.releases[0].created = kDate + 1;
  EXPECT_FALSE(fault_of_key_times(root, kDate + 1));
  EXPECT_EQ(fault_of_key_times(root, kDate)->code, Code::bad_key);
}

TEST(Chain, BeginsWithTheRootThatSomebodyNamed) {
  const std::vector<RootFile> files{make({}), make({.version = 2, .keys = "b", .signers = "ab"})};
  EXPECT_EQ(expected_root(files, sha256(files[0].text))->root().version, 1U);
  // A later one, whose signature by the key before nobody here can check.
  EXPECT_EQ(expected_root(files, sha256(files[1].text))->root().version, 2U);
  EXPECT_EQ(code_of(expected_root(files, sha256("another"))), code_of(Code::root_not_trusted));
  const std::vector<RootFile> unsigned_one{make({.signers = ""})};
  EXPECT_EQ(code_of(expected_root(unsigned_one, sha256(unsigned_one[0].text))),
            code_of(Code::root_threshold));
  const std::vector<RootFile> other{make({.signers = "b"})};
  EXPECT_EQ(code_of(expected_root(other, sha256(other[0].text))), code_of(Code::root_threshold));
}

TEST(Chain, KnowsWhatItRevoked) {
  const auto one = make({.releases = "xy"});
  const auto two = make({.version = 2, .releases = "yz"});
  const auto three = make({.version = 3, .releases = "z"});
  const std::vector<Key> gone{ed25519('x').key(), ed25519('y').key()};
  auto expected = gone;
  std::ranges::sort(expected);
  const std::vector<RootFile> files{one, two, three};
  const auto start = expected_root(files, sha256(one.text));
  ASSERT_TRUE(start);
  const auto last = follow_chain(*start, files, [](const TrustedRoot&) {});
  ASSERT_TRUE(last) << last.error().what;
  EXPECT_EQ(last->revoked(), expected);

  const std::vector<std::string> kept{one.text, two.text, three.text};
  const auto again = kept_roots(kept);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->revoked(), expected);
  EXPECT_EQ(again->root().version, 3U);
  const std::vector<std::string> gap{one.text, three.text};
  EXPECT_EQ(code_of(kept_roots(gap)), code_of(Code::root_gap));
  EXPECT_EQ(code_of(kept_roots({})), code_of(Code::root_not_trusted));
}

}  // namespace
}  // namespace caisson::installer
