#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/render/places.h"

namespace caisson::publish {

/// The inventory's own name in the output directory.
inline constexpr std::string_view kInventoryName = "caisson.lock.json";

/// What Caisson knows of a file it wrote.
struct Entry {
  std::string sha256{};     ///< of the bytes as generated, lower-case hex
  bool executable = false;  ///< mode 0755, otherwise 0644
  std::string owner{};      ///< pointer of the spec field that the file exists for

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What the artifacts were made from. Nothing here depends on place or time.
struct Provenance {
  std::string version;        ///< of Caisson
  std::string spec_sha256{};  ///< of the spec and the files it names
  std::string environment{};  ///< empty without --env
  std::string blueprints{};   ///< digest of the blueprints
  /// Full id of the git commit that blueprints were replaced from; empty when they were not.
  std::string blueprints_commit{};

  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// `caisson.lock.json`: the files that Caisson owns in an output directory. Files that are not in
/// it belong to somebody else and are neither overwritten nor pruned.
struct Inventory {
  Provenance made_from;
  std::map<std::string, Entry, std::less<>> files{};  ///< by path, relative to the directory
  /// Where what was generated keeps data, and what the spec named before and names no more; none
  /// when an earlier version did not say.
  std::optional<render::Places> places{};

  friend bool operator==(const Inventory&, const Inventory&) = default;
};

/// A relative path of plain segments: no "", ".", "..", backslash or control character, and none of
/// Caisson's own temporary names. Everything that is read or written below an output directory is
/// one.
[[nodiscard]] bool is_contained(std::string_view path);

/// Deterministic JSON: one file per line, sorted by path, and one place.
[[nodiscard]] std::string to_json(const Inventory& inventory);

/// Refuses what `to_json` cannot have written: other formats, paths that are not contained, bad
/// digests, places twice.
[[nodiscard]] Result<Inventory> parse_inventory(std::string_view json);

}  // namespace caisson::publish
