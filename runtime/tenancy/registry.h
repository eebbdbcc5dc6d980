#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "runtime/storage/database.h"
#include "runtime/tenancy/sharded_map.h"
#include "runtime/tenancy/tenant.h"

namespace caisson::tenancy {

/// What a tenant gets from its tier; the tenant's own limits override it key by key.
struct Tier {
  Isolation isolation = Isolation::database;
  std::int64_t retention_ms = 0;
  Limits limits;

  friend bool operator==(const Tier&, const Tier&) = default;
};
using Tiers = std::map<std::string, Tier, std::less<>>;

/// What the operator or the configuration says about a tenant.
struct TenantSpec {
  std::string slug;
  std::string name;
  std::string owner;
  std::string tier;
  Status status = Status::active;  ///< active or suspended
  std::string deployment_url;
  std::vector<std::string> domains;
  Limits limits;  ///< the tenant's own
  std::map<std::string, std::string> metadata;
  std::string id{};                     ///< UUIDv7 that it gets when it is made; empty: a new one
  std::int64_t synthetic_until_ms = 0;  ///< as `Tenant` has it

  friend bool operator==(const TenantSpec&, const TenantSpec&) = default;
};

/// A change of a tenant: what is absent stays.
struct TenantChange {
  std::optional<std::string> name;
  std::optional<std::string> owner;
  std::optional<std::string> tier;
  std::optional<std::string> deployment_url;
  std::optional<std::vector<std::string>> domains;
  std::optional<LimitsChange> limits;
  std::optional<std::map<std::string, std::string>> metadata;
};

/// An API key: what it may do, and the hash of its secret. Immutable once published.
struct ApiKey {
  std::string id;  ///< the `<key id>` of `csk_<key id>_<secret>`
  std::string tenant_id;
  std::string name;
  std::vector<std::string> scopes;
  std::array<std::uint8_t, 32> hash{};  ///< SHA-256 of the whole key as sent
  std::int64_t created_ms = 0;
  std::int64_t expires_ms = 0;  ///< 0: never
  bool revoked = false;
};
using ApiKeyPtr = std::shared_ptr<const ApiKey>;

struct TenantFilter {
  std::optional<Status> status;
  std::optional<std::string> owner;
};

struct TenantPage {
  std::vector<TenantPtr> tenants;   ///< by slug, then by id
  std::optional<std::string> next;  ///< give it as `after` for the next page
};

enum class LifecycleErrorKind : std::uint8_t {
  invalid,  ///< `pointer` says which value
  slug_taken,
  domain_taken,
  unknown_tenant,
  deleted,
  unknown_key,
  unknown_snapshot,
  foreign_snapshot,  ///< another tenant's, and `from` does not name it; `detail` says what to give
  damaged_snapshot,
  too_many_snapshots,
  suspended_by_configuration,
  storage,  ///< disk; `detail` is for the log, not for the caller
};

struct LifecycleError {
  LifecycleErrorKind kind = LifecycleErrorKind::storage;
  std::string detail;
  std::string pointer;
};
template <class T>
using Outcome = tl::expected<T, LifecycleError>;

[[nodiscard]] inline tl::unexpected<LifecycleError> refuse(LifecycleErrorKind kind,
                                                           std::string detail = {},
                                                           std::string pointer = {}) {
  return tl::unexpected(
      LifecycleError{.kind = kind, .detail = std::move(detail), .pointer = std::move(pointer)});
}

/// A domain that the configuration gives to another tenant than had it.
struct TakenDomain {
  std::string domain;
  TenantPtr from;
  TenantPtr to;
};

/// What applying the configuration changed.
struct Reconciled {
  std::vector<TenantPtr> created;
  std::vector<TenantPtr> updated;
  std::vector<TenantPtr> touched;  ///< only through what is said of their tiers
  std::vector<TenantPtr> strays;   ///< their tier is gone: the least of all tiers holds for them
  std::vector<TakenDomain> taken;  ///< from tenants that are not among the others
  bool tiers = false;              ///< tiers are others than before
};

/// The tenants that the configuration names: their own domains by their slugs.
using Named = std::map<std::string, std::vector<std::string>, std::less<>>;
/// The same by domain: the slug of the tenant to which each is given.
using Givings = std::map<std::string, std::string, std::less<>>;

/// What is wrong with a tenant as the configuration says it; nothing when all is well.
[[nodiscard]] std::optional<LifecycleError> defect_of(const TenantSpec& spec, const Tiers& tiers);

/// The tenants, their domains and API keys: `registry.db`, and an index of it in memory.
/// Thread-safe. Look-ups never touch the disk; a change is durable before it returns, and seen by
/// every look-up after.
class Registry {
 public:
  /// Opens or creates registry.db in `data`, as storage::make_data_directory makes and finds it.
  /// `clock` outlives it: all times of tenants, keys and snapshots are its.
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(const std::filesystem::path& data,
                                                              Tiers tiers, const Clock& clock);

