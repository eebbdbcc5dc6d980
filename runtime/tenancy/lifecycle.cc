// The life cycle of a tenant: what the registry notes, and the files between its notes.

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>

#include "runtime/observe/digest.h"
#include "runtime/observe/ids.h"
#include "runtime/observe/walls.h"
#include "runtime/storage/files.h"
#include "runtime/storage/uuid.h"
#include "runtime/tenancy/actor.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t cursor_key_bytes = 32;

tl::unexpected<LifecycleError> disk(const Failure& failure) {
  return refuse(LifecycleErrorKind::storage, failure.text());
}

Result<std::string> load_cursor_key(const fs::path& file) {
  if (auto checked = storage::check_private_file(file); !checked) {
    return tl::unexpected(checked.error());
  }
  if (!fs::exists(file)) {
    std::array<unsigned char, cursor_key_bytes> bytes;
    observe::fill_random(bytes);
    const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (auto written = storage::write_private_file(file, view); !written) {
      return tl::unexpected(written.error());
    }
  }
  auto key = storage::read_file(file, cursor_key_bytes);
  if (key && key->size() != cursor_key_bytes) {
    return fail(file.string() + " is not a key",
                "remove it; cursors given out so far become invalid");
  }
  return key;
}

}  // namespace

Result<std::unique_ptr<Tenants>> Tenants::open(Options options, Registry& registry) {
  std::error_code error;
  options.data = fs::canonical(options.data, error);
  if (error) return fail("cannot use " + options.data.string() + ": " + error.message());
  std::unique_ptr<Tenants> tenants(new Tenants(std::move(options), registry));
  const fs::path& data = tenants->options_.data;
  for (const char* name : {"tenants", "snapshots"}) {
    if (auto made = storage::make_private_directory(data / name); !made) {
      return tl::unexpected(made.error());
    }
  }
  auto key = load_cursor_key(data / "cursor.key");
  if (!key) return tl::unexpected(key.error());
  tenants->cursor_key_ = *std::move(key);
  if (auto recovered = tenants->recover(); !recovered) return tl::unexpected(recovered.error());
  tenants->sweep();
  for (std::size_t i = 0; i < tenants->options_.workers; ++i) {
    tenants->workers_.emplace_back([raw = tenants.get()] { raw->work(); });
  }
  return tenants;
}

Result<void> Tenants::recover() {
  const auto unfinished = registry_.unfinished();
  if (!unfinished) return fail(unfinished.error().detail);
  for (const auto& [tenant_id, step] : *unfinished) {
    Outcome<void> done;
    if (step == Registry::Step::restore) {
      if (auto put = put_restored(tenant_id); !put) return put;
      done = registry_.finish(tenant_id);
    } else {
      if (auto purged = purge(tenant_id); !purged) return purged;
      done = step == Registry::Step::create ? registry_.undo_create(tenant_id)
                                            : registry_.finish_remove(tenant_id);
    }
    if (!done) return fail(done.error().detail);
  }
  return {};
}

Outcome<TenantPtr> Tenants::create(const TenantSpec& spec) {
  auto tenant = registry_.begin_create(spec);
  if (!tenant) return tl::unexpected(tenant.error());
  if (auto made = make_store(*tenant); !made) {
    static_cast<void>(purge(tenant->id));
    static_cast<void>(registry_.undo_create(tenant->id));
    return disk(made.error());
  }
  return registry_.finish_create(*std::move(tenant));
}

Outcome<TenantPtr> Tenants::update(std::string_view slug, const TenantChange& change) {
  auto tenant = registry_.update(slug, change);
  if (tenant) forget(**tenant);
  return tenant;
}

Outcome<TenantPtr> Tenants::suspend(std::string_view slug) {
  auto tenant = registry_.set_status(slug, Status::suspended);
  if (tenant) forget(**tenant);
  return tenant;
}

Outcome<TenantPtr> Tenants::resume(std::string_view slug) {
  return registry_.set_status(slug, Status::active);
}

/// Waits for what runs, and closes the store: it opens again with the tenant's terms of then.
void Tenants::forget(const Tenant& tenant) {
  const ActorPtr actor = actor_of(tenant);
  const Exclusive exclusive(*this, actor);
  close_store(*actor);
}

