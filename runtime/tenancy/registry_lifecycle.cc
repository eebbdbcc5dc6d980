// The life cycle of a tenant as the registry sees it: single steps, each durable, between which
// `Tenants` makes and removes files. The journal says at the next start which step came last.

#include <algorithm>

#include "base/uuid.h"
#include "runtime/observe/walls.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/registry_rows.h"
#include "runtime/tenancy/transaction.h"

namespace caisson::tenancy {

Outcome<TenantPtr> Registry::create(const TenantSpec& spec) {
  const std::scoped_lock lock(write_);
  Tenant tenant;
  tenant.created_ms = tenant.updated_ms = clock_.unix_ms();
  tenant.id = spec.id.empty() ? Uuid::make(tenant.created_ms).text() : spec.id;
  describe(tenant, spec);
  tenant.status = spec.status;
  tenant.own = spec.limits;
  tenant.metadata = spec.metadata;
  tenant.synthetic_until_ms = spec.synthetic_until_ms;
  apply_tier(tenant, tiers_);
  if (auto defect = defect_of(tenant, tiers_)) return tl::unexpected(*std::move(defect));
  if (auto taken = given_elsewhere(tenant)) return tl::unexpected(*std::move(taken));

  Transaction transaction(database_);
  if (is_down(Wall::keep_volume)) {
    const TenantPtr before = slugs_.find(spec.slug);
    if (before != nullptr && before->status == Status::deleted) tenant.id = before->id;
    database_.prepare("DELETE FROM tenant WHERE id=?").text(tenant.id).run();
  }
  if (!insert(tenant)) {
    if (database_.fault() != storage::Fault::refused) return tl::unexpected(disk_error());
    return refuse(LifecycleErrorKind::slug_taken, "there is a tenant with this slug", "/slug");
  }
  if (auto taken = claim_domains(tenant)) return tl::unexpected(*std::move(taken));
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return publish(std::move(tenant));
}

Outcome<TenantPtr> Registry::update(std::string_view slug, const TenantChange& change) {
  const std::scoped_lock lock(write_);
  auto tenant = living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  if (change.name) tenant->name = *change.name;
  if (change.owner) tenant->owner = *change.owner;
  if (change.tier) tenant->tier = *change.tier;
  if (change.deployment_url) tenant->deployment_url = *change.deployment_url;
  if (change.domains) tenant->domains = *change.domains;
  if (change.metadata) tenant->metadata = *change.metadata;
  std::sort(tenant->domains.begin(), tenant->domains.end());
  if (change.limits) {
    change_limits(tenant->own, *change.limits, said_of(*tenant).limits);
  }
  apply_tier(*tenant, tiers_);
  tenant->updated_ms = clock_.unix_ms();
  if (auto defect = defect_of(*tenant, tiers_)) return tl::unexpected(*std::move(defect));
  if (change.domains) {
    if (auto taken = given_elsewhere(*tenant)) return tl::unexpected(*std::move(taken));
  }

  Transaction transaction(database_);
  database_.prepare("DELETE FROM domain WHERE tenant=?").text(tenant->id).run();
  if (!save(*tenant)) return tl::unexpected(disk_error());
  if (auto taken = claim_domains(*tenant)) return tl::unexpected(*std::move(taken));
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return publish(*std::move(tenant));
}

/// What the configuration says of a tenant now: nothing, when it names it no more.
Terms Registry::said_of(const Tenant& tenant) const {
  return named_.contains(tenant.slug) ? tenant.configured.value_or(Terms{}) : Terms{};
}

Outcome<TenantPtr> Registry::set_status(std::string_view slug, Status status) {
  const std::scoped_lock lock(write_);
  auto tenant = living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  if (tenant->status == status) return slugs_.find(slug);
  if (said_of(*tenant).status > status) {
    return refuse(LifecycleErrorKind::suspended_by_configuration);
  }
  tenant->status = status;
  tenant->updated_ms = clock_.unix_ms();
  Transaction transaction(database_);
  database_.prepare("UPDATE tenant SET status=?,updated=? WHERE id=?")
      .integer(static_cast<std::int64_t>(status))
      .integer(tenant->updated_ms)
      .text(tenant->id)
      .run();
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return publish(*std::move(tenant));
}

Outcome<TenantPtr> Registry::begin_remove(const std::string& tenant_id) {
  const std::scoped_lock lock(write_);
  const TenantPtr known = ids_.find(tenant_id);
  if (known == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  if (known->status == Status::deleted) return refuse(LifecycleErrorKind::deleted);
  Tenant tenant = *known;
  tenant.status = Status::deleted;
  tenant.domains.clear();
  tenant.updated_ms = clock_.unix_ms();
  Transaction transaction(database_);
  database_.prepare("UPDATE tenant SET status=?,updated=?,purge_at=? WHERE id=?")
      .integer(static_cast<std::int64_t>(Status::deleted))
      .integer(tenant.updated_ms)
      .integer(tenant.updated_ms + tenant.retention_ms)
      .text(tenant.id)
      .run();
  database_.prepare("DELETE FROM domain WHERE tenant=?").text(tenant.id).run();
  if (tenant.retention_ms == 0) note(tenant.id, Step::remove);
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return publish(std::move(tenant));
}

Outcome<bool> Registry::begin_purge(const std::string& tenant_id, std::int64_t now_ms) {
  const std::scoped_lock lock(write_);
  Transaction transaction(database_);
  {
    auto due = database_.prepare("SELECT 1 FROM tenant WHERE id=? AND status=2 AND purge_at<=?");
    due.text(tenant_id).integer(now_ms);
    if (!due.step()) return false;
  }
  note(tenant_id, Step::remove);
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return true;
}

Outcome<void> Registry::begin(const std::string& tenant_id, Step step) {
  const std::scoped_lock lock(write_);
  Transaction transaction(database_);
  note(tenant_id, step);
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return {};
}

Outcome<void> Registry::finish_making(const std::string& tenant_id) {
  const std::scoped_lock lock(write_);
  Transaction transaction(database_);
  database_.prepare("DELETE FROM journal WHERE tenant=?").text(tenant_id).run();
  if (!transaction.commit()) return tl::unexpected(disk_error());
  return {};
}

Outcome<void> Registry::finish_restore(const std::string& tenant_id, bool restored) {
  const std::scoped_lock lock(write_);
  const TenantPtr known = ids_.find(tenant_id);
  if (known == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  Tenant tenant = *known;
  tenant.has_store = tenant.has_store || restored;
  Transaction transaction(database_);
  database_.prepare("UPDATE tenant SET has_store=? WHERE id=?")
      .integer(tenant.has_store ? 1 : 0)
      .text(tenant_id)
      .run();
  database_.prepare("DELETE FROM journal WHERE tenant=?").text(tenant_id).run();
  if (!transaction.commit()) return tl::unexpected(disk_error());
  if (tenant.has_store != known->has_store) publish(std::move(tenant));
  return {};
}

Outcome<void> Registry::finish_remove(const std::string& tenant_id) {
  const std::scoped_lock lock(write_);
  const TenantPtr known = ids_.find(tenant_id);
  if (known == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  Tenant tombstone;
  tombstone.id = known->id;
  tombstone.slug = known->slug;
  tombstone.status = Status::deleted;
  tombstone.created_ms = known->created_ms;
  tombstone.updated_ms = known->updated_ms;

  std::vector<std::string> keys;
  keys_.each([&](const std::string& id, const ApiKeyPtr& key) {
    if (key->tenant_id == tenant_id) keys.push_back(id);
  });
  {
    Transaction transaction(database_);
    if (!known->synthetic()) save(tombstone);
    for (const auto statement :
         {known->synthetic()
              ? storage::Sql("DELETE FROM tenant WHERE id=?")
              : storage::Sql("UPDATE tenant SET purge_at=NULL,has_store=0 WHERE id=?"),
          storage::Sql("DELETE FROM domain WHERE tenant=?"),
          storage::Sql("DELETE FROM api_key WHERE tenant=?"),
          storage::Sql("DELETE FROM journal WHERE tenant=?")}) {
      database_.prepare(statement).text(tenant_id).run();
    }
    if (!transaction.commit()) return tl::unexpected(disk_error());
  }
  for (const std::string& id : keys) keys_.erase(id);
  publish(std::move(tombstone));
  if (known->synthetic()) withdraw(*known);
  // The log still has the tenant's old row.
  if (!database_.checkpoint()) return tl::unexpected(disk_error());
  return {};
}

Outcome<void> Registry::mark_store(const std::string& tenant_id) {
  const std::scoped_lock lock(write_);
  const TenantPtr known = ids_.find(tenant_id);
  if (known == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  Tenant tenant = *known;
  tenant.has_store = true;
  Transaction transaction(database_);
  database_.prepare("UPDATE tenant SET has_store=1 WHERE id=?").text(tenant_id).run();
  if (!transaction.commit()) return tl::unexpected(disk_error());
  publish(std::move(tenant));
  return {};
}

Outcome<std::vector<Registry::Unfinished>> Registry::unfinished() {
  const std::scoped_lock lock(write_);
  database_.clear_fault();
  std::vector<Unfinished> found;
  auto row = database_.prepare("SELECT tenant, step FROM journal ORDER BY started");
  while (row.step()) {
    found.push_back(
        {.tenant_id = std::string(row.text_at(0)), .step = static_cast<Step>(row.integer_at(1))});
  }
  if (database_.fault() != storage::Fault::none) return tl::unexpected(disk_error());
  return found;
}

Outcome<std::vector<std::string>> Registry::due(std::int64_t now_ms) {
  const std::scoped_lock lock(write_);
  database_.clear_fault();
  std::vector<std::string> found;
  auto row = database_.prepare("SELECT id FROM tenant WHERE status=2 AND purge_at<=?");
  row.integer(now_ms);
  while (row.step()) found.emplace_back(row.text_at(0));
  if (database_.fault() != storage::Fault::none) return tl::unexpected(disk_error());
  return found;
}

std::vector<TenantPtr> Registry::expired(std::int64_t now_ms) const {
  std::vector<TenantPtr> found;
  ids_.each([&](const std::string&, const TenantPtr& tenant) {
    const bool due = tenant->synthetic() && tenant->synthetic_until_ms <= now_ms;
    if (due && tenant->status != Status::deleted) found.push_back(tenant);
  });
  return found;
}

bool Registry::note(const std::string& tenant_id, Step step) {
  return database_.prepare("INSERT OR REPLACE INTO journal VALUES(?,?,?)")
      .text(tenant_id)
      .integer(static_cast<std::int64_t>(step))
      .integer(clock_.unix_ms())
      .run();
}

}  // namespace caisson::tenancy