  /// Where registry.db is, and where all other data belong.
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }

  /// Told, once the change is durable and seen by every look-up, of a tenant that was made or
  /// changed and of a key that was revoked; must not call back.
  struct Listener {
    std::function<void(const Tenant&)> tenant;
    std::function<void(const ApiKey&)> revoked;
  };
  void listen(Listener listener);

  /// Null when there is none. A slug names the living tenant, else the one deleted last.
  [[nodiscard]] TenantPtr by_slug(std::string_view slug) const;
  [[nodiscard]] TenantPtr by_id(std::string_view id) const;
  /// By own domain, lower case.
  [[nodiscard]] TenantPtr by_domain(std::string_view domain) const;
  /// Revoked and expired keys are found too: the caller decides.
  [[nodiscard]] ApiKeyPtr key(std::string_view key_id) const;

  /// `limit` 1..1000; `after` is the `next` of the page before.
  [[nodiscard]] TenantPage list(const TenantFilter& filter, std::size_t limit,
                                std::string_view after = {}) const;
  /// Of those that are neither deleted nor synthetic.
  [[nodiscard]] std::size_t count() const;
  /// The version of registry.db's schema.
  [[nodiscard]] static std::size_t schema_version();

  [[nodiscard]] Tiers tiers() const;

  /// Applies the configuration: missing tenants are created, changed ones updated, none is deleted.
  /// What the operator made of a tenant's status and limits holds until the configuration changes
  /// there; see `settle`. The domains that it names are taken from whoever has them. `tiers` are
  /// those that hold from now on; none: as they are. `named` are all tenants that the configuration
  /// names, also those that are not in `tenants` since they did not change; none: `tenants` besides
  /// those of before. `domain_taken` when it names a domain twice.
  [[nodiscard]] Outcome<Reconciled> reconcile(std::span<const TenantSpec> tenants,
                                              std::optional<Tiers> tiers = {},
                                              std::optional<Named> named = {});

  /// A new key; `secret` is the whole `csk_<id>_<secret>`, known to nobody after this.
  struct NewKey {
    ApiKeyPtr key;
    std::string secret;
  };
  [[nodiscard]] Outcome<NewKey> create_key(std::string_view slug, std::string name,
                                           std::vector<std::string> scopes,
                                           std::int64_t expires_ms);
  struct ImportedKeys {
    std::size_t created = 0;
    std::size_t kept = 0;     ///< they were there, also with a deleted tenant of this slug
    std::size_t revoked = 0;  ///< they worked here until now
  };
  /// Keys of another registry, all or none: those that are not there yet are made the tenant's,
  /// with their hashes, times and revocations. One that either side has revoked is revoked, and
  /// with `revoke_others` all keys of the tenant that are not among `keys` are. `invalid` for an id
  /// that stands for another key here.
  [[nodiscard]] Outcome<ImportedKeys> import_keys(std::string_view slug, std::vector<ApiKey> keys,
                                                  bool revoke_others = false);
  [[nodiscard]] Outcome<void> revoke_key(std::string_view slug, std::string_view key_id);
  [[nodiscard]] Outcome<std::vector<ApiKeyPtr>> keys(std::string_view slug) const;

