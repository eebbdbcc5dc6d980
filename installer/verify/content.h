#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "installer/disk/disk.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {

/// The release that a delta stands on, as this host has it.
struct BaseRelease {
  const Disk& disk;
  std::string_view directory;  ///< of its installed files, below the disk's root; "" for the root
  const Manifest& manifest;
  Digest digest{};  ///< of its MANIFEST
};

/// How content is read.
struct Reading {
  /// How many chunks are in work at a time. One, whatever stands here, for a delta, whose patches
  /// need the memory of two, and for a manifest that takes more than 20 MiB.
  unsigned threads = 2;
  const BaseRelease* base = nullptr;
  /// Gets the bytes that were read off the medium since it was called last, from any thread.
  std::function<void(std::uint64_t bytes)> progress;
};

/// What was read, hashed and found right.
struct Totals {
  std::uint64_t files = 0;  ///< installed files
  std::uint64_t bytes = 0;  ///< of them
  std::uint64_t chunks = 0;
  std::uint64_t blobs = 0;   ///< of images
  std::uint64_t others = 0;  ///< all other files of the bundle
  std::uint64_t read = 0;    ///< bytes that came off the medium
};

/// About how many bytes the functions below will read off the medium.
[[nodiscard]] Checked<std::uint64_t> bytes_to_read(const VerifiedBundle& bundle);

/// Checks what gpgv and sha256sum check, and no more: the hash of every listed file.
[[nodiscard]] Checked<Totals> check_sums(const VerifiedBundle& bundle, const Reading& reading);

/// Checks everything: decodes every chunk, after its hash was found right, and hashes every file
/// that comes out of it. Writes nothing.
[[nodiscard]] Checked<Totals> check_content(const VerifiedBundle& bundle, const Reading& reading);

/// Checks everything and writes it below `directory` of the disk, which must not be there: the
/// installed files below `tree/`, and the bundle's other files and the blobs of images where they
/// stand in the bundle. Everything that is read later is this copy. Each file is there before its
/// hash is known to be right, so that only the whole, after this has succeeded, may be used. With
/// one thread the calls of the disk come in one order.
[[nodiscard]] Checked<Totals> stage_content(const VerifiedBundle& bundle, const Reading& reading,
                                            Disk& disk, std::string_view directory);

}  // namespace caisson::installer
