#include "runtime/tenancy/registry.h"

#include <algorithm>

#include "runtime/storage/files.h"
#include "runtime/storage/uuid.h"
#include "runtime/tenancy/registry_rows.h"
#include "runtime/tenancy/transaction.h"

namespace caisson::tenancy {
namespace {

/// Slug and id: what pages are ordered by, and the cursor between them.
std::string place_of(const Tenant& tenant) { return tenant.slug + "/" + tenant.id; }

}  // namespace

Result<std::unique_ptr<Registry>> Registry::open(const std::filesystem::path& data, Tiers tiers) {
  if (auto made = storage::make_data_directory(data); !made) {
    return tl::unexpected(made.error());
  }
  std::error_code error;
  const auto file = std::filesystem::canonical(data, error) / "registry.db";
  if (error) {
    return fail("cannot find " + data.string() + ": " + error.message(),
                "every directory above it must let this user pass");
  }
  if (auto made = storage::make_private_file(file); !made) return tl::unexpected(made.error());
  if (auto checked = storage::check_private_file(file); !checked) {
    return tl::unexpected(checked.error());
  }
  auto database = storage::Database::open(file, {.cache_kib = 2048});
  if (!database) return tl::unexpected(database.error());
  if (auto migrated = storage::migrate(*database, registry_schema()); !migrated) {
    return fail(file.string() + ": " + migrated.error().what, migrated.error().remedy);
  }
  std::unique_ptr<Registry> registry(new Registry(std::move(*database), std::move(tiers)));
  if (auto loaded = registry->load(); !loaded) return tl::unexpected(loaded.error());
  return registry;
}

Result<void> Registry::load() {
  const std::scoped_lock lock(write_);
  std::map<std::string, std::vector<std::string>> domains;
  {
    auto row = database_.prepare("SELECT tenant, name FROM domain ORDER BY name");
    while (row.step()) domains[std::string(row.text_at(0))].emplace_back(row.text_at(1));
  }
  {
    // Deleted ones first, as they came first.
    auto row = database_.prepare(
        "SELECT id,slug,name,owner,tier,status,deployment_url,limits,metadata,created,updated,"
        "has_store FROM tenant ORDER BY status<>2, updated");
    while (row.step()) {
      Tenant tenant = tenant_from_row(row);
      tenant.domains = domains[tenant.id];
      apply_tier(tenant, Limits(tenant.limits));
      publish(std::move(tenant));
    }
  }
  {
    auto row =
        database_.prepare("SELECT id,tenant,name,scopes,hash,created,expires,revoked FROM api_key");
    while (row.step()) {
      auto key = std::make_shared<const ApiKey>(key_from_row(row));
      keys_.set(key->id, key);
    }
  }
  if (database_.fault() != storage::Fault::none) {
    return fail("cannot read the registry: " + database_.fault_text());
  }
  return {};
}

std::size_t Registry::schema_version() { return registry_schema().size(); }

void Registry::listen(Listener listener) {
  const std::scoped_lock lock(write_);
  listener_ = std::move(listener);
}

TenantPtr Registry::by_slug(std::string_view slug) const { return slugs_.find(slug); }
TenantPtr Registry::by_id(std::string_view id) const { return ids_.find(id); }
TenantPtr Registry::by_domain(std::string_view domain) const { return domains_.find(domain); }

TenantPage Registry::list(const TenantFilter& filter, std::size_t limit,
                          std::string_view after) const {
  std::vector<std::pair<std::string, TenantPtr>> found;
  ids_.each([&](const std::string&, const TenantPtr& tenant) {
    if (filter.status && tenant->status != *filter.status) return;
    if (filter.owner && tenant->owner != *filter.owner) return;
    std::string place = place_of(*tenant);
    if (place > after) found.emplace_back(std::move(place), tenant);
  });
  limit = std::clamp<std::size_t>(limit, 1, 1000);
  const std::size_t size = std::min(limit, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(size), found.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  TenantPage page;
  for (std::size_t i = 0; i < size; ++i) page.tenants.push_back(found[i].second);
  if (found.size() > size) page.next = found[size - 1].first;
  return page;
}

std::size_t Registry::count() const {
  std::size_t living = 0;
  ids_.each([&](const std::string&, const TenantPtr& tenant) {
    if (tenant->status != Status::deleted) ++living;
  });
  return living;
}

Outcome<Reconciled> Registry::reconcile(std::span<const TenantSpec> specs) {
  const std::scoped_lock lock(write_);
  const std::int64_t now = storage::unix_ms_now();
  std::vector<std::pair<Tenant, Limits>> created;
  std::vector<std::pair<Tenant, Limits>> updated;
  for (const TenantSpec& spec : specs) {
    const TenantPtr known = slugs_.find(spec.slug);
    const bool living = known != nullptr && known->status != Status::deleted;
    Tenant tenant;
    if (living) {
      tenant = *known;
    } else {
      tenant.id = storage::Uuid::make(now).text();
      tenant.created_ms = now;
      tenant.metadata = spec.metadata;
    }
    describe(tenant, spec);
    if (living && tenant == *known) continue;
    tenant.updated_ms = now;
    if (auto defect = check(tenant, spec.limits)) {
      defect->detail = "tenant " + spec.slug + ": " + defect->detail;
      return tl::unexpected(*std::move(defect));
    }
    (living ? updated : created).emplace_back(std::move(tenant), spec.limits);
  }
  if (created.empty() && updated.empty()) return {};

  Reconciled done;
  done.updated.reserve(updated.size());
  done.created.reserve(created.size());
  Transaction transaction(database_);
  for (const auto& [tenant, own] : updated) {
    // All domains are given up before any is claimed: tenants may swap them.
    database_.prepare("DELETE FROM domain WHERE tenant=?").text(tenant.id).run();
    if (!save(tenant, own)) return tl::unexpected(disk_error());
  }
  for (const auto& [tenant, own] : created) {
    if (!insert(tenant, own))
      return refuse(LifecycleErrorKind::slug_taken, "tenant " + tenant.slug);
  }
  for (const auto* changes : {&updated, &created}) {
    for (const auto& [tenant, own] : *changes) {
      if (auto taken = claim_domains(tenant)) return tl::unexpected(*std::move(taken));
    }
  }
  if (!transaction.commit()) return tl::unexpected(disk_error());
  for (auto& [tenant, own] : updated) done.updated.push_back(publish(std::move(tenant)));
  for (auto& [tenant, own] : created) done.created.push_back(publish(std::move(tenant)));
  return done;
}

Outcome<Tenant> Registry::living(std::string_view slug) const {
  const TenantPtr tenant = slugs_.find(slug);
  if (tenant == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  if (tenant->status == Status::deleted) return refuse(LifecycleErrorKind::deleted);
  return *tenant;
}

void Registry::describe(Tenant& tenant, const TenantSpec& spec) const {
  tenant.slug = spec.slug;
  tenant.name = spec.name;
  tenant.owner = spec.owner;
  tenant.tier = spec.tier;
  tenant.status = spec.status;
  tenant.deployment_url = spec.deployment_url;
  tenant.domains = spec.domains;
  std::sort(tenant.domains.begin(), tenant.domains.end());
  apply_tier(tenant, spec.limits);
}

std::optional<LifecycleError> Registry::check(const Tenant& tenant, const Limits& own) const {
  if (tenant.status == Status::deleted || (!tenant.tier.empty() && !tiers_.contains(tenant.tier))) {
    const bool tier = tenant.status != Status::deleted;
    return LifecycleError{
        .kind = LifecycleErrorKind::invalid,
        .detail = tier ? "is not a tier of this deployment" : "must be active or suspended",
        .pointer = tier ? "/tier" : "/status"};
  }
  return defect_of(tenant, own);
}

bool Registry::insert(const Tenant& tenant, const Limits& own) {
  const std::string limits = limits_text(own);
  const std::string metadata = metadata_text(tenant.metadata);
  return database_
      .prepare(
          "INSERT INTO "
          "tenant(id,slug,name,owner,tier,status,deployment_url,limits,metadata,created,"
          "updated,has_store) VALUES(?,?,?,?,?,?,?,?,?,?,?,0)")
      .text(tenant.id)
      .text(tenant.slug)
      .text(tenant.name)
      .text(tenant.owner)
      .text(tenant.tier)
      .integer(static_cast<std::int64_t>(tenant.status))
      .text(tenant.deployment_url)
      .text(limits)
      .text(metadata)
      .integer(tenant.created_ms)
      .integer(tenant.updated_ms)
      .run();
}

bool Registry::save(const Tenant& tenant, const Limits& own) {
  const std::string limits = limits_text(own);
  const std::string metadata = metadata_text(tenant.metadata);
  return database_
      .prepare(
          "UPDATE tenant SET name=?,owner=?,tier=?,status=?,deployment_url=?,limits=?,metadata=?,"
          "updated=? WHERE id=?")
      .text(tenant.name)
      .text(tenant.owner)
      .text(tenant.tier)
      .integer(static_cast<std::int64_t>(tenant.status))
      .text(tenant.deployment_url)
      .text(limits)
      .text(metadata)
      .integer(tenant.updated_ms)
      .text(tenant.id)
      .run();
}

std::optional<LifecycleError> Registry::claim_domains(const Tenant& tenant) {
  for (const std::string& domain : tenant.domains) {
    if (database_.prepare("INSERT INTO domain VALUES(?,?)").text(domain).text(tenant.id).run()) {
      continue;
    }
    if (database_.fault() != storage::Fault::refused) return disk_error();
    return LifecycleError{.kind = LifecycleErrorKind::domain_taken,
                          .detail = domain + " belongs to another tenant",
                          .pointer = "/domains"};
  }
  return std::nullopt;
}

Limits Registry::own_limits(const std::string& tenant_id) {
  auto row = database_.prepare("SELECT limits FROM tenant WHERE id=?");
  row.text(tenant_id);
  return row.step() ? limits_from_text(row.text_at(0)) : Limits{};
}

void Registry::apply_tier(Tenant& tenant, const Limits& own) const {
  const auto tier = tiers_.find(tenant.tier);
  static const Tier none;
  const Tier& terms = tier == tiers_.end() ? none : tier->second;
  tenant.isolation = terms.isolation;
  tenant.retention_ms = terms.retention_ms;
  tenant.limits = overlay(own, terms.limits);
}

TenantPtr Registry::publish(Tenant tenant) {
  const TenantPtr holder = slugs_.find(tenant.slug);
  const bool foreign = holder != nullptr && holder->id != tenant.id;
  const bool held = foreign && holder->status != Status::deleted;
  tenant.successor = tenant.successor || (foreign && !held);
  const auto published = insist([&] { return std::make_shared<const Tenant>(tenant); });
  if (const TenantPtr before = ids_.find(published->id)) {
    for (const std::string& domain : before->domains) {
      // Another tenant may have taken it over in the same transaction.
      const TenantPtr owner = domains_.find(domain);
      if (owner != nullptr && owner->id == published->id) domains_.erase(domain);
    }
  }
  insist([&] {
    ids_.set(published->id, published);
    if (!held) slugs_.set(published->slug, published);
    for (const std::string& domain : published->domains) domains_.set(domain, published);
  });
  if (listener_.tenant) insist([&] { listener_.tenant(*published); });
  return published;
}

LifecycleError Registry::disk_error() const {
  return {.kind = LifecycleErrorKind::storage,
          .detail = "cannot write the registry: " + database_.fault_text(),
          .pointer = {}};
}

}  // namespace caisson::tenancy
