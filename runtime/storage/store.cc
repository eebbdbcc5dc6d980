#include "runtime/storage/store.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "runtime/observe/walls.h"
#include "runtime/storage/files.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t application_id = 0x43414953;  // "CAIS"

// What begins and ends a batch and its jobs. They are prepared when a store is opened: no job is
// left half done for want of memory.
constexpr Sql begin_batch = "BEGIN IMMEDIATE";
constexpr Sql commit_batch = "COMMIT";
constexpr Sql undo_batch = "ROLLBACK";
constexpr Sql begin_job = "SAVEPOINT job";
constexpr Sql undo_job = "ROLLBACK TO job";
constexpr Sql end_job = "RELEASE job";

std::int64_t pragma(Database& database, Sql query) {
  Statement statement = database.prepare(query);
  return statement.step() ? statement.integer_at(0) : -1;
}

/// An empty file becomes the store of `tenant_id`.
bool initialise(Database& database, const std::string& tenant_id) {
  if (!database.execute(
          "BEGIN IMMEDIATE;"
          "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
          "PRAGMA application_id=0x43414953")) {
    return false;
  }
  const bool named = database.prepare("INSERT INTO meta VALUES('tenant', ?)").text(tenant_id).run();
  return named && database.execute("COMMIT");
}

/// A file that an engine has begun and nobody has made a store of.
bool is_unmade(Database& database) {
  return pragma(database, "PRAGMA application_id") == 0 &&
         pragma(database, "SELECT count(*) FROM sqlite_schema") == 0;
}

/// What the engine says, as a failure. Want of memory is none of the file: then it throws.
tl::unexpected<Failure> cannot(const Database& database, const std::string& what,
                               std::string remedy = {}) {
  if (database.fault() == Fault::exhausted) throw std::bad_alloc();
  return fail("cannot " + what + ": " + database.fault_text(), std::move(remedy));
}

std::string owner_of(Database& database) {
  Statement owner = database.prepare("SELECT value FROM meta WHERE key='tenant'");
  return owner.step() ? std::string(owner.text_at(0)) : std::string();
}

}  // namespace

Result<int> migrate(Database& database, std::span<const Migration> schema) {
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  const auto newest = static_cast<std::int64_t>(schema.size());
  if (version < 0) return cannot(database, "read the schema version");
  if (version > newest) {
    return fail("the schema is version " + std::to_string(version) + ", this program knows " +
                    std::to_string(newest),
                "use the newer program");
  }
  if (version == newest) return static_cast<int>(version);
  // However large the store is, what an index has to sort is in files and not in memory.
  bool fine = database.execute("PRAGMA temp_store=FILE; BEGIN IMMEDIATE");
  for (auto step = version; step < newest; ++step) {
    fine = fine && database.execute(schema[static_cast<std::size_t>(step)]);
  }
  const std::string mark = "PRAGMA user_version=" + std::to_string(newest);
  if (!fine || !database.execute(mark.c_str()) ||
      !database.execute("COMMIT; PRAGMA temp_store=MEMORY")) {
    return cannot(database, "migrate the schema");
  }
  return static_cast<int>(newest);
}

void note_request(TenantStore& store, std::string_view request_id) {
  store.prepare("INSERT OR REPLACE INTO meta VALUES('request', ?)").text(request_id).run();
}

std::string noted_request(TenantStore& store) {
  Statement noted = store.prepare("SELECT value FROM meta WHERE key='request'");
  return noted.step() ? std::string(noted.text_at(0)) : std::string();
}

Result<void> give_to(Database& database, const std::string& from, const std::string& to) {
  if (pragma(database, "PRAGMA application_id") != application_id) {
    return fail("not a store of this program");
  }
  if (owner_of(database) != from) return fail("the store belongs to another tenant");
  if (from != to &&
      !database.prepare("UPDATE meta SET value=? WHERE key='tenant'").text(to).run()) {
    return cannot(database, "name the owner");
  }
  return {};
}

Result<Store> Store::open(const fs::path& directory, const std::string& tenant_id,
                          std::span<const Migration> schema, bool create, const Options& options) {
  const fs::path file = directory / "store.db";
  if (auto checked = check_private_directory(directory); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto refuse = [&](const std::string& why) {
    return fail("cannot use " + file.string() + ": " + why, "restore the tenant from a snapshot");
  };
  // What cannot be examined is not missing: nothing may take its place.
  const auto there = is_there(file);
  if (!there) return tl::unexpected(there.error());
  if (std::error_code error; !*there || fs::is_empty(file, error)) {
    if (!create) return refuse("there is nothing in it");
    if (auto made = make(directory, tenant_id, schema); !made) return tl::unexpected(made.error());
  }
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    fs::path part = file;
    part += suffix;
    if (auto checked = check_private_file(part); !checked) return tl::unexpected(checked.error());
  }

  const auto open_file = [&] { return Database::open(file, {.cache_kib = options.cache_kib}); };
  auto database = open_file();
  if (!database) return tl::unexpected(database.error());
  if (create && is_unmade(*database)) {
    // It is closed before another file takes its place.
    static_cast<void>(Database(*std::move(database)));
    if (auto made = make(directory, tenant_id, schema); !made) return tl::unexpected(made.error());
    database = open_file();
    if (!database) return tl::unexpected(database.error());
  }
  const auto unusable = [&] {
    return cannot(*database, "use " + file.string(), "restore the tenant from a snapshot");
  };
  const std::int64_t application = pragma(*database, "PRAGMA application_id");
  if (database->fault() != Fault::none) return unusable();
  if (application != application_id) return refuse("not a store of this program");
  const bool unchecked = is_down(Wall::drop_scope) || is_down(Wall::no_path_check);
  const std::string owner = owner_of(*database);
  if (database->fault() != Fault::none) return unusable();
  if (owner != tenant_id && !unchecked) return refuse("it belongs to another tenant");
  if (auto migrated = migrate(*database, schema); !migrated) return refuse(migrated.error().what);
  // The quota is for what the tenant writes: a store that is full can be brought to a newer schema.
  if (options.max_bytes > 0) database->set_max_bytes(options.max_bytes);
  for (const Sql sql : {begin_batch, commit_batch, undo_batch, begin_job, undo_job, end_job}) {
    static_cast<void>(database->prepare(sql));
  }
  if (database->fault() != Fault::none) return unusable();
  return Store(std::move(*database), tenant_id);
}

