#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/scan/disclosure.h"
#include "generator/bundle/pack.h"
#include "generator/bundle/progress.h"
#include "generator/bundle/shelf.h"
#include "generator/publish/commit.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// What a bundle is made of. Nothing here says where or when it is made.
struct Recipe {
  std::string product;
  installer::Version version;
  installer::Version from;                ///< the oldest version that can be updated to this one
  std::optional<installer::Version> via;  ///< where an older one goes first
  std::string arch;
  std::vector<std::string> forms;  ///< "compose", "helm", "systemd"
  std::uint64_t date = 0;          ///< seconds since 1970
  Packing packing;
  std::vector<Content> contents;  ///< what is installed
  Source installer;               ///< the program `caisson-install`
  std::vector<ShelfImage> images;
  std::vector<installer::Place> places;        ///< where it keeps data, sorted
  std::vector<installer::Question> questions;  ///< what a site is asked
  std::optional<std::filesystem::path> keys;   ///< what `caisson keys root` made
  std::optional<Source> vex;                   ///< CycloneDX
  std::optional<std::filesystem::path> base;   ///< the whole bundle that a delta stands on

  std::string spec_sha256;
  std::string environment;  ///< of the spec; may be empty
  std::optional<publish::Commit> commit;

  std::vector<conformance::KnownSecret> secrets;  ///< what must not get in
  std::vector<std::string> accepted;              ///< places where what was found may stay
};

struct Created {
  std::vector<conformance::Disclosure> refused;   ///< not empty: there is no bundle
  std::vector<conformance::Disclosure> accepted;  ///< what was found and may stay
  installer::Manifest manifest;
  std::vector<std::string> silent;  ///< programs that do not say what is linked into them
  std::uint64_t bytes = 0;          ///< of the bundle
  std::size_t files = 0;            ///< that SHA256SUMS names
};

/// Makes the bundle of docs/bundle.md, without signatures, at `place`, where nothing may be. It is
/// written beside its place and renamed when it is whole; a failure leaves nothing. The same recipe
/// gives the same bytes.
[[nodiscard]] Result<Created> create(Recipe recipe, const std::filesystem::path& place,
                                     Progress& progress);

/// The number of a release: grows with its version. Fails on one with a number of a million or
/// more.
[[nodiscard]] Result<installer::Release> release_of(const installer::Version& version,
                                                    std::uint64_t epoch);

}  // namespace caisson::bundle
