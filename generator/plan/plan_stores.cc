#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

constexpr std::int64_t mebibyte = 1048576;

/// What the spec has no word for: small, and bounded.
Resources modest(std::int64_t memory_mebibytes) {
  return {.cpu_request_millis = {50, derived("")},
          .cpu_limit_millis = {1000, derived("")},
          .memory_request_bytes = {memory_mebibytes / 4 * mebibyte, derived("")},
          .memory_limit_bytes = {memory_mebibytes * mebibyte, derived("")}};
}

std::string password(Draft& draft, const std::optional<spec::External>& external,
                     const std::string& name, const std::string& pointer) {
  if (external) return external->password ? external->password->name : std::string{};
  draft.plan.secrets.push_back(
      {.name = draft.secret_names.take(name), .internal = true, .origin = derived(pointer)});
  return draft.plan.secrets.back().name;
}

void database(Draft& draft) {
  const auto& from = draft.spec().database;
  auto& plan = draft.plan;
  auto& to = plan.database;
  to.engine = draft.trace(static_cast<Database::Engine>(from.engine), "/database/engine");
  // `database: postgres` is short for its engine.
  if (to.engine.origin.kind == Origin::Kind::defaulted) {
    to.engine.origin = draft.origin("/database");
  }
  if (from.engine == spec::Database::Engine::sqlite) return;
  to.version = from.version;
  to.pool = from.pool;
  to.password = password(draft, from.external, "database-password", "/database");
  if (from.external) {
    to.host = from.external->host;
    to.port = from.external->port;
    to.name = from.external->name;
    to.user = from.external->user;
    to.tls = from.external->tls;
    return;
  }
  to.instance = draft.instance_names.take("database");
  to.host = to.instance;
  to.name = "caisson";
  to.user = "caisson";
  // The runtime's own role is no superuser: row level security would not bind one.
  plan.secrets.push_back({.name = draft.secret_names.take("database-admin-password"),
                          .internal = true,
                          .origin = derived("/database")});
  const auto admin = plan.secrets.back().name;
  Instance instance{
      .name = to.instance,
      .role = Role::database,
      .ports = {{.name = "postgresql",
                 .number = {5432, derived("/database")},
                 .purpose = Port::Purpose::database}},
      .resources = resources(draft, from.resources, "/database/resources"),
      .secrets = {{to.password, "/run/secrets/database-password"},
                  {admin, "/run/secrets/database-admin-password"}},
      .configs = {{"database-init.sql", "/docker-entrypoint-initdb.d/10-caisson.sql"}},
      .uid = 999,
      .stop_grace_ms = 60'000,
      .origin = draft.origin("/database")};
  const auto volume = draft.volume_names.take("database-data");
  plan.volumes.push_back({.name = volume,
                          .size_bytes = draft.trace(from.storage.count, "/database/storage"),
                          .origin = derived("/database")});
  instance.volumes.push_back({.volume = volume, .path = "/var/lib/postgresql/data"});
  plan.instances.push_back(std::move(instance));
}

void cache(Draft& draft) {
  const auto& from = draft.spec().cache;
  auto& plan = draft.plan;
  auto& to = plan.cache;
  to.enabled = draft.trace(from.engine == spec::Cache::Engine::redis, "/cache");
  if (!to.enabled) return;
  to.persistence = from.persistence;
  to.password = password(draft, from.external, "cache-password", "/cache");
  if (from.external) {
    to.host = from.external->host;
    to.port = from.external->port;
    to.tls = from.external->tls;
    return;
  }
  to.instance = draft.instance_names.take("cache");
  to.host = to.instance;
  Instance instance{.name = to.instance,
                    .role = Role::cache,
                    .command = from.persistence ? std::vector<std::string>{"--appendonly", "yes"}
                                                : std::vector<std::string>{"--save", ""},
                    .ports = {{.name = "redis",
                               .number = {6379, derived("/cache")},
                               .purpose = Port::Purpose::cache}},
                    .resources = modest(256),
                    .secrets = {{to.password, "/run/secrets/cache-password"}},
                    .uid = 999,
                    .origin = draft.origin("/cache")};
  const auto volume = draft.volume_names.take("cache-data");
  plan.volumes.push_back({.name = volume,
                          .size_bytes = {1024 * mebibyte, derived("/cache")},
                          .origin = derived("/cache")});
  instance.volumes.push_back({.volume = volume, .path = "/data"});
  plan.instances.push_back(std::move(instance));
}

}  // namespace

void plan_stores(Draft& draft) {
  database(draft);
  cache(draft);
}

}  // namespace caisson::plan