/// Under another name until it is whole, so that its making waits for the disk twice: for the
/// content and for the name.
Result<void> Store::make(const fs::path& directory, const std::string& tenant_id,
                         std::span<const Migration> schema) {
  const fs::path file = unfinished(directory / "store.db");
  for (const char* suffix : {"", "-wal"}) {  // what a crash has left
    fs::path part = file;
    part += suffix;
    if (auto removed = remove_tree(part); !removed) return removed;
  }
  if (auto made = make_private_file(file); !made) return made;
  {
    auto database = Database::open(file, {.durable = false});
    if (!database) return tl::unexpected(database.error());
    if (!initialise(*database, tenant_id)) {
      return cannot(*database, "make " + file.string());
    }
    if (auto migrated = migrate(*database, schema); !migrated) {
      return tl::unexpected(migrated.error());
    }
    if (!database->checkpoint()) {
      return cannot(*database, "make " + file.string());
    }
  }
  if (auto synced = sync_path(file); !synced) return synced;
  // A log of another file would be replayed into this one.
  for (const char* log : {"store.db-wal", "store.db-shm", "store.db-journal"}) {
    if (auto removed = remove_tree(directory / log); !removed) return removed;
  }
  std::error_code error;
  fs::rename(file, directory / "store.db", error);
  if (error) return fail("cannot rename " + file.string() + ": " + error.message());
  return sync_path(directory);
}

Result<Store> Store::open_snapshot(const fs::path& file, const std::string& tenant_id,
                                   std::span<const Migration> schema) {
  if (auto checked = check_private_file(file); !checked) return tl::unexpected(checked.error());
  auto database = Database::open(file, {.read_only = true});
  if (!database) return tl::unexpected(database.error());
  if (auto owned = give_to(*database, tenant_id, tenant_id); !owned)
    return tl::unexpected(owned.error());
  if (pragma(*database, "PRAGMA user_version") != static_cast<std::int64_t>(schema.size())) {
    return fail("the snapshot " + file.string() + " is of an earlier schema",
                "take a new snapshot and read that");
  }
  return Store(std::move(*database), tenant_id);
}

bool Store::begin() {
  noted_.clear();
  return database_.prepare(begin_batch).run();
}

bool Store::commit() {
  database_.clear_deadline();
  try {
    changes_.reserve(changes_.size() + noted_.size());
  } catch (const std::bad_alloc&) {
    database_.fail(Fault::exhausted);  // behind the commit it would be too late
  }
  if (!database_.prepare(commit_batch).run()) return false;
  std::move(noted_.begin(), noted_.end(), std::back_inserter(changes_));
  noted_.clear();
  return true;
}

void Store::roll_back() {
  noted_.clear();
  database_.clear_deadline();
  database_.clear_fault();
  if (database_.in_transaction()) database_.prepare(undo_batch).run();
}

bool Store::enter(std::chrono::steady_clock::time_point deadline, Pace* pace) {
  if (!database_.prepare(begin_job).run()) return false;
  database_.set_deadline(deadline, pace);
  return true;
}

/// Without a savepoint there is nothing to undo.
Store::Outcome Store::leave_unentered() {
  const Outcome outcome{.fault = database_.fault(),
                        .transaction_lost = !database_.in_transaction()};
  if (!outcome.transaction_lost) database_.clear_fault();
  return outcome;
}

Store::Outcome Store::leave(bool abandoned) {
  database_.clear_deadline();
  const Outcome outcome{.fault = database_.fault(),
                        .transaction_lost = !database_.in_transaction()};
  if (outcome.transaction_lost) return outcome;
  if (abandoned || outcome.fault != Fault::none) {
    database_.clear_fault();
    database_.prepare(undo_job).run();
  }
  database_.prepare(end_job).run();
  return outcome;
}

Fault Store::leave_read() {
  database_.clear_deadline();
  const Fault fault = database_.fault();
  if (fault != Fault::broken) database_.clear_fault();
  return fault;
}

}  // namespace caisson::storage
