#include "runtime/storage/snapshot.h"

#include <algorithm>
#include <memory>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sqlite3.h>

#include "base/uuid.h"
#include "runtime/observe/walls.h"
#include "runtime/storage/files.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t description_limit = 4096;

/// A snapshot is one file without a log beside it, so that it can be copied and hashed as it is.
Result<Database> open_alone(const fs::path& file) {
  if (auto checked = check_private_file(file); !checked) return tl::unexpected(checked.error());
  return Database::open(file, {});
}

int schema_version(Database& database) {
  Statement version = database.prepare("PRAGMA user_version");
  return version.step() ? static_cast<int>(version.integer_at(0)) : 0;
}

bool intact(Database& database) {
  Statement check = database.prepare("PRAGMA integrity_check(1)");
  return check.step() && check.text_at(0) == "ok";
}

/// Folds the log into the file and closes it.
Result<void> close_alone(Database database, const fs::path& file) {
  if (!database.execute("PRAGMA journal_mode=DELETE")) {
    return fail("cannot finish " + file.string() + ": " + database.fault_text());
  }
  return {};
}

fs::path with_extension(const fs::path& directory, const std::string& id, const char* extension) {
  return directory / (id + extension);
}

std::optional<Snapshot> describe(const fs::path& description) {
  const auto text = read_file(description, description_limit);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto string_of = [&](const char* key) {
    const json::value* member = object->if_contains(key);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : "";
  };
  const auto integer_of = [&](const char* key) {
    const json::value* member = object->if_contains(key);
    return member != nullptr && member->is_int64() ? member->get_int64() : 0;
  };
  return Snapshot{.id = description.stem().string(),
                  .tenant_id = string_of("tenant"),
                  .slug = string_of("slug"),
                  .bytes = integer_of("bytes"),
                  .sha256 = string_of("sha256"),
                  .created_ms = integer_of("created"),
                  .schema = static_cast<int>(integer_of("schema"))};
}

}  // namespace

Result<void> copy_store(Store& store, const fs::path& file) {
  if (auto removed = remove_tree(file); !removed) return removed;
  if (auto made = make_private_file(file); !made) return made;
  sqlite3* target = nullptr;
  const int opened =
      sqlite3_open_v2(file.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> closed(target, &sqlite3_close_v2);
  const auto cannot = [&] {
    return fail("cannot copy the store to " + file.string() + ": " + sqlite3_errmsg(target));
  };
  // Durability comes when the copy is sealed; until then a crash only leaves a temporary file.
  if (opened != SQLITE_OK || sqlite3_exec(target, "PRAGMA synchronous=OFF;PRAGMA journal_mode=OFF",
                                          nullptr, nullptr, nullptr) != SQLITE_OK) {
    return cannot();
  }
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", store.database().handle(), "main");
  if (backup == nullptr) return cannot();
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) return cannot();
  return {};
}

Result<Snapshot> seal_snapshot(const fs::path& temporary, const fs::path& directory,
                               const std::string& tenant_id, const std::string& slug,
                               std::int64_t now_ms) {
  Snapshot snapshot;
  snapshot.tenant_id = tenant_id;
  snapshot.slug = slug;
  snapshot.created_ms = now_ms;
  snapshot.id = Uuid::make(snapshot.created_ms).text();
  {
    auto database = open_alone(temporary);
    if (!database) return tl::unexpected(database.error());
    if (!intact(*database)) return fail("the copy " + temporary.string() + " is damaged");
    if (auto owned = give_to(*database, tenant_id, tenant_id);
        !owned && !is_down(Wall::drop_scope)) {
      return tl::unexpected(owned.error());
    }
    snapshot.schema = schema_version(*database);
    if (auto closed = close_alone(std::move(*database), temporary); !closed) {
      return tl::unexpected(closed.error());
    }
  }
  auto hash = sha256_of_file(temporary);
  if (!hash) return tl::unexpected(hash.error());
  snapshot.sha256 = *std::move(hash);
  std::error_code error;
  snapshot.bytes = static_cast<std::int64_t>(fs::file_size(temporary, error));
  if (auto synced = sync_path(temporary); !synced) return tl::unexpected(synced.error());
  fs::rename(temporary, with_extension(directory, snapshot.id, ".db"), error);
  if (error) return fail("cannot rename " + temporary.string() + ": " + error.message());
  // The description comes last: a snapshot without one was not finished and does not count.
  const json::object description{{"tenant", snapshot.tenant_id},   {"slug", snapshot.slug},
                                 {"sha256", snapshot.sha256},      {"bytes", snapshot.bytes},
                                 {"created", snapshot.created_ms}, {"schema", snapshot.schema}};
  if (auto written = write_file(with_extension(directory, snapshot.id, ".json"),
                                json::serialize(description) + "\n");
      !written) {
    return tl::unexpected(written.error());
  }
  return snapshot;
}

