// The snapshots of a tenant: taken, listed, found, read and removed. lifecycle.cc restores them.

#include <algorithm>

#include "base/digest.h"
#include "base/uuid.h"
#include "runtime/observe/walls.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/actor.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;

tl::unexpected<LifecycleError> disk(const Failure& failure) {
  return refuse(LifecycleErrorKind::storage, failure.text());
}

/// Whether a slug that a file names can be shown as it is.
bool is_plain(std::string_view slug) {
  return !slug.empty() && slug.size() <= 40 && std::ranges::all_of(slug, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Outcome<void> Tenants::read_snapshot(std::string_view slug, std::string_view snapshot_id,
                                     bool verify,
                                     const std::function<void(storage::TenantStore&)>& read) const {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const auto snapshot = find_snapshot(*tenant, std::string(snapshot_id), std::nullopt);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const fs::path& file = snapshot->file;
  if (verify) {
    const auto hash = sha256_of_file(file);
    if (!hash || *hash != snapshot->sha256) {
      return refuse(LifecycleErrorKind::damaged_snapshot,
                    hash ? file.string() + " is damaged" : hash.error().text());
    }
  }
  auto store = storage::Store::open_snapshot(file, snapshot->tenant_id, options_.schema);
  if (!store) return refuse(LifecycleErrorKind::damaged_snapshot, store.error().text());
  const auto fault = store->read(read, Deadline::max());
  if (fault == storage::Fault::none) return {};
  if (fault == storage::Fault::exhausted) {
    return refuse(LifecycleErrorKind::storage, "there is no memory to read " + file.string());
  }
  return refuse(LifecycleErrorKind::damaged_snapshot, store->database().fault_text());
}

Outcome<storage::Snapshot> Tenants::snapshot(std::string_view slug) {
  const auto held = hold(slug);
  if (!held) return tl::unexpected(held.error());
  const auto kept = storage::list_snapshots(snapshots_of(held->actor->id));
  if (!kept) return disk(kept.error());
  if (kept->size() >= most_snapshots) return refuse(LifecycleErrorKind::too_many_snapshots);
  if (auto begun = begin_making(held->actor); !begun) return tl::unexpected(begun.error());
  auto made = make_snapshot(held->actor, held->tenant->slug);
  if (!made) {
    abandon_making(held->actor);
    return made;
  }
  newest_snapshots_.set(held->actor->id, made->created_ms);
  // The snapshot is there: a note that stays is taken away by the next step or start.
  static_cast<void>(registry_.finish_making(held->actor->id));
  return made;
}

Outcome<storage::Snapshot> Tenants::make_snapshot(const ActorPtr& actor, const std::string& slug) {
  const fs::path directory = snapshots_of(actor->id);
  if (auto made = storage::make_private_directory(directory); !made) return disk(made.error());
  const fs::path copy = unfinished(directory / "copy.db");
  {
    const Exclusive exclusive(*this, actor);
    if (auto opened = open_exclusively(actor); !opened) return tl::unexpected(opened.error());
    if (auto copied = storage::copy_store(*actor->store, copy); !copied) {
      return disk(copied.error());
    }
  }
  auto sealed =
      storage::seal_snapshot(copy, directory, actor->id, slug, registry_.clock_.unix_ms());
  if (!sealed) return disk(sealed.error());
  return *std::move(sealed);
}

void Tenants::find_snapshots() {
  std::vector<std::string> ids;
  registry_.ids_.each([&](const std::string& id, const TenantPtr& tenant) {
    if (tenant->status != Status::deleted) ids.push_back(id);
  });
  for (const std::string& tenant_id : ids) {
    std::int64_t newest = 0;
    const auto names = list_directory(snapshots_of(tenant_id));
    if (!names) continue;  // its store counts as not protected since it was made
    for (const fs::path name : *names) {
      if (name.extension() != ".json") continue;
      // The id is a UUIDv7: it knows when it was made.
      const auto id = Uuid::parse(name.stem().string());
      if (id) newest = std::max(newest, id->unix_ms());
    }
    if (newest == 0) continue;
    // One may have been taken meanwhile.
    newest_snapshots_.change(tenant_id,
                             [&](std::int64_t known) { return std::max(known, newest); });
  }
  snapshots_found_ = true;
}

std::vector<Tenants::Protection> Tenants::protection() const {
  std::vector<Protection> all;
  if (!snapshots_found_) return all;
  registry_.ids_.each([&](const std::string& tenant_id, const TenantPtr& tenant) {
    if (!tenant->has_store || tenant->status == Status::deleted || tenant->synthetic()) return;
    const std::int64_t newest = newest_snapshots_.find(tenant_id);
    all.push_back({.tenant = tenant, .until_ms = newest > 0 ? newest : tenant->created_ms});
  });
  return all;
}

Outcome<std::vector<storage::Snapshot>> Tenants::snapshots(std::string_view slug) const {
  const auto tenant = registry_.living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  auto snapshots = storage::list_snapshots(snapshots_of(tenant->id));
  if (!snapshots) return disk(snapshots.error());
  return *std::move(snapshots);
}

Outcome<void> Tenants::remove_snapshot(std::string_view slug, std::string_view snapshot_id) {
  const auto held = hold(slug);
  if (!held) return tl::unexpected(held.error());
  const fs::path directory = snapshots_of(held->tenant->id);
  const std::string id(snapshot_id);
  if (!Uuid::parse(id) || !storage::find_snapshot(directory, id)) {
    const auto found = find_snapshot(*held->tenant, id, std::nullopt);
    return found ? refuse(LifecycleErrorKind::unknown_snapshot) : tl::unexpected(found.error());
  }
  if (auto removed = storage::remove_snapshot(directory, id); !removed) {
    return disk(removed.error());
  }
  const auto left = storage::list_snapshots(directory);
  if (!left) return disk(left.error());
  if (left->empty()) {
    newest_snapshots_.erase(held->tenant->id);
  } else {
    newest_snapshots_.set(held->tenant->id, left->back().created_ms);
  }
  return {};
}

/// The id of the tenant that `from` names. A living one has to be named by its slug, so that nobody
/// gives its data to another by an id; one that is not here any more has nothing but its id.
Outcome<std::string> Tenants::owner_named(const Tenant& tenant, const std::string& from) const {
  if (const TenantPtr named = registry_.by_slug(from)) return named->id;
  if (!Uuid::parse(from)) return refuse(LifecycleErrorKind::unknown_tenant, {}, "/from");
  const TenantPtr other = registry_.by_id(from);
  if (other == nullptr || other->status == Status::deleted || other->id == tenant.id) return from;
  return refuse(LifecycleErrorKind::foreign_snapshot,
                "a tenant that is here is named by its slug: say from=" + other->slug);
}

/// Says whose the snapshot is, and what to give as `from`.
LifecycleError Tenants::foreign(const storage::Snapshot& snapshot) const {
  if (!Uuid::parse(snapshot.tenant_id)) return {.kind = LifecycleErrorKind::damaged_snapshot};
  const TenantPtr owner = registry_.by_id(snapshot.tenant_id);
  const bool here = owner != nullptr && owner->status != Status::deleted;
  std::string whose = "the snapshot is of another tenant, ";
  if (here) {
    whose += "'" + owner->slug + "'";
  } else {
    whose += "which is not here any more";
    if (is_plain(snapshot.slug)) whose += " and was called '" + snapshot.slug + "' then";
  }
  return {.kind = LifecycleErrorKind::foreign_snapshot,
          .detail = whose + "; to restore it here all the same, say from=" +
                    (here ? owner->slug : snapshot.tenant_id)};
}

Outcome<Tenants::FoundSnapshot> Tenants::find_snapshot(
    const Tenant& tenant, const std::string& id, const std::optional<std::string>& from) const {
  if (!Uuid::parse(id)) return refuse(LifecycleErrorKind::unknown_snapshot);
  const auto owner = from ? owner_named(tenant, *from) : Outcome<std::string>(tenant.id);
  if (!owner) return tl::unexpected(owner.error());
  // Files that come back from a backup are put with the tenant that gets them, whosever they are.
  for (const fs::path& directory : {snapshots_of(*owner), snapshots_of(tenant.id)}) {
    auto found = storage::find_snapshot(directory, id);
    if (found && (found->tenant_id == *owner || is_down(Wall::foreign_restore))) {
      return FoundSnapshot{*std::move(found), directory / (id + ".db")};
    }
  }
  const auto others = list_directory(options_.data / "snapshots");
  if (!others) return disk(others.error());
  for (const std::string& other : *others) {
    const fs::path directory = options_.data / "snapshots" / other;
    auto found = storage::find_snapshot(directory, id);
    if (!found) continue;
    if (!is_down(Wall::foreign_restore)) return tl::unexpected(foreign(*found));
    return FoundSnapshot{*std::move(found), directory / (id + ".db")};
  }
  return refuse(LifecycleErrorKind::unknown_snapshot);
}

}  // namespace caisson::tenancy
