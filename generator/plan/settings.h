#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/plan/origin.h"

namespace caisson::plan {

/// Signals that name a tenant and how callers prove who they are.
struct Auth {
  bool by_subdomain = true;
  bool by_header = true;
  bool by_token = true;
  bool api_keys = true;
  bool tokens = false;
  std::string issuer;
  std::string audience;
  std::string jwks;        ///< URL or file; empty when `key_secret` is set
  std::string key_secret;  ///< name of a planned secret
  std::vector<std::string> algorithms;
  std::string tenant_claim = "tid";
  std::int64_t leeway_ms = 0;
};

/// Sign-in of people to the dashboard.
struct Oidc {
  std::string issuer;
  std::string client_id;
  std::string client_secret;  ///< name of a planned secret
  std::string tenant_from;
};

/// What the runtime instances have in common.
struct RuntimeSettings {
  std::vector<Traced<std::string>> modules;
  Traced<std::int64_t> drain_ms;
};

/// The database of the pooled tenants. Without a server every tenant has its own SQLite file.
struct Database {
  enum class Engine : std::uint8_t { sqlite, postgres };
  Traced<Engine> engine;
  std::string version;   ///< major version of the server
  std::string instance;  ///< planned instance that serves it; empty: SQLite or an external server
  std::string host;      ///< of the server, planned or external
  std::uint16_t port = 5432;
  std::string name;
  std::string user;
  std::string password;  ///< name of a planned secret
  std::string tls;       ///< mode of an external server's TLS; empty inside the stack
  std::int64_t pool = 0;
};

/// Shared rate limits and cache across replicas.
struct Cache {
  Traced<bool> enabled;
  std::string instance;  ///< planned instance that serves it; empty: none or an external server
  std::string host;
  std::uint16_t port = 6379;
  std::string password;  ///< name of a planned secret
  std::string tls;
  bool persistence = false;
};

/// What the runtime instances may reach outside the stack.
struct Egress {
  std::vector<Traced<std::string>> allowed;  ///< host:port or CIDR; empty: nothing leaves
  std::vector<Traced<std::string>> dns;
};

/// The one door to the stack. `instance` is empty when the deployment brings its own proxy.
struct Edge {
  enum class Proxy : std::uint8_t { caddy, nginx, none };
  enum class Tls : std::uint8_t { acme, files, internal, off };
  Traced<Proxy> proxy;
  std::string instance;
  Traced<std::uint16_t> http;   ///< published port
  Traced<std::uint16_t> https;  ///< published port; unused without TLS
  Traced<Tls> tls;
  Traced<std::string> email;  ///< of the ACME account
  Traced<std::string> ca;     ///< ACME directory; empty: the proxy's own default
  std::string ca_root;        ///< name of a planned secret: who vouches for `ca`; empty: the system
  std::string certificate;    ///< name of a planned secret; TLS mode `files`
  std::string key;            ///< name of a planned secret; TLS mode `files`
  /// Of a bundle whose site is asked: where its certificates come from, "files" or "internal".
  std::string asked;
  Traced<std::int64_t> connections;
  Traced<std::int64_t> body_bytes;
  Traced<std::int64_t> header_bytes;
  Traced<std::int64_t> timeout_ms;
  Traced<bool> hsts;
  std::vector<Traced<std::string>> trust;  ///< networks whose forwarded headers count
  /// Paths of the data listeners that are never reachable from outside.
  std::vector<std::string> hidden{"/ask", "/livez", "/readyz"};
};

struct AlertReceiver {
  enum class Kind : std::uint8_t { pagerduty, webhook, email };
  Kind kind = Kind::email;
  std::string target;  ///< address, or the name of a planned secret
};

/// The Grafana dashboards of every deployment that has a Grafana.
inline constexpr std::string_view dashboards[] = {"overview", "tenant", "queue",
                                                  "store",    "edge",   "connections"};

/// How e-mail of Alertmanager leaves.
struct Smtp {
  Traced<std::string> host;  ///< host:port; empty: the mail exchanger of the address's own domain
  Traced<std::string> from;
  Traced<std::string> user;  ///< empty: no authentication
  std::string password;      ///< name of a planned secret, or empty
};

struct Observability {
  Traced<bool> metrics;
  Traced<bool> prometheus;
  Traced<std::int64_t> prometheus_retention_ms;
  Traced<std::int64_t> prometheus_storage_bytes;
  Traced<bool> grafana;
  std::vector<AlertReceiver> alerts;
  Smtp smtp;
  Traced<double> slo_availability;  ///< percent; 0: none
  Traced<std::int64_t> slo_p95_ms;  ///< 0: none
  Traced<std::string> otlp;         ///< empty: no traces
  Traced<double> sample;
  Traced<bool> uptime_checks;
  std::string heartbeat;  ///< name of a planned secret, or empty
  Traced<std::string> log_level;
  Traced<std::int64_t> log_bytes;  ///< of one log file before it is rotated
  Traced<std::int64_t> log_keep;
};

struct Backup {
  Traced<std::string> schedule;  ///< cron; empty: no backups
  Traced<std::int64_t> keep;
  Traced<std::string> to;
  std::string encrypt;  ///< name of a planned secret, or empty
};

/// A large file that travels with the deployment.
struct Asset {
  std::string path;
  std::string to;
  std::string sha256;
  std::string description;
  Origin origin;
};

/// What the chart needs to know of the cluster.
struct HelmSettings {
  enum class Secrets : std::uint8_t { plain, external, sealed };
  Traced<std::string> namespace_;     ///< of the release; a tenant's own begins with it
  Traced<std::string> ingress_class;  ///< empty: the cluster's default
  Traced<std::string> storage_class;  ///< empty: the cluster's default
  Traced<Secrets> secrets;
  Traced<std::string> issuer;      ///< ClusterIssuer of cert-manager; empty: none
  Traced<std::string> kubernetes;  ///< versions that the chart accepts: ">=1.28"
};

/// What the spec asks of each target. Renderers of a target read their own part only.
struct Targets {
  Traced<bool> docker;
  Traced<bool> compose;
  Traced<bool> helm;
  Traced<bool> systemd;
  Traced<bool> local;
  Traced<bool> bundle;
  bool bundle_compose = false;  ///< a bundle brings the compose project to sites
  Traced<bool> sdk;
  Traced<std::string> compose_project;
  HelmSettings cluster;
  Traced<std::string> systemd_prefix;  ///< directory of programs and configuration
  Traced<std::string> systemd_data;    ///< directory of every unit's data
  Traced<std::string> systemd_user;    ///< first part of the accounts of the units
  Traced<std::uint16_t> local_port;    ///< first of the ports that target `local` uses
};

/// A change to a generated file that the spec asks for. `value` is JSON.
struct Patch {
  enum class Action : std::uint8_t { merge, set, remove };
  std::string file;
  std::string at;  ///< RFC 6901 pointer; a segment `*` matches every element
  Action action = Action::merge;
  std::string value;
  std::int64_t expect = 1;
  std::string reason;
  Origin origin;
};

/// A finding that the deployment accepts, and why.
struct Waiver {
  std::string rule;
  std::string where;
  std::string reason;
  std::string until;  ///< date, RFC 3339 full-date; empty: for good
  Origin origin;
};

/// What conformance is asked to show.
struct ConformanceSettings {
  struct Exclusion {
    std::string probe;
    std::string reason;
    std::string until;
  };
  std::int64_t level = 2;
  std::int64_t p95_ms = 500;
  double quiet_neighbour_ratio = 1.5;
  std::vector<Exclusion> exclude;
};

}  // namespace caisson::plan