Outcome<void> Tenants::remove(std::string_view slug) {
  const auto tenant = registry_.begin_remove(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const ActorPtr actor = actor_of(**tenant);
  const std::scoped_lock lifecycle(actor->lifecycle);
  std::deque<std::unique_ptr<Task>> refused;
  {
    const Exclusive exclusive(*this, actor);
    close_store(*actor);
    const std::scoped_lock lock(actor->mutex);
    actor->closed = !is_down(Wall::drop_scope);
    refused.swap(actor->mailbox);
    actor->note_mailbox();
  }
  for (const auto& task : refused) task->release(Refusal::gone);
  actors_.erase(actor->id);
  newest_snapshots_.erase(actor->id);
  if ((*tenant)->retention_ms > 0) return {};
  if (auto purged = purge((*tenant)->id); !purged) return disk(purged.error());
  return registry_.finish_remove((*tenant)->id);
}

void Tenants::sweep() {
  const auto due = registry_.due(storage::unix_ms_now());
  if (!due) return;
  for (const std::string& tenant_id : *due) {
    // What fails is noted in the journal, and done at the next sweep or start.
    if (registry_.begin(tenant_id, Registry::Step::remove) && purge(tenant_id)) {
      static_cast<void>(registry_.finish_remove(tenant_id));
    }
  }
}

Outcome<void> Tenants::open_exclusively(const ActorPtr& actor) {
  Opening opening = ensure_open(actor);
  while (opening == Opening::no_slot) {
    std::this_thread::yield();
    opening = ensure_open(actor);
  }
  if (opening == Opening::open) return {};
  return refuse(LifecycleErrorKind::storage, "the tenant's store cannot be opened");
}

Outcome<void> Tenants::migrate(std::string_view slug) {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  if (!tenant->has_store) return {};  // made with the newest schema at its first use
  const ActorPtr actor = actor_of(*tenant);
  const Exclusive exclusive(*this, actor);
  actor->retry_at = {};
  return open_exclusively(actor);
}

Outcome<Tenants::DiskUse> Tenants::disk_use(std::string_view slug) const {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  DiskUse use;
  std::error_code missing;  // a store that was never used, or a log that is not there
  for (const char* name : {"store.db", "store.db-wal"}) {
    const auto bytes = fs::file_size(directory_of(tenant->id) / name, missing);
    if (!missing) use.store_bytes += static_cast<std::int64_t>(bytes);
  }
  for (const auto& snapshot : storage::list_snapshots(snapshots_of(tenant->id))) {
    use.snapshot_bytes += snapshot.bytes;
    ++use.snapshots;
  }
  return use;
}

Outcome<void> Tenants::read_snapshot(std::string_view slug, std::string_view snapshot_id,
                                     bool verify,
                                     const std::function<void(storage::TenantStore&)>& read) const {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const auto snapshot = find_snapshot(*tenant, std::string(snapshot_id), std::nullopt);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const fs::path file = snapshots_of(snapshot->tenant_id) / (snapshot->id + ".db");
  if (verify) {
    const auto hash = storage::sha256_of_file(file);
    if (!hash || *hash != snapshot->sha256) {
      return refuse(LifecycleErrorKind::damaged_snapshot,
                    hash ? file.string() + " is damaged" : hash.error().text());
    }
  }
  auto store = storage::Store::open_snapshot(file, snapshot->tenant_id, options_.schema);
  if (!store) return refuse(LifecycleErrorKind::damaged_snapshot, store.error().text());
  const auto fault = store->read(read, Deadline::max());
  if (fault == storage::Fault::none) return {};
  return refuse(LifecycleErrorKind::damaged_snapshot, store->database().fault_text());
}

Outcome<storage::Snapshot> Tenants::snapshot(std::string_view slug) {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const ActorPtr actor = actor_of(*tenant);
  const std::scoped_lock lifecycle(actor->lifecycle);
  const fs::path directory = snapshots_of(tenant->id);
  if (auto made = storage::make_private_directory(directory); !made) return disk(made.error());
  storage::clear_unfinished_snapshots(directory);
  const fs::path temporary = directory / "copy.tmp";
  {
    const Exclusive exclusive(*this, actor);
    if (auto opened = open_exclusively(actor); !opened) return tl::unexpected(opened.error());
    if (auto copied = storage::copy_store(*actor->store, temporary); !copied) {
      return disk(copied.error());
    }
  }
  auto sealed = storage::seal_snapshot(temporary, directory, tenant->id);
  if (!sealed) return disk(sealed.error());
  newest_snapshots_.set(tenant->id, sealed->created_ms);
  return *std::move(sealed);
}

void Tenants::find_snapshots() {
  std::vector<std::string> ids;
  registry_.ids_.each([&](const std::string& id, const TenantPtr&) { ids.push_back(id); });
  for (const std::string& tenant_id : ids) {
    std::int64_t newest = newest_snapshots_.find(tenant_id);
    std::error_code error;  // no directory: no snapshots
    for (const auto& entry : fs::directory_iterator(snapshots_of(tenant_id), error)) {
      if (entry.path().extension() != ".json") continue;
      // The id is a UUIDv7: it knows when it was made.
      const auto id = storage::Uuid::parse(entry.path().stem().string());
      if (id) newest = std::max(newest, id->unix_ms());
    }
    if (newest > 0) newest_snapshots_.set(tenant_id, newest);
  }
  snapshots_found_ = true;
}

std::vector<Tenants::Protection> Tenants::protection() const {
  std::vector<Protection> all;
  if (!snapshots_found_) return all;
  registry_.ids_.each([&](const std::string& tenant_id, const TenantPtr& tenant) {
    if (!tenant->has_store || tenant->status == Status::deleted) return;
    const std::int64_t newest = newest_snapshots_.find(tenant_id);
    all.push_back({.tenant = tenant, .until_ms = newest > 0 ? newest : tenant->created_ms});
  });
  return all;
}

Outcome<std::vector<storage::Snapshot>> Tenants::snapshots(std::string_view slug) const {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  return storage::list_snapshots(snapshots_of(tenant->id));
}

Outcome<storage::Snapshot> Tenants::find_snapshot(const Tenant& tenant, const std::string& id,
                                                  const std::optional<std::string>& from) const {
  if (!storage::Uuid::parse(id)) return refuse(LifecycleErrorKind::unknown_snapshot);
  std::string owner = tenant.id;
  if (from) {
    const TenantPtr named = registry_.by_slug(*from);
    if (named == nullptr) return refuse(LifecycleErrorKind::unknown_tenant, {}, "/from");
    owner = named->id;
  }
  if (auto found = storage::find_snapshot(snapshots_of(owner), id)) {
    if (found->tenant_id == owner || is_down(Wall::foreign_restore)) return *std::move(found);
    return refuse(LifecycleErrorKind::foreign_snapshot);
  }
  std::error_code error;
  for (const auto& other : fs::directory_iterator(options_.data / "snapshots", error)) {
    auto found = storage::find_snapshot(other.path(), id);
    if (found && is_down(Wall::foreign_restore)) return *std::move(found);
    if (found) return refuse(LifecycleErrorKind::foreign_snapshot);
  }
  return refuse(LifecycleErrorKind::unknown_snapshot);
}

Outcome<void> Tenants::restore(std::string_view slug, std::string_view snapshot_id,
                               const std::optional<std::string>& from) {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const auto snapshot = find_snapshot(*tenant, std::string(snapshot_id), from);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const ActorPtr actor = actor_of(*tenant);
  const std::scoped_lock lifecycle(actor->lifecycle);
  const fs::path directory = directory_of(tenant->id);
  if (!tenant->has_store) {
    if (auto made = make_store(*tenant); !made) return disk(made.error());
    if (auto marked = registry_.mark_store(tenant->id); !marked) return marked;
  }
  const fs::path file = snapshots_of(snapshot->tenant_id) / (snapshot->id + ".db");
  if (auto prepared =
          storage::prepare_restore(file, snapshot->sha256, snapshot->tenant_id, tenant->id,
                                   options_.schema, directory / "store.db.restore");
      !prepared) {
    return refuse(LifecycleErrorKind::damaged_snapshot, prepared.error().text());
  }
  const Exclusive exclusive(*this, actor);
  close_store(*actor);
  if (auto noted = registry_.begin(tenant->id, Registry::Step::restore); !noted) return noted;
  if (auto put = put_restored(tenant->id); !put) return disk(put.error());
  actor->retry_at = {};
  if (options_.on_change) options_.on_change(tenant->id, {});
  return registry_.finish(tenant->id);
}

/// The prepared file takes the store's place. The journal has this step, so it is done again after
/// a crash: the old log is gone before the new file comes, or it would be replayed into it.
Result<void> Tenants::put_restored(const std::string& tenant_id) {
  const fs::path directory = directory_of(tenant_id);
  const fs::path prepared = directory / "store.db.restore";
  if (!fs::exists(prepared)) return {};
  for (const char* name : {"store.db-wal", "store.db-shm", "store.db-journal"}) {
    if (auto removed = storage::remove_tree(directory / name); !removed) return removed;
  }
  std::error_code error;
  fs::rename(prepared, directory / "store.db", error);
  if (error) return fail("cannot rename " + prepared.string() + ": " + error.message());
  return storage::sync_path(directory);
}

Result<void> Tenants::make_store(const Tenant& tenant) {
  const fs::path directory = directory_of(tenant.id);
  const fs::path shard = directory.parent_path();
  for (const fs::path& path : {shard, directory}) {
    if (auto made = storage::make_private_directory(path); !made) return made;
    if (auto synced = storage::sync_path(path.parent_path()); !synced) return synced;
  }
  auto store = storage::Store::open(directory, tenant.id, options_.schema, true, {});
  if (!store) return tl::unexpected(store.error());
  return storage::sync_path(directory);
}

Result<void> Tenants::purge(const std::string& tenant_id) {
  if (is_down(Wall::keep_volume)) return {};
  for (const fs::path& path : {directory_of(tenant_id), snapshots_of(tenant_id)}) {
    if (auto removed = storage::remove_tree(path); !removed) return removed;
    if (!fs::exists(path.parent_path())) continue;
    if (auto synced = storage::sync_path(path.parent_path()); !synced) return synced;
  }
  return {};
}

fs::path Tenants::directory_of(std::string_view tenant_id) const {
  const std::string hash = observe::hex(observe::sha256(tenant_id));
  return options_.data / "tenants" / hash.substr(0, 2) / tenant_id;
}

fs::path Tenants::snapshots_of(std::string_view tenant_id) const {
  return options_.data / "snapshots" / tenant_id;
}

}  // namespace caisson::tenancy
