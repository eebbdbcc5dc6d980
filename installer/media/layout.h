#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "installer/format/lines.h"

namespace caisson::installer {

/// Where the files of a bundle stand (docs/bundle.md, "Layout").
inline constexpr std::string_view kSums = "SHA256SUMS";
inline constexpr std::string_view kSignature = "SHA256SUMS.gpg";
inline constexpr std::string_view kSecondSignature = "SHA256SUMS.p256.gpg";
inline constexpr std::string_view kInstalled = "INSTALLED";
inline constexpr std::string_view kInstaller = "caisson-install";
inline constexpr std::string_view kKeys = "keys/";
inline constexpr std::string_view kRing = "keys/keyring.gpg";
inline constexpr std::string_view kBlobs = "blobs/sha256/";

/// The most blobs of a bundle, which are as many as SHA256SUMS has room for, and the most other
/// files.
inline constexpr std::size_t kMostBlobs = kMostOfText / (2 * 64 + 2 + kBlobs.size() + 1);
inline constexpr std::size_t kMostOthers = 1'000;

/// `blobs/sha256/<digest>`.
[[nodiscard]] std::string blob_path(const Digest& digest);

/// The digest that the path of a blob names.
[[nodiscard]] std::optional<Digest> digest_of_blob(std::string_view path);

/// What the name of a root or of a signature of one says.
struct RootName {
  std::uint64_t number = 0;  ///< from 1
  bool signature = false;
};

/// The root that `keys/root.N` or `keys/root.N.KEY.gpg` names; KEY is 16 lower-case hexadecimal
/// digits.
[[nodiscard]] std::optional<RootName> root_of_path(std::string_view path);

/// Whether a bundle may hold a file there: a blob; a root, a signature of one or the ring in
/// `keys/`; or a file at the top that has not the name of a directory.
[[nodiscard]] bool is_of_a_bundle(std::string_view path);

/// The directories of a bundle.
[[nodiscard]] bool is_directory_of_a_bundle(std::string_view path);

/// The path as a bundle has it. FAT stores names of 8 and 3 characters in capitals, and whether
/// they were small stands where not every driver looks: such names are shown in another case, and
/// found in any.
[[nodiscard]] std::string path_in_its_case(std::string_view path);

/// Whether `left` stands before `right` in a transport: SHA256SUMS, its signatures and MANIFEST
/// come first, and then all others by the bytes of their paths.
[[nodiscard]] bool stands_before(std::string_view left, std::string_view right);

}  // namespace caisson::installer
