#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/tenancy/terms.h"

namespace caisson::tenancy {

enum class Isolation : std::uint8_t { row, schema, database, deployment };

/// One tenant as the registry knows it. Immutable once published: a change makes a new one.
struct Tenant {
  std::string id;    ///< UUIDv7, lower case; never reused, names the tenant's files
  std::string slug;  ///< RFC 1123 label, unique among tenants that are not deleted
  std::string name;
  std::string owner;
  std::string tier;
  Status status = Status::active;
  Isolation isolation = Isolation::database;
  std::string deployment_url;  ///< set for tenants that have a deployment of their own
  std::vector<std::string> domains;
  Limits limits;                    ///< in force: tier limits with the tenant's own applied
  Limits own;                       ///< what overrides the tier's
  std::optional<Terms> configured;  ///< what the configuration said last; none: never anything
  std::map<std::string, std::string> metadata;
  std::int64_t retention_ms = 0;
  /// Unix time at which a tenant that was made for a test is removed, if nobody did before; 0: a
  /// tenant like any other. It is not counted, backed up or certified, and leaves no tombstone.
  std::int64_t synthetic_until_ms = 0;
  std::int64_t created_ms = 0;  ///< Unix time
  std::int64_t updated_ms = 0;
  bool successor = false;  ///< an earlier tenant, now deleted, had this slug
  /// Its store has been made: a missing file is then damage, never a reason to begin anew.
  bool has_store = false;

  [[nodiscard]] bool synthetic() const { return synthetic_until_ms > 0; }

  friend bool operator==(const Tenant&, const Tenant&) = default;
};

using TenantPtr = std::shared_ptr<const Tenant>;

}  // namespace caisson::tenancy
