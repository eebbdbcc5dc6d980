#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caisson::tenancy {

enum class Status : std::uint8_t { active, suspended, deleted };

enum class Isolation : std::uint8_t { row, schema, database, deployment };

/// What a tenant may use; an absent value is unlimited (the runtime's built-in bounds still hold).
struct Limits {
  std::optional<double> requests_per_second;
  std::optional<std::int64_t> burst;
  std::optional<std::int64_t> concurrent;
  std::optional<std::int64_t> body_bytes;
  std::optional<std::int64_t> storage_bytes;
  std::optional<std::int64_t> queue_messages;
  std::optional<std::int64_t> sockets;
  std::optional<std::int64_t> egress_connections;

  friend bool operator==(const Limits&, const Limits&) = default;
};

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
  Limits limits;  ///< tier limits with the tenant's overrides applied
  std::map<std::string, std::string> metadata;
  std::int64_t retention_ms = 0;
  std::int64_t created_ms = 0;  ///< Unix time
  std::int64_t updated_ms = 0;
  bool successor = false;  ///< an earlier tenant, now deleted, had this slug
  /// Its store has been made: a missing file is then damage, never a reason to begin anew.
  bool has_store = false;

  friend bool operator==(const Tenant&, const Tenant&) = default;
};

using TenantPtr = std::shared_ptr<const Tenant>;

}  // namespace caisson::tenancy
