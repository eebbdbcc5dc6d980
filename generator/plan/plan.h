#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/plan/origin.h"
#include "generator/plan/settings.h"

namespace caisson::plan {

enum class Role : std::uint8_t {
  runtime,
  dashboard,
  service,
  database,
  cache,
  edge,
  prometheus,
  alertmanager,
  grafana,
  blackbox,  ///< asks the routes from outside
  certificates,
};

enum class Isolation : std::uint8_t { row, schema, database, deployment };

/// What an instance listens on. `number` is the container port; target `local` assigns its own.
struct Port {
  enum class Purpose : std::uint8_t { data, operator_api, http, https, database, cache, metrics };
  std::string name;  ///< IANA service name syntax (RFC 6335), at most 15 characters
  Traced<std::uint16_t> number;
  Purpose purpose = Purpose::data;
  bool published = false;  ///< reachable from outside the host; only ever true for the edge
  std::string network;     ///< the one network it listens on; empty: all of the instance
};

struct Resources {
  Traced<std::int64_t> cpu_request_millis;
  Traced<std::int64_t> cpu_limit_millis;
  Traced<std::int64_t> memory_request_bytes;
  Traced<std::int64_t> memory_limit_bytes;
  Traced<std::int64_t> pids{256, {}};         ///< process and thread limit
  std::optional<Traced<std::int64_t>> files;  ///< open files of a process; absent: the target's own
};

struct Replicas {
  std::int64_t min = 1;
  std::int64_t max = 1;  ///< above `min`: autoscaled
};

/// An environment variable: a literal, or a reference to a secret. Never both.
struct EnvVar {
  std::string name;
  Traced<std::string> value;  ///< exactly as written; each writer does its format's escaping
  std::string secret;         ///< name of a planned secret, or empty
};

/// A secret given to an instance as the file `/run/secrets/<name>`.
struct SecretMount {
  std::string secret;
  std::string path;
};

struct VolumeMount {
  std::string volume;
  std::string path;
  bool read_only = false;
};

/// A path in memory that an instance may write to; the rest of its root is read-only.
struct WritableMount {
  std::string path;
  Traced<std::int64_t> size_bytes;
  bool exec = true;
};

/// A configuration file given to an instance, read-only. Its text is made by the renderer.
struct ConfigMount {
  std::string config;  ///< "runtime.json", "Caddyfile"
  std::string path;
};

struct Health {
  enum class Kind : std::uint8_t { runtime_command, http, command, tcp };
  Kind kind = Kind::http;
  Traced<std::string> path;
  std::vector<std::string> command;
  std::int64_t interval_ms = 10'000;
  std::int64_t timeout_ms = 2'000;
  std::int64_t start_ms = 10'000;
  std::int64_t retries = 3;
};

/// Between two looks at a program of Caisson's own: asking costs it next to nothing, and whoever
/// waits for it starts that much sooner.
inline constexpr std::int64_t own_health_interval_ms = 2'000;
/// Connections for which an edge has files and memory without being given more: what `edge.limits`
/// has by default.
inline constexpr std::int64_t edge_connections = 8'000;

struct Build {
  std::string context;
  std::string dockerfile;
  std::vector<std::pair<std::string, std::string>> args;
};

struct Limits {
  std::optional<Traced<double>> requests_per_second;
  std::optional<Traced<std::int64_t>> burst;
  std::optional<Traced<std::int64_t>> concurrent;
  std::optional<Traced<std::int64_t>> body_bytes;
  std::optional<Traced<std::int64_t>> storage_bytes;
  std::optional<Traced<std::int64_t>> queue_messages;
  std::optional<Traced<std::int64_t>> sockets;
  std::optional<Traced<std::int64_t>> egress_connections;
};

/// A plan of the price list: what its tenants get unless they say otherwise.
struct Tier {
  std::string name;
  Traced<Isolation> isolation{Isolation::row};
  Isolation provided = Isolation::database;
  Traced<std::int64_t> retention_ms;
  Limits limits;
  Origin origin;
};

/// Where a tenant lives and what it may use; tier limits with the tenant's overrides applied.
struct TenantPlacement {
  std::string slug;
  std::string name;
  std::string tier;
  std::string owner;
  bool suspended = false;
  Isolation isolation = Isolation::row;      ///< as asked
  Isolation provided = Isolation::database;  ///< as given; never weaker than asked
  std::string instance;                      ///< name of the runtime instance that serves it
  std::string host;                          ///< "<slug>.<domain>"
  std::vector<std::string> domains;          ///< own domains
  Limits limits;
  std::int64_t retention_ms = 0;
  Origin origin;
};

/// One process or container kind of the stack. Names are final and unique (DNS labels).
struct Instance {
  std::string name;
  Role role = Role::service;
  std::optional<std::string> tenant;  ///< set when the instance belongs to one tenant alone
  Traced<std::string> image;          ///< empty: built from a generated Dockerfile
  std::optional<Build> build;
  std::vector<std::string> command;
  std::vector<Port> ports;
  Traced<Replicas> replicas;
  Resources resources;
  std::vector<EnvVar> env;
  std::vector<SecretMount> secrets;
  std::string operator_token;  ///< planned secret of its operator API; empty: it has none
  std::vector<VolumeMount> volumes;
  std::vector<ConfigMount> configs;
  std::vector<WritableMount> writable;
  bool memory_deny_write_execute = true;  ///< target systemd: no memory is writable and code
  bool proc_of_processes_alone = true;    ///< target systemd: of /proc the processes alone
  std::vector<std::string> networks;
  std::vector<std::string> needs;  ///< instances that must be healthy first
  std::optional<Health> health;
  std::vector<Traced<std::string>> egress;  ///< host:port; nothing else leaves
  std::int64_t uid = 10001;
  std::int64_t stop_grace_ms = 10'000;
  std::vector<std::string> local_command;  ///< how target `local` runs it; empty: left out there
  Traced<std::string> module;              ///< manifest of a service's module, or empty
  Origin origin;
};

/// A network. Internal networks have no way out of the host.
struct Network {
  std::string name;
  bool internal = true;
  std::optional<std::string> tenant;
  std::string purpose;  ///< one line, for the reader of `plan` and of the artifacts
  Origin origin;
};

struct Volume {
  std::string name;
  Traced<std::int64_t> size_bytes;
  std::optional<std::string> tenant;
  Origin origin;
};

/// A secret by reference. Values never enter the plan.
struct Secret {
  enum class Source : std::uint8_t {
    generate,
    file,
    env,
    kubernetes,
    external,
    sealed,
    vault,
    aws
  };
  std::string name;
  Source source = Source::generate;
  std::int64_t bytes = 32;     ///< generate
  std::string reference;       ///< file path, variable name, "store:key", vault path, ...
  std::int64_t rotate_ms = 0;  ///< 0: never
  std::optional<std::string> tenant;
  /// The question of a bundle and the answer to it with which the site has the secret; empty: it
  /// always has.
  std::string question{};
  std::string word{};
  bool internal = false;  ///< added by Caisson (operator token), not declared in the spec
  Origin origin;
};

/// What a service's manifest says that it serves.
struct Module {
  std::string service;  ///< as the spec names it
  Traced<std::string> manifest;
  std::vector<std::string> handlers;
  std::vector<std::string> types;     ///< paths of type definitions
  std::vector<std::string> versions;  ///< dates, RFC 3339 full-date
  std::vector<std::string> topics;
  Origin origin;
};

/// What the edge sends where. First match wins. `*.<domain>` is every other host right below the
/// domain,
/// `*` every other host.
struct Route {
  std::string host;
  std::string path_prefix;  ///< "" is every path
  std::string instance;
  std::string port;  ///< name of the instance's port
  std::optional<std::string> tenant;
  Origin origin;
};

/// The target-independent stack: final names, no defaults left, nothing about any target.
/// Everything that renderers write and conformance expects comes from here.
struct Plan {
  Traced<std::string> name;
  Traced<std::string> version;
  Traced<std::string> domain;
  std::string environment;  ///< empty without --env
  std::vector<Instance> instances;
  std::vector<Network> networks;
  std::vector<Volume> volumes;
  std::vector<Secret> secrets;
  std::vector<Module> modules;
  std::vector<Route> routes;
  std::vector<TenantPlacement> tenants;
  std::vector<Tier> tiers;
  Auth auth;
  std::optional<Oidc> oidc;
  RuntimeSettings runtime;
  Database database;
  Cache cache;
  Egress egress;
  Edge edge;
  Observability observability;
  Backup backup;
  std::vector<Asset> assets;
  Targets targets;
  std::vector<Patch> patches;
  std::vector<Waiver> waivers;
  ConformanceSettings conformance;

  [[nodiscard]] const Instance* instance(std::string_view name) const;
  [[nodiscard]] const TenantPlacement* tenant(std::string_view slug) const;
};

}  // namespace caisson::plan