 private:
  friend class Tenants;  // the life cycle in steps, for a tenant's files lie between them

  /// What a crash left to do.
  enum class Step : std::uint8_t {
    remove = 1,
    restore = 2,  ///< the prepared store takes the place of the tenant's
    make = 3,     ///< a snapshot or a store to restore is in the making: it is cleared away
  };
  struct Unfinished {
    std::string tenant_id;
    Step step = Step::remove;
  };

  [[nodiscard]] std::vector<ApiKeyPtr> keys_of(std::string_view tenant_id) const;
  Registry(std::filesystem::path data, storage::Database database, Tiers tiers, const Clock& clock)
      : data_(std::move(data)),
        clock_(clock),
        tiers_(std::move(tiers)),
        database_(std::move(database)) {}
  [[nodiscard]] Result<void> load();

  [[nodiscard]] Outcome<TenantPtr> create(const TenantSpec& spec);
  [[nodiscard]] Outcome<TenantPtr> update(std::string_view slug, const TenantChange& change);
  [[nodiscard]] Outcome<TenantPtr> set_status(std::string_view slug, Status status);
  /// From now on the tenant is deleted, and its domains are anybody's; with retention 0 its removal
  /// has begun.
  [[nodiscard]] Outcome<TenantPtr> begin_remove(const std::string& tenant_id);
  /// Begins to remove a deleted tenant; false when its retention has not passed, or it is gone.
  [[nodiscard]] Outcome<bool> begin_purge(const std::string& tenant_id, std::int64_t now_ms);
  [[nodiscard]] Outcome<void> begin(const std::string& tenant_id, Step step);
  [[nodiscard]] Outcome<void> finish_making(const std::string& tenant_id);
  /// `restored`: the tenant has a store from now on.
  [[nodiscard]] Outcome<void> finish_restore(const std::string& tenant_id, bool restored);
  /// Forgets all but id, slug and times, also in the file's own bytes; of a synthetic tenant those
  /// too.
  [[nodiscard]] Outcome<void> finish_remove(const std::string& tenant_id);
  [[nodiscard]] Outcome<void> mark_store(const std::string& tenant_id);
  [[nodiscard]] Outcome<std::vector<Unfinished>> unfinished();
  /// Deleted tenants whose retention has passed.
  [[nodiscard]] Outcome<std::vector<std::string>> due(std::int64_t now_ms);
  /// Synthetic tenants that nobody deleted in time.
  [[nodiscard]] std::vector<TenantPtr> expired(std::int64_t now_ms) const;

  // With write_ held.
  [[nodiscard]] Outcome<Tenant> living(std::string_view slug) const;
  bool note(const std::string& tenant_id, Step step);
  [[nodiscard]] bool insert(const Tenant& tenant);
  bool save(const Tenant& tenant);
  [[nodiscard]] std::optional<LifecycleError> claim_domains(const Tenant& tenant);
  [[nodiscard]] std::optional<LifecycleError> given_elsewhere(const Tenant& tenant) const;
  [[nodiscard]] std::vector<TenantPtr> apply_tiers();
  [[nodiscard]] Terms said_of(const Tenant& tenant) const;
  TenantPtr publish(Tenant tenant);
  void withdraw(const Tenant& tenant);
  [[nodiscard]] LifecycleError disk_error() const;

  const std::filesystem::path data_;
  const Clock& clock_;
  mutable std::mutex write_;    // one writer at a time
  Tiers tiers_;                 // guarded by write_
  Named named_;                 // by the configuration; guarded by write_
  Givings given_;               // what that says, by domain; guarded by write_
  storage::Database database_;  // guarded by write_
  ShardedMap<TenantPtr> ids_;
  ShardedMap<TenantPtr> slugs_;
  ShardedMap<TenantPtr> domains_;
  ShardedMap<ApiKeyPtr> keys_;
  Listener listener_;  // guarded by write_
};

}  // namespace caisson::tenancy