Result<std::vector<Snapshot>> list_snapshots(const fs::path& directory) {
  const auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  std::vector<Snapshot> snapshots;
  for (const std::string& name : *names) {
    if (!name.ends_with(".json")) continue;
    if (auto snapshot = describe(directory / name)) snapshots.push_back(*std::move(snapshot));
  }
  std::sort(snapshots.begin(), snapshots.end(),
            [](const Snapshot& a, const Snapshot& b) { return a.id < b.id; });
  return snapshots;
}

std::optional<Snapshot> find_snapshot(const fs::path& directory, const std::string& id) {
  return describe(with_extension(directory, id, ".json"));
}

Result<void> remove_snapshot(const fs::path& directory, const std::string& id) {
  for (const char* extension : {".json", ".db"}) {
    if (auto removed = remove_tree(with_extension(directory, id, extension)); !removed) {
      return removed;
    }
    if (auto synced = sync_path(directory); !synced) return synced;
  }
  return {};
}

Result<void> clear_unfinished_snapshots(const fs::path& directory) {
  if (auto cleared = clear_unfinished(directory); !cleared) return cleared;
  const auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  bool found = false;
  for (const fs::path file : *names) {
    if (file.extension() != ".db") continue;
    const auto described = is_there(with_extension(directory, file.stem().string(), ".json"));
    if (!described) return tl::unexpected(described.error());
    if (*described) continue;
    if (auto removed = remove_tree(directory / file); !removed) return removed;
    found = true;
  }
  return found ? sync_path(directory) : Result<void>();
}

Result<void> prepare_restore(const fs::path& file, const std::string& sha256,
                             const std::string& from_tenant, const std::string& to_tenant,
                             std::span<const Migration> schema, std::string_view request_id,
                             const fs::path& target) {
  const auto prepare = [&]() -> Result<void> {
    if (auto checked = check_private_file(file); !checked) return checked;
    std::error_code error;
    if (fs::copy_file(file, target, fs::copy_options::overwrite_existing, error); error) {
      return fail("cannot copy " + file.string() + ": " + error.message());
    }
    // The copy is verified, not the original: what is checked is what is used.
    const auto hash = sha256_of_file(target);
    if (!hash) return tl::unexpected(hash.error());
    if (*hash != sha256) return fail("the snapshot " + file.string() + " is damaged");
    auto database = open_alone(target);
    if (!database) return tl::unexpected(database.error());
    if (!intact(*database)) return fail("the snapshot " + file.string() + " is damaged");
    if (auto given = give_to(*database, from_tenant, to_tenant); !given) return given;
    if (auto migrated = migrate(*database, schema); !migrated) {
      return tl::unexpected(migrated.error());
    }
    if (!database->prepare("INSERT OR REPLACE INTO meta VALUES('request', ?)")
             .text(request_id)
             .run()) {
      return fail("cannot write " + target.string() + ": " + database->fault_text());
    }
    if (auto closed = close_alone(std::move(*database), target); !closed) return closed;
    return sync_path(target);
  };
  auto prepared = prepare();
  if (!prepared) static_cast<void>(remove_tree(target));
  return prepared;
}

}  // namespace caisson::storage
