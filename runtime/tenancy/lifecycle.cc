// The life cycle of a tenant: what the registry notes, and the files between its notes.

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>

#include "base/digest.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/uuid.h"
#include "runtime/observe/walls.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/actor.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t cursor_key_bytes = 32;
constexpr std::array log_names = {"store.db-wal", "store.db-shm", "store.db-journal"};

/// Where a store's log is while a restored file takes the store's place.
fs::path aside(const fs::path& directory, const char* log) {
  return directory / (std::string(log) + ".old");
}

tl::unexpected<LifecycleError> disk(const Failure& failure) {
  return refuse(LifecycleErrorKind::storage, failure.text());
}

/// The name of a store that takes the place of the one in `directory` once it is whole.
fs::path prepared_in(const fs::path& directory) { return unfinished(directory / "restored.db"); }

std::error_code move_if_there(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error == std::errc::no_such_file_or_directory ? std::error_code() : error;
}

/// What `put_restored` set aside is where it was.
bool put_back_logs(const fs::path& directory) {
  return std::ranges::none_of(log_names, [&](const char* name) -> bool {
    return static_cast<bool>(move_if_there(aside(directory, name), directory / name));
  });
}

Result<std::string> load_cursor_key(const fs::path& file) {
  if (auto checked = storage::check_private_file(file); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto made = is_there(file);
  if (!made) return tl::unexpected(made.error());
  if (!*made) {
    std::array<unsigned char, cursor_key_bytes> bytes;
    fill_random(bytes);
    const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (auto written = write_file(file, view); !written) {
      return tl::unexpected(written.error());
    }
  }
  auto key = read_file(file, cursor_key_bytes);
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
  const std::scoped_lock lock(tenants->ready_mutex_);
  tenants->start_worker(tenants->patient_);
  return tenants;
}

Result<void> Tenants::recover() {
  const auto unfinished = registry_.unfinished();
  if (!unfinished) return fail(unfinished.error().detail);
  for (const auto& [tenant_id, step] : *unfinished) {
    const Outcome<void> done = finish(tenant_id, step);
    if (!done && options_.on_failure) options_.on_failure(tenant_id, done.error().detail);
  }
  return {};
}

/// What the journal has of a tenant's step is done, or undone. Otherwise nobody has its store: the
/// journal keeps it for the tenant's next step, or the next start. The others are served.
Outcome<void> Tenants::finish(const std::string& tenant_id, Registry::Step step) {
  if (step == Registry::Step::restore) return complete_restore(tenant_id);
  const auto done = [&]() -> Outcome<void> {
    if (step == Registry::Step::make) {
      const auto cleared = clear_unfinished(tenant_id);
      return cleared ? registry_.finish_making(tenant_id) : disk(cleared.error());
    }
    if (step == Registry::Step::remove) {
      const auto purged = purge(tenant_id);
      return purged ? registry_.finish_remove(tenant_id) : disk(purged.error());
    }
    return refuse(LifecycleErrorKind::storage,
                  "the life-cycle journal has a step that this program does not know");
  }();
  if (!done) actor_of(tenant_id)->unfinished = true;
  return done;
}

/// Before a new step of a tenant whose last one could not be completed; for the thread that has the
/// store for itself.
Outcome<void> Tenants::settle(Actor& actor) {
  if (!actor.unfinished) return {};
  const auto unfinished = registry_.unfinished();
  if (!unfinished) return tl::unexpected(unfinished.error());
  for (const auto& [tenant_id, step] : *unfinished) {
    if (tenant_id != actor.id) continue;
    // A restore that could be undone is settled too.
    if (auto done = finish(tenant_id, step); !done && actor.unfinished) return done;
  }
  actor.unfinished = false;
  return {};
}

/// Notes that files of the tenant are going to be made: what is half made counts nowhere, and may
/// be another tenant's data, so no crash may leave it lying.
Outcome<void> Tenants::begin_making(const ActorPtr& actor) {
  const Exclusive exclusive(*this, actor);
  if (auto settled = settle(*actor); !settled) return settled;
  if (auto noted = registry_.begin(actor->id, Registry::Step::make); !noted) return noted;
  const auto cleared = clear_unfinished(actor->id);
  return cleared ? Outcome<void>() : disk(cleared.error());
}

/// What fails here is noted in the journal, and done at the next start.
void Tenants::abandon_making(const ActorPtr& actor) {
  const Exclusive exclusive(*this, actor);
  if (clear_unfinished(actor->id)) static_cast<void>(registry_.finish_making(actor->id));
}

/// For the thread that has the store for itself: its first use makes it, under such a name too.
Result<void> Tenants::clear_unfinished(const std::string& tenant_id) const {
  if (auto cleared = storage::clear_unfinished_snapshots(snapshots_of(tenant_id)); !cleared) {
    return cleared;
  }
  return storage::clear_unfinished(directory_of(tenant_id));
}

Outcome<Tenants::Held> Tenants::hold(std::string_view slug) {
  const auto named = registry_.living(slug);
  if (!named) return tl::unexpected(named.error());
  Held held{.actor = actor_of(named->id), .lock = {}, .tenant = {}};
  held.lock = std::unique_lock(held.actor->lifecycle);
  // Whoever had the lock may have deleted it, and the slug may be another tenant's by now.
  held.tenant = registry_.by_id(named->id);
  if (held.tenant == nullptr || held.tenant->status == Status::deleted) {
    actors_.erase(named->id, held.actor);
    return refuse(LifecycleErrorKind::deleted);
  }
  return held;
}

Outcome<TenantPtr> Tenants::update(std::string_view slug, const TenantChange& change) {
  auto tenant = registry_.update(slug, change);
  if (tenant) forget((*tenant)->id);
  return tenant;
}

Outcome<TenantPtr> Tenants::suspend(std::string_view slug) {
  auto tenant = registry_.set_status(slug, Status::suspended);
  if (tenant) forget((*tenant)->id);
  return tenant;
}

Outcome<TenantPtr> Tenants::resume(std::string_view slug) {
  return registry_.set_status(slug, Status::active);
}

/// Waits for what runs, and closes the store: it opens again with the tenant's terms of then.
void Tenants::forget(const std::string& tenant_id) {
  const ActorPtr actor = actors_.find(tenant_id);
  if (actor == nullptr) return;  // its store was never opened
  const Exclusive exclusive(*this, actor);
  close_store(*actor);
}

Outcome<void> Tenants::remove(std::string_view slug) {
  const auto held = hold(slug);
  if (!held) return tl::unexpected(held.error());
  const auto tenant = registry_.begin_remove(held->tenant->id);
  if (!tenant) return tl::unexpected(tenant.error());
  const ActorPtr& actor = held->actor;
  TaskQueue refused = [&] {
    const Exclusive exclusive(*this, actor);
    close_store(*actor);
    const std::scoped_lock lock(actor->mutex);
    actor->closed = !is_down(Wall::drop_scope);
    TaskQueue waiting(std::move(actor->mailbox));
    actor->note_mailbox();
    return waiting;
  }();
  while (const auto task = refused.pop()) task->release(Refusal::gone);
  newest_snapshots_.erase(actor->id);
  Outcome<void> done;
  if ((*tenant)->retention_ms == 0) {
    if (const auto purged = purge(actor->id); purged) {
      done = registry_.finish_remove(actor->id);
    } else {
      done = disk(purged.error());
    }
  }
  actors_.erase(actor->id, actor);
  return done;
}

void Tenants::sweep() {
  const std::scoped_lock one_at_a_time(sweeping_);
  const std::int64_t now = registry_.clock_.unix_ms();
  for (const TenantPtr& tenant : registry_.expired(now)) {
    const std::uint64_t recorded = options_.before_purge ? options_.before_purge(*tenant) : 1;
    if (recorded == 0) continue;
    const bool done = remove(tenant->slug).has_value();
    if (options_.after_purge) options_.after_purge(recorded, *tenant, done);
  }
  const auto due = registry_.due(now);
  if (!due) return;
  for (const std::string& tenant_id : *due) {
    const TenantPtr tenant = registry_.by_id(tenant_id);
    if (!tenant) continue;
    const std::uint64_t recorded = options_.before_purge ? options_.before_purge(*tenant) : 1;
    if (recorded == 0) continue;
    const ActorPtr actor = actor_of(tenant_id);
    const std::scoped_lock lifecycle(actor->lifecycle);
    // What fails is noted in the journal, and done at the next sweep or start.
    const auto begun = registry_.begin_purge(tenant_id, now);
    const bool done =
        begun && *begun && purge(tenant_id) && registry_.finish_remove(tenant_id).has_value();
    actors_.erase(tenant_id, actor);
    if (options_.after_purge) options_.after_purge(recorded, *tenant, done);
  }
}

Outcome<void> Tenants::open_exclusively(const ActorPtr& actor) {
  if (ensure_open(actor) == Opening::open) return {};
  return refuse(LifecycleErrorKind::storage, "the tenant's store cannot be opened");
}

Outcome<void> Tenants::migrate(std::string_view slug) {
  const auto held = hold(slug);
  if (!held) return tl::unexpected(held.error());
  if (!held->tenant->has_store) return {};  // made with the newest schema at its first use
  const Exclusive exclusive(*this, held->actor);
  if (auto settled = settle(*held->actor); !settled) return settled;
  held->actor->retry_at = {};
  return open_exclusively(held->actor);
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
  const auto snapshots = storage::list_snapshots(snapshots_of(tenant->id));
  if (!snapshots) return disk(snapshots.error());
  for (const auto& snapshot : *snapshots) {
    use.snapshot_bytes += snapshot.bytes;
    ++use.snapshots;
  }
  return use;
}

Outcome<void> Tenants::restore(std::string_view slug, std::string_view snapshot_id,
                               const std::optional<std::string>& from,
                               std::string_view request_id) {
  const auto held = hold(slug);
  if (!held) return tl::unexpected(held.error());
  const std::string& tenant_id = held->tenant->id;
  const auto snapshot = find_snapshot(*held->tenant, std::string(snapshot_id), from);
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (auto made = make_directory(tenant_id); !made) return disk(made.error());
  const fs::path prepared = prepared_in(directory_of(tenant_id));
  if (auto begun = begin_making(held->actor); !begun) return begun;
  if (auto checked = storage::prepare_restore(snapshot->file, snapshot->sha256, snapshot->tenant_id,
                                              tenant_id, options_.schema, request_id, prepared);
      !checked) {
    abandon_making(held->actor);
    return refuse(LifecycleErrorKind::damaged_snapshot, checked.error().text());
  }
  const Exclusive exclusive(*this, held->actor);
  close_store(*held->actor);
  // Logs that an earlier restore could not remove are of a store that is gone.
  for (const char* name : log_names) {
    if (auto removed = remove_tree(aside(directory_of(tenant_id), name)); !removed) {
      static_cast<void>(clear_unfinished(tenant_id));
      return disk(removed.error());
    }
  }
  // Until it is settled, whatever happens, nobody may open the old store without its log.
  held->actor->unfinished = true;
  if (auto noted = registry_.begin(tenant_id, Registry::Step::restore); !noted) {
    held->actor->unfinished = false;
    static_cast<void>(clear_unfinished(tenant_id));
    return noted;
  }
  held->actor->retry_at = {};
  return complete_restore(tenant_id);
}

/// What the journal has of a restore, also after a crash: the prepared file takes the store's
/// place, or else all is as it was.
Outcome<void> Tenants::complete_restore(const std::string& tenant_id) {
  const ActorPtr actor = actor_of(tenant_id);
  actor->unfinished = true;
  const fs::path directory = directory_of(tenant_id);
  const auto put = put_restored(tenant_id);
  if (options_.on_change) options_.on_change(tenant_id, {});
  if (put) {
    // Without a prepared file there may be no store: a restore was given up, and then came a crash.
    const auto store = is_there(directory / "store.db");
    auto noted = registry_.finish_restore(tenant_id, !store || *store);
    actor->unfinished = !noted;
    return noted;
  }
  // It is refused, so nothing may complete it later, over what is written until then; and without
  // its log the old store has lost writes, so it is not opened before that is back.
  const fs::path prepared = prepared_in(directory);
  const auto undone = [&] {
    const auto waits = is_there(prepared);
    return waits && *waits && put_back_logs(directory) && remove_tree(prepared) &&
           sync_path(directory) && registry_.finish_restore(tenant_id, false);
  };
  actor->unfinished = !undone();
  return disk(put.error());
}

/// The old log is out of the way before the new file comes, or it would be replayed into it; it
/// holds writes that were acknowledged, so it is gone only when the new file is there.
Result<void> Tenants::put_restored(const std::string& tenant_id) {
  const fs::path directory = directory_of(tenant_id);
  const fs::path prepared = prepared_in(directory);
  const auto waits = is_there(prepared);
  if (!waits) return tl::unexpected(waits.error());
  if (*waits) {
    std::error_code error;
    for (const char* name : log_names) {
      if (error = move_if_there(directory / name, aside(directory, name)); error) break;
    }
    if (!error) fs::rename(prepared, directory / "store.db", error);
    if (error) return fail("cannot restore in " + directory.string() + ": " + error.message());
  }
  // Also of what an earlier try moved: the old log goes only when the new file is there to stay.
  const auto made = is_there(directory);
  if (!made) return tl::unexpected(made.error());
  if (!*made) return {};
  if (auto synced = sync_path(directory); !synced) return synced;
  for (const char* name : log_names) {
    if (auto removed = remove_tree(aside(directory, name)); !removed) return removed;
  }
  return {};
}

Result<void> Tenants::make_directory(const std::string& tenant_id) {
  const fs::path directory = directory_of(tenant_id);
  const fs::path shard = directory.parent_path();
  for (const fs::path& path : {shard, directory}) {
    if (auto made = storage::make_private_directory(path); !made) return made;
    if (auto synced = sync_path(path.parent_path()); !synced) return synced;
  }
  return {};
}

Result<void> Tenants::purge(const std::string& tenant_id) {
  if (is_down(Wall::keep_volume)) return {};
  for (const fs::path& path : {directory_of(tenant_id), snapshots_of(tenant_id)}) {
    if (auto removed = remove_tree(path); !removed) return removed;
    const auto parent = is_there(path.parent_path());
    if (!parent) return tl::unexpected(parent.error());
    if (!*parent) continue;
    if (auto synced = sync_path(path.parent_path()); !synced) return synced;
  }
  return {};
}

fs::path Tenants::directory_of(std::string_view tenant_id) const {
  const std::string hash = hex(sha256(tenant_id));
  return options_.data / "tenants" / hash.substr(0, 2) / tenant_id;
}

fs::path Tenants::snapshots_of(std::string_view tenant_id) const {
  return options_.data / "snapshots" / tenant_id;
}

}  // namespace caisson::tenancy
