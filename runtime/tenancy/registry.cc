#include "runtime/tenancy/registry.h"

#include <algorithm>
#include <set>

#include "base/uuid.h"
#include "runtime/storage/files.h"
#include "runtime/storage/temporary.h"
#include "runtime/tenancy/registry_rows.h"
#include "runtime/tenancy/transaction.h"

namespace caisson::tenancy {
namespace {

/// Slug and id: what pages are ordered by, and the cursor between them.
std::string place_of(const Tenant& tenant) { return tenant.slug + "/" + tenant.id; }

/// Binds what the configuration said last; `limits` is the text of its limits.
void bind_configured(storage::Statement& row, const Tenant& tenant, const std::string& limits) {
  if (tenant.configured) {
    row.integer(static_cast<std::int64_t>(tenant.configured->status)).text(limits);
  } else {
    row.null().null();
  }
}

/// A domain on its way from one tenant to another, by their ids.
struct Taking {
  std::string domain;
  std::string from;
  std::string to;
};

/// A domain is one tenant's: who names it twice is refused.
Outcome<Givings> givings_of(const Named& named) {
  Givings given;
  for (const auto& [slug, domains] : named) {
    for (const std::string& domain : domains) {
      const auto [holder, first] = given.try_emplace(domain, slug);
      if (first || holder->second == slug) continue;
      std::string detail = domain + " is given to tenant " + holder->second;
      detail += " and to tenant " + slug;
      return refuse(LifecycleErrorKind::domain_taken, std::move(detail), "/domains");
    }
  }
  return given;
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::open(const std::filesystem::path& data, Tiers tiers,
                                                 const Clock& clock) {
  auto place = storage::make_data_directory(data);
  if (!place) return tl::unexpected(place.error());
  std::error_code error;
  const auto file = std::filesystem::canonical(*place, error) / "registry.db";
  if (error) {
    return fail("cannot find " + place->string() + ": " + error.message(),
                "every directory above it must let this user pass");
  }
  // What a process that is confined to its data may write: the engine's own choices are barred.
  storage::set_temporary_directory(file.parent_path());
  if (auto made = storage::make_private_file(file); !made) return tl::unexpected(made.error());
  if (auto checked = storage::check_private_file(file); !checked) {
    return tl::unexpected(checked.error());
  }
  auto database = storage::Database::open(file, {.cache_kib = 2048});
  if (!database) return tl::unexpected(database.error());
  if (auto migrated = storage::migrate(*database, registry_schema()); !migrated) {
    return fail(file.string() + ": " + migrated.error().what, migrated.error().remedy);
  }
  std::unique_ptr<Registry> registry(
      new Registry(*std::move(place), std::move(*database), std::move(tiers), clock));
  if (auto loaded = registry->load(); !loaded) return tl::unexpected(loaded.error());
  return registry;
}

Result<void> Registry::load() {
  const std::scoped_lock lock(write_);
  std::map<std::string, std::vector<std::string>> domains;
  {
    // Earlier versions left a deleted tenant its domains until its retention had passed.
    Transaction transaction(database_);
    database_
        .prepare("DELETE FROM domain WHERE tenant NOT IN (SELECT id FROM tenant WHERE status<>2)")
        .run();
    if (!transaction.commit()) return fail(disk_error().detail);
  }
  {
    auto row = database_.prepare("SELECT tenant, name FROM domain ORDER BY name");
    while (row.step()) domains[std::string(row.text_at(0))].emplace_back(row.text_at(1));
  }
  {
    // Deleted ones first, as they came first.
    auto row = database_.prepare(
        "SELECT id,slug,name,owner,tier,status,deployment_url,limits,metadata,created,updated,"
        "has_store,configured_status,configured_limits,synthetic_until FROM tenant ORDER BY "
        "status<>2, updated");
    while (row.step()) {
      Tenant tenant = tenant_from_row(row);
      tenant.domains = domains[tenant.id];
      apply_tier(tenant, tiers_);
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
    if (tenant->status != Status::deleted && !tenant->synthetic()) ++living;
  });
  return living;
}

Tiers Registry::tiers() const {
  const std::scoped_lock lock(write_);
  return tiers_;
}

Outcome<Reconciled> Registry::reconcile(std::span<const TenantSpec> specs,
                                        std::optional<Tiers> tiers, std::optional<Named> named) {
  const std::scoped_lock lock(write_);
  if (!named) {
    named = named_;
    for (const TenantSpec& spec : specs) named->insert_or_assign(spec.slug, spec.domains);
  }
  auto given = givings_of(*named);
  if (!given) return tl::unexpected(given.error());
  if (!tiers) tiers = tiers_;
  const std::int64_t now = clock_.unix_ms();
  std::vector<Tenant> created;
  std::vector<Tenant> updated;
  std::vector<Tenant> noted;  // nothing of them changes but what the configuration said last
  for (const TenantSpec& spec : specs) {
    const TenantPtr known = slugs_.find(spec.slug);
    const bool living = known != nullptr && known->status != Status::deleted;
    Tenant tenant;
    if (living) {
      tenant = *known;
    } else {
      tenant.id = Uuid::make(now).text();
      tenant.created_ms = tenant.updated_ms = now;
      tenant.metadata = spec.metadata;
    }
    describe(tenant, spec);
    tenant.synthetic_until_ms = 0;  // whoever it was made for, the configuration has it now
    const Terms said{.status = spec.status, .limits = spec.limits};
    const Terms held{.status = tenant.status, .limits = tenant.own};
    const Terms settled = settle(held, tenant.configured.value_or(Terms{}), said);
    tenant.status = settled.status;
    tenant.own = settled.limits;
    apply_tier(tenant, *tiers);
    // What the operator made of it may be another's word, and what is said now has to hold as well.
    Tenant as_said = tenant;
    as_said.status = spec.status;
    as_said.own = spec.limits;
    if (auto defect = defect_of(as_said, *tiers)) {
      defect->detail = "tenant " + spec.slug + ": " + defect->detail;
      return tl::unexpected(*std::move(defect));
    }
    const bool changed = !living || tenant != *known;
    if (!changed && tenant.configured == said) continue;
    tenant.configured = said;
    if (changed) tenant.updated_ms = now;
    (!living ? created : changed ? updated : noted).push_back(std::move(tenant));
  }

  // What it gives a tenant nobody else keeps; those above have other domains from now on anyway.
  std::set<std::string_view> changing;
  for (const Tenant& tenant : updated) changing.insert(tenant.id);
  std::map<std::string, Tenant> robbed;  // by id
  std::vector<Taking> takings;
  for (const auto* changes : {&updated, &created}) {
    for (const Tenant& tenant : *changes) {
      for (const std::string& domain : tenant.domains) {
        const TenantPtr holder = domains_.find(domain);
        if (holder == nullptr || holder->id == tenant.id || changing.contains(holder->id)) continue;
        Tenant& loser = robbed.try_emplace(holder->id, *holder).first->second;
        std::erase(loser.domains, domain);
        loser.updated_ms = now;
        takings.push_back({.domain = domain, .from = holder->id, .to = tenant.id});
      }
    }
  }

  Reconciled done;
  done.tiers = *tiers != tiers_;
  done.updated.reserve(updated.size());
  done.created.reserve(created.size());
  done.taken.reserve(takings.size());
  if (!created.empty() || !updated.empty() || !noted.empty()) {
    Transaction transaction(database_);
    for (const auto* changes : {&updated, &noted}) {
      for (const Tenant& tenant : *changes) {
        // All domains are given up before any is claimed: tenants may swap them.
        database_.prepare("DELETE FROM domain WHERE tenant=?").text(tenant.id).run();
        if (!save(tenant)) return tl::unexpected(disk_error());
      }
    }
    for (const auto& [id, tenant] : robbed) {
      if (!save(tenant)) return tl::unexpected(disk_error());
    }
    for (const Taking& taking : takings) {
      database_.prepare("DELETE FROM domain WHERE name=?").text(taking.domain).run();
    }
    for (const Tenant& tenant : created) {
      if (!insert(tenant)) return refuse(LifecycleErrorKind::slug_taken, "tenant " + tenant.slug);
    }
    for (const auto* changes : {&updated, &noted, &created}) {
      for (const Tenant& tenant : *changes) {
        if (auto taken = claim_domains(tenant)) return tl::unexpected(*std::move(taken));
      }
    }
    if (!transaction.commit()) return tl::unexpected(disk_error());
  }
  insist([&] {
    tiers_ = *tiers;
    named_ = *named;
    given_ = *given;
  });
  for (Tenant& tenant : updated) done.updated.push_back(publish(std::move(tenant)));
  for (Tenant& tenant : created) done.created.push_back(publish(std::move(tenant)));
  for (Tenant& tenant : noted) publish(std::move(tenant));
  for (auto& [id, tenant] : robbed) publish(std::move(tenant));
  for (Taking& taking : takings) {
    done.taken.push_back({.domain = std::move(taking.domain),
                          .from = ids_.find(taking.from),
                          .to = ids_.find(taking.to)});
  }
  if (done.tiers) insist([&] { done.touched = apply_tiers(); });
  ids_.each([&](const std::string&, const TenantPtr& tenant) {
    const bool stray = !tenant->tier.empty() && !tiers_.contains(tenant->tier);
    if (stray && tenant->status != Status::deleted) done.strays.push_back(tenant);
  });
  return done;
}

/// Gives every living tenant what its tier says now; which ones that changed.
std::vector<TenantPtr> Registry::apply_tiers() {
  std::vector<TenantPtr> touched;
  ids_.each([&](const std::string&, const TenantPtr& tenant) {
    if (tenant->status != Status::deleted) touched.push_back(tenant);
  });
  std::erase_if(touched, [&](TenantPtr& tenant) {
    Tenant again = *tenant;
    apply_tier(again, tiers_);
    if (again == *tenant) return true;
    tenant = publish(std::move(again));
    return false;
  });
  return touched;
}

Outcome<Tenant> Registry::living(std::string_view slug) const {
  const TenantPtr tenant = slugs_.find(slug);
  if (tenant == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  if (tenant->status == Status::deleted) return refuse(LifecycleErrorKind::deleted);
  return *tenant;
}

bool Registry::insert(const Tenant& tenant) {
  const std::string limits = limits_text(tenant.own);
  const std::string metadata = metadata_text(tenant.metadata);
  const std::string configured = tenant.configured ? limits_text(tenant.configured->limits) : "";
  auto row = database_.prepare(
      "INSERT INTO "
      "tenant(id,slug,name,owner,tier,status,deployment_url,limits,metadata,created,updated,"
      "has_store,configured_status,configured_limits,synthetic_until) "
      "VALUES(?,?,?,?,?,?,?,?,?,?,?,0,?,?,?)");
  row.text(tenant.id)
      .text(tenant.slug)
      .text(tenant.name)
      .text(tenant.owner)
      .text(tenant.tier)
      .integer(static_cast<std::int64_t>(tenant.status))
      .text(tenant.deployment_url)
      .text(limits)
      .text(metadata)
      .integer(tenant.created_ms)
      .integer(tenant.updated_ms);
  bind_configured(row, tenant, configured);
  return row.integer(tenant.synthetic_until_ms).run();
}

bool Registry::save(const Tenant& tenant) {
  const std::string limits = limits_text(tenant.own);
  const std::string metadata = metadata_text(tenant.metadata);
  const std::string configured = tenant.configured ? limits_text(tenant.configured->limits) : "";
  auto row = database_.prepare(
      "UPDATE tenant SET name=?,owner=?,tier=?,status=?,deployment_url=?,limits=?,metadata=?,"
      "updated=?,configured_status=?,configured_limits=?,synthetic_until=? WHERE id=?");
  row.text(tenant.name)
      .text(tenant.owner)
      .text(tenant.tier)
      .integer(static_cast<std::int64_t>(tenant.status))
      .text(tenant.deployment_url)
      .text(limits)
      .text(metadata)
      .integer(tenant.updated_ms);
  bind_configured(row, tenant, configured);
  return row.integer(tenant.synthetic_until_ms).text(tenant.id).run();
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

/// The refusal of a domain that the configuration gives to another tenant, whether that has it now
/// or not.
std::optional<LifecycleError> Registry::given_elsewhere(const Tenant& tenant) const {
  for (const std::string& domain : tenant.domains) {
    const auto given = given_.find(domain);
    if (given == given_.end() || given->second == tenant.slug) continue;
    return LifecycleError{
        .kind = LifecycleErrorKind::domain_taken,
        .detail = "the configuration gives " + domain + " to tenant " + given->second,
        .pointer = "/domains"};
  }
  return std::nullopt;
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

/// No look-up finds the tenant any more. Its slug names the one deleted last before it, if any.
void Registry::withdraw(const Tenant& tenant) {
  TenantPtr former;
  ids_.each([&](const std::string& id, const TenantPtr& other) {
    if (other->slug != tenant.slug || id == tenant.id) return;
    if (!former || other->updated_ms > former->updated_ms) former = other;
  });
  insist([&] {
    const TenantPtr holder = slugs_.find(tenant.slug);
    if (holder != nullptr && holder->id == tenant.id) {
      if (former != nullptr) {
        slugs_.set(tenant.slug, former);
      } else {
        slugs_.erase(tenant.slug);
      }
    }
    ids_.erase(tenant.id);
  });
}

LifecycleError Registry::disk_error() const {
  return {.kind = LifecycleErrorKind::storage,
          .detail = "cannot write the registry: " + database_.fault_text(),
          .pointer = {}};
}

}  // namespace caisson::tenancy
