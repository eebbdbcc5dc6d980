#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generator/spec/values.h"
#include "installer/format/manifest.h"

namespace caisson::spec {

/// A map of the spec, in the order in which it was written.
template <class T>
using Map = std::vector<std::pair<std::string, T>>;

enum class Isolation : std::uint8_t { row, schema, database, deployment };

/// What a tenant may use. An absent limit is unlimited.
struct Limits {
  std::optional<Rate> requests;
  std::optional<std::int64_t> burst;
  std::optional<std::int64_t> concurrent;
  std::optional<Bytes> body;
  std::optional<Bytes> storage;
  std::optional<std::int64_t> queue;
  std::optional<std::int64_t> sockets;
  std::optional<std::int64_t> egress_connections;

  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Tier {
  Isolation isolation = Isolation::database;
  Limits limits;
  Duration retention;
};

struct Tenant {
  enum class Status : std::uint8_t { active, suspended };
  std::string slug;
  std::string name;  ///< the slug when the spec gives none
  std::string tier;
  std::string owner;
  std::vector<std::string> domains;
  Status status = Status::active;
  Limits limits;  ///< overrides of the tier's
  /// Where it was declared: a pointer into the merged spec, "/tenants/3". The rows of a file beside
  /// the spec stand there too, with their places in that file.
  std::string pointer;
};

struct Resources {
  Range<Cpu> cpu;       ///< request..limit
  Range<Bytes> memory;  ///< request..limit
};

/// One entry of an `env` map: a literal exactly as written, or the whole value `${secret:NAME}`.
struct EnvValue {
  std::string text;
  std::optional<SecretRef> secret;
};

enum class Module : std::uint8_t { records, events, memory, queue, pipelines };

struct Runtime {
  Image image;  ///< empty reference: the bundled one
  Range<std::int64_t> replicas{1, 1};
  Resources resources{{{20}, {1000}}, {{33'554'432}, {536'870'912}}};
  Bytes storage{1'073'741'824};
  std::vector<Module> modules;
  Duration drain{10'000};
  Map<EnvValue> env;
};

struct Dashboard {
  bool enabled = true;
  Range<std::int64_t> replicas{1, 1};
  Resources resources{{{5}, {200}}, {{16'777'216}, {67'108'864}}};
};

struct Build {
  std::string context;
  std::string dockerfile = "Dockerfile";
  Map<EnvValue> args;
};

struct Health {
  std::optional<std::string> path;
  std::vector<std::string> command;
  Duration interval{10'000};
  Duration timeout{2'000};
  std::int64_t retries = 3;
  Duration start{10'000};
};

struct ServiceStorage {
  std::string path;
  Bytes size{1'073'741'824};
};

/// A module manifest beside the spec, read and checked.
struct ModuleManifest {
  std::string path;
  std::vector<std::string> handlers;
  std::vector<std::string> types;  ///< paths of type definitions
  std::vector<std::string> versions;
  std::vector<std::string> topics;  ///< capabilities: queue topics
  std::vector<HostPort> egress;     ///< hosts the module calls
};

/// A path that a service may write to: memory, gone when it stops.
struct Writable {
  std::string path;
  Bytes size{268'435'456};
  bool exec = true;  ///< whether what is written there may be run
};

/// What a service may have at a time. An absent limit is that of whatever runs it.
struct ServiceLimits {
  std::int64_t processes = 4096;  ///< threads count
  std::optional<std::int64_t> files;
};

/// How a systemd unit confines a service beyond what every unit has.
struct ServiceUnit {
  enum class ProcSubset : std::uint8_t { all, pid };
  bool memory_deny_write_execute = false;
  ProcSubset proc_subset = ProcSubset::all;
};

struct Service {
  Image image;  ///< empty reference when `build` is set
  std::optional<Build> build;
  std::vector<std::string> command;
  std::optional<std::uint16_t> port;
  std::optional<Health> health;
  Map<EnvValue> env;
  std::vector<SecretRef> secrets;
  Range<std::int64_t> replicas{1, 1};
  Resources resources{{{100}, {500}}, {{67'108'864}, {268'435'456}}};
  std::optional<ServiceStorage> storage;
  std::int64_t user = 10001;
  std::vector<Writable> writable;
  ServiceLimits limits;
  ServiceUnit systemd;
  std::vector<std::string> needs;  ///< other services, "database", "cache"
  std::vector<HostPort> egress;
  std::optional<std::string> module;  ///< manifest path as written
  std::optional<ModuleManifest> manifest;
  bool replica_per_tenant = false;
  std::vector<std::string> local_command;  ///< empty: left out of target `local`
};

struct External {
  std::string host;
  std::uint16_t port = 0;
  std::string name;
  std::string user;
  std::optional<SecretRef> password;
  std::string tls;  ///< "verify-full", "require" or "off"
};

struct Database {
  enum class Engine : std::uint8_t { sqlite, postgres };
  Engine engine = Engine::sqlite;
  std::string version = "15";
  Bytes storage{10'737'418'240};
  Resources resources{{{250}, {1000}}, {{268'435'456}, {1'073'741'824}}};
  std::optional<External> external;
  std::int64_t pool = 10;
};

struct Cache {
  enum class Engine : std::uint8_t { none, redis };
  Engine engine = Engine::none;
  std::optional<External> external;
  bool persistence = false;
};

struct Tokens {
  enum class Algorithm : std::uint8_t { eddsa, es256, rs256, hs256 };
  std::string issuer;
  std::string audience;
  std::string jwks;  ///< URL or file; empty when `key` is set
  std::optional<SecretRef> key;
  std::vector<Algorithm> algorithms;
  std::string tenant_claim = "tid";
  Duration leeway;
};

struct Oidc {
  std::string issuer;
  std::string client_id;
  std::optional<SecretRef> client_secret;
  std::string tenant_from;
};

struct Auth {
  enum class Signal : std::uint8_t { subdomain, header, token };
  std::vector<Signal> resolve{Signal::subdomain, Signal::header, Signal::token};
  std::optional<Tokens> tokens;
  bool api_keys = true;
  std::optional<Oidc> oidc;
};

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
  Source source = Source::generate;
  std::int64_t bytes = 32;  ///< generate
  std::string path;         ///< file, vault
  std::string name;         ///< env, kubernetes
  std::string key;          ///< kubernetes, external
  std::string store;        ///< external
  std::string id;           ///< aws
  Duration rotate;          ///< 0: never
};

struct Edge {
  enum class Proxy : std::uint8_t { caddy, nginx, none };
  enum class TlsMode : std::uint8_t { acme, files, internal, off };
  struct Tls {
    TlsMode mode =
        TlsMode::internal;  ///< the default depends on the domain: see specs/reference.md
    std::string email;
    std::string ca;
    std::string ca_root;
    std::string cert;
    std::string key;
    /// In the place of `acme`, at a site that has no authority in reach: where it says that
    /// certificates come from, "files" or "internal". The mode is `internal` then.
    std::string asked{};
  };
  struct EdgeLimits {
    std::int64_t connections = 8'000;
    Bytes body{10'485'760};
    Bytes header{16'384};
    Duration timeout{60'000};
  };
  Proxy proxy = Proxy::caddy;
  std::uint16_t http = 80;
  std::uint16_t https = 443;
  Tls tls;
  EdgeLimits limits;
  bool hsts = false;
  std::vector<std::string> trust;  ///< CIDR blocks
};

struct Network {
  std::vector<std::string> egress;  ///< host:port or CIDR; empty: nothing leaves
  std::vector<std::string> dns;
};

struct AlertReceiver {
  enum class Kind : std::uint8_t { pagerduty, webhook, email };
  Kind kind = Kind::email;
  std::string address;              ///< email
  std::optional<SecretRef> secret;  ///< pagerduty, webhook
};

struct Observability {
  struct Prometheus {
    bool enabled = true;
    Duration retention{1'296'000'000};
    Bytes storage{10'737'418'240};
  };
  struct Slo {
    double availability = 0;  ///< percent; 0: none
    Duration p95;             ///< 0: none
  };
  struct Smtp {
    HostPort host;
    std::string from;  ///< empty: caisson@ the deployment's domain
    std::string user;  ///< empty: no authentication
    std::optional<SecretRef> password;
  };
  struct Alerts {
    std::vector<AlertReceiver> to;
    Slo slo;
    std::optional<Smtp> smtp;
  };
  struct Tracing {
    std::string otlp;
    double sample = 1.0;
  };
  struct Uptime {
    bool checks = true;
    std::optional<SecretRef> heartbeat;
  };
  struct Rotate {
    Bytes size{10'485'760};
    std::int64_t keep = 5;
  };
  struct Logs {
    enum class Level : std::uint8_t { trace, debug, info, warn, error };
    Level level = Level::info;
    Rotate rotate;
  };
  bool metrics = true;
  Prometheus prometheus;
  bool grafana = true;
  Alerts alerts;
  std::optional<Tracing> tracing;
  Uptime uptime;
  Logs logs;
};

struct Backup {
  std::string schedule;  ///< five-field cron
  std::int64_t keep = 7;
  std::string to;
  std::optional<SecretRef> encrypt;
};

struct Asset {
  std::string path;
  std::string to;
  std::string sha256;
  std::optional<Bytes> size;
  std::string description;
};

struct Targets {
  struct Docker {
    bool enabled = true;
  };
  struct Compose {
    bool enabled = true;
    std::string project;  ///< the deployment's name when the spec gives none
  };
  struct Helm {
    enum class Secrets : std::uint8_t { plain, external, sealed };
    bool enabled = true;
    std::string namespace_;
    std::string ingress_class;
    std::string storage_class;
    Secrets secrets = Secrets::plain;
    std::string issuer;
    std::string kubernetes = ">=1.28";
  };
  struct Systemd {
    bool enabled = true;
    std::string prefix;
    std::string data;
    std::string user;
  };
  struct Bundle {
    enum class For : std::uint8_t { compose, systemd, helm };
    bool enabled = false;
    std::vector<For> for_;
    std::string arch = "amd64";
    std::int64_t level = 9;
    std::optional<Bytes> part_size;
  };
  struct Local {
    bool enabled = true;
    std::uint16_t port = 18080;
  };
  struct Sdk {
    bool enabled = true;
  };
  Docker docker;
  Compose compose;
  Helm helm;
  Systemd systemd;
  Bundle bundle;
  Local local;
  Sdk sdk;
};

struct Patch {
  enum class Action : std::uint8_t { merge, set, remove };
  std::string file;
  std::string at;  ///< RFC 6901 pointer
  Action action = Action::merge;
  std::string value;  ///< JSON of what to merge or set
  std::int64_t expect = 1;
  std::string reason;
};

struct Waiver {
  std::string rule;
  std::string where;
  std::string reason;
  std::string until;  ///< "YYYY-MM-DD"; empty: for ever
};

struct Conformance {
  struct Exclusion {
    std::string probe;
    std::string reason;
    std::string until;
  };
  std::int64_t level = 2;
  Duration p95{500};
  double quiet_neighbour_ratio = 1.5;
  std::vector<Exclusion> exclude;
};

/// A deployment spec, decoded, defaulted and checked: what every later stage starts from. Only
/// `load` makes one, and only of a spec without errors.
struct Deployment {
  std::string name;
  std::string version;
  std::string domain;
  std::string environment;           ///< empty: the base spec
  Map<installer::Question> answers;  ///< what a site is asked for; answers stand in their places
  Map<Tier> tiers;
  std::vector<Tenant> tenants;
  Runtime runtime;
  Dashboard dashboard;
  Map<Service> services;
  Database database;
  Cache cache;
  Auth auth;
  Map<Secret> secrets;
  Edge edge;
  Network network;
  Observability observability;
  std::optional<Backup> backup;
  std::vector<Asset> assets;
  Targets targets;
  std::vector<Patch> patches;
  std::vector<Waiver> waivers;
  Conformance conformance;
};

}  // namespace caisson::spec
