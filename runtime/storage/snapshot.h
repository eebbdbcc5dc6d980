#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/storage/store.h"

namespace caisson::storage {

/// A complete copy of one tenant's store; `<id>.db` with `<id>.json` beside it.
struct Snapshot {
  std::string id;  ///< UUIDv7
  std::string tenant_id;
  std::string slug;  ///< that the tenant had then; empty when an older version took it
  std::int64_t bytes = 0;
  std::string sha256;  ///< lower-case hex, of the file
  std::int64_t created_ms = 0;
  int schema = 0;
};

/// Copies `store` as it is now into `file` (backup API). The store may be used again when this
/// returns; the copy is not yet durable: see `seal_snapshot`.
[[nodiscard]] Result<void> copy_store(Store& store, const std::filesystem::path& file);

/// Checks the integrity of the copy `temporary`, makes it durable, and puts it and its description
/// into `directory`, by rename. `slug` is the tenant's, for whoever finds the files elsewhere;
/// `now_ms` is when it was taken, since the Unix epoch.
[[nodiscard]] Result<Snapshot> seal_snapshot(const std::filesystem::path& temporary,
                                             const std::filesystem::path& directory,
                                             const std::string& tenant_id, const std::string& slug,
                                             std::int64_t now_ms);

/// The complete snapshots in `directory`, oldest first.
[[nodiscard]] Result<std::vector<Snapshot>> list_snapshots(const std::filesystem::path& directory);

/// The complete snapshot `id` in `directory`.
[[nodiscard]] std::optional<Snapshot> find_snapshot(const std::filesystem::path& directory,
                                                    const std::string& id);

/// Removes the snapshot `id` from `directory`, durably. The description goes first: a snapshot
/// without one does not count.
[[nodiscard]] Result<void> remove_snapshot(const std::filesystem::path& directory,
                                           const std::string& id);

/// Removes what a crash left of snapshots that were being made, durably; none may be in the making.
[[nodiscard]] Result<void> clear_unfinished_snapshots(const std::filesystem::path& directory);

/// Makes `target` out of snapshot `file`: verified (sha256, integrity, the tenant inside must be
/// `from_tenant`), brought to `schema`, given to `to_tenant`, with `request_id` noted in it
/// (store.h), durable. Fails without leaving `target`.
[[nodiscard]] Result<void> prepare_restore(
    const std::filesystem::path& file, const std::string& sha256, const std::string& from_tenant,
    const std::string& to_tenant, std::span<const Migration> schema, std::string_view request_id,
    const std::filesystem::path& target);

}  // namespace caisson::storage
