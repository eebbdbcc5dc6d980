#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace caisson::client {

/// What `backup.json` says (docs/runtime.md): one JSON object with exactly these keys, "operator",
/// "token-file", "data", "to" and "keep".
struct BackupSettings {
  std::string operator_address;  ///< as runtime.json names it, `unix:/path` or `address:port`
  std::string token;             ///< of the operator API
  std::filesystem::path data;    ///< the runtime's data directory
  std::filesystem::path to;  ///< exists; `<slug>/<snapshot id>.db` and `.json` are made below it
  std::int64_t keep = 7;     ///< of each tenant, the newest; at least 1
};

/// Reads `file`; relative paths are relative to it. Fails with every defect.
[[nodiscard]] Result<BackupSettings> load_backup_settings(const std::filesystem::path& file);

struct BackupReport {
  std::size_t saved = 0;              ///< tenants
  std::vector<std::string> problems;  ///< one a tenant that could not be saved
};

/// Lets the runtime take a snapshot of every tenant that is not deleted, moves each to `to` once
/// its copy is durable and has the digest that the runtime named, and removes what is older than
/// the newest `keep`. One tenant's failure stops no other's. Fails when the tenants cannot be
/// listed.
[[nodiscard]] Result<BackupReport> back_up(const BackupSettings& settings);

/// What is restored: the newest copy of the tenant `slug`, or the one called `id`.
struct CopyToRestore {
  std::string slug;
  std::string id;
  /// Also one that an earlier tenant of this slug left: after the data were lost, or the tenant was
  /// deleted and made again, it has another id.
  bool by_slug = false;
};

/// Gives the tenant what a copy of `back_up` has of it: the copy is put among the runtime's
/// snapshots, restored there, and removed from there. It stays in `to`. Returns its id.
[[nodiscard]] Result<std::string> restore_copy(const BackupSettings& settings,
                                               const CopyToRestore& copy);

}  // namespace caisson::client
