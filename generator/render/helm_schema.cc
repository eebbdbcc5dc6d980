#include "generator/render/helm_schema.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/label.h"
#include "base/suggestion.h"
#include "generator/render/scalar_text.h"
#include "generator/spec/reserved.h"

namespace caisson::render {

namespace {

enum class Type : std::uint8_t { object, text, integer, number, boolean, texts, list, open };

/// A field of the values. `*` in its path is every name of a map; a path that begins with `#` is
/// below a definition that several places share.
struct Row {
  std::string_view path;
  Type type;
  std::string_view about;
  bool required = false;
  std::string_view words{};       ///< the values that there are, separated by spaces
  std::string_view definition{};  ///< what it looks like, when that is shared
};

constexpr auto object = Type::object;
constexpr auto text = Type::text;
constexpr auto integer = Type::integer;
constexpr auto number = Type::number;
constexpr auto boolean = Type::boolean;
constexpr auto texts = Type::texts;
constexpr auto list = Type::list;  ///< of what Kubernetes or a parent chart says
constexpr auto open = Type::open;  ///< a map whose keys are Kubernetes' own

/// Labels that no site writes: the chart's policies, Services and monitors select by them, so that
/// a pod that has one too many is on another's network or answers for another.
constexpr std::array<std::string_view, 6> own_labels{
    "caisson/",
    "network.caisson/",
    "reaches.caisson/",
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/part-of",
};

/// As a regular expression: prefixes, and whole names.
std::string own_label_pattern() {
  std::string pattern;
  for (const auto label : own_labels) {
    pattern += pattern.empty() ? "^(" : "|";
    for (const char c : label) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
    if (!label.ends_with('/')) pattern += '$';
  }
  return pattern + ")";
}

bool is_own_label(std::string_view key) {
  return std::ranges::any_of(own_labels, [key](std::string_view label) {
    return label.ends_with('/') ? key.starts_with(label) : key == label;
  });
}

/// Whether the values of the row become labels of objects of Kubernetes.
bool has_labels(const Row& row) {
  return row.type == Type::object && row.path.ends_with(".labels");
}
/// Whether it is a namespace that the chart makes, and gives policies and labels of its own.
bool is_made(const Row& row) { return row.path == "tenants.*.namespace"; }

/// Whether it is of the chart that this one is a part of, which may leave a value empty.
bool is_of_parent(const Row& row) { return row.path.starts_with("global"); }

constexpr bool required = true;

// clang-format off: one field a row reads like the table it is
constexpr Row rows[] = {
    {"name", text, "Name of the deployment; every object is labelled with it.", required},
    {"enabled", boolean, "Whether it is installed as a part of another chart, whose condition reads this."},
    {"version", text, "Version of the deployment; every object is labelled with it.", required},
    {"imagePullPolicy", text, "When images are pulled.", required, "Always IfNotPresent Never"},
    {"imageRegistry", text, "In front of every image; empty: as they are named.", required},
    {"global", open, "Values of the chart that this one is a part of: imageRegistry and imagePullSecrets are read."},
    {"global.imageRegistry", text, "In front of every image, before the chart's own."},
    {"global.imagePullSecrets", list, "Names of Secrets that open the registry, or maps with their name."},
    {"imagePullSecrets", object, "Names of the Secrets that open the registry.", required},
    {"imagePullSecrets.*", boolean, "Whether it is used."},
    {"pinnedImages", object, "References with a digest that images have at the site.", required},
    {"pinnedImages.*", text, "The reference of the image that the chart calls so."},
    {"tenantNetworks", object, "Networks of tenants with a deployment of their own that shared workloads are on."},
    {"tenantNetworks.*", boolean, "Whether shared workloads reach it."},
    {"clusterDomain", text, "Domain of the cluster's own names."},
    {"ipFamilyPolicy", text, "Which families of addresses Services have.", required, "SingleStack PreferDualStack RequireDualStack"},
    {"storageClass", text, "Class of the volumes; empty: the cluster's default.", required},
    {"images", object, "Images that no workload names.", required},
    {"images.runtime", text, "Runs helm test, and what other workloads than runtimes need before a start.", required},
    {"dns", object, "The resolver that pods may ask.", required},
    {"dns.namespace", text, "Its namespace.", required},
    {"dns.app", text, "Its label k8s-app.", required},
    {"objects", object, "What is added to every object.", required},
    {"objects.labels", object, "Labels.", required},
    {"objects.labels.*", text, "One label."},
    {"objects.annotations", object, "Annotations.", required},
    {"objects.annotations.*", text, "One annotation."},
    {"pods", object, "What is laid over the pod of every workload.", required, {}, "pod"},
    {"extraObjects", object, "Objects that the site adds, by any name.", required},
    {"extraObjects.*", open, "One object, as it is."},
    {"networkPolicies", boolean, "Whether there are network policies.", required},
    {"autoscaling", object, "How workloads with a range of replicas are scaled."},
    {"autoscaling.cpuPercent", integer, "Use of the requested processor that is aimed at.", required},
    {"helpers", object, "Resources of the checks before a start and of helm test.", required},
    {"helpers.requestedCpu", text, "Processor, requested.", required},
    {"helpers.cpu", text, "Processor, at most.", required},
    {"helpers.memory", text, "Memory, requested and at most.", required},
    {"helpers.ephemeralStorage", text, "Local disk, requested and at most.", required},
    {"metrics", object, "Who may read metrics.", required},
    {"metrics.enabled", boolean, "Whether there are ServiceMonitors, where the cluster knows them.", required},
    {"metrics.namespace", text, "Only pods of this namespace reach the metrics ports.", required},
    {"metrics.interval", text, "How often metrics are read.", required},
    {"metrics.labels", object, "Labels by which the Prometheus Operator picks ServiceMonitors and rules.", required},
    {"metrics.labels.*", text, "One label."},
    {"ingress", object, "The door to the deployment.", required},
    {"ingress.enabled", boolean, "Whether there are Ingresses.", required},
    {"ingress.className", text, "Which controller serves them; empty: the cluster's default.", required},
    {"ingress.controllerNamespace", text, "Only pods of this namespace reach what is behind them.", required},
    {"ingress.shut", boolean, "Whether they serve nobody, as while a release is tried out.", required},
    {"ingress.tls", boolean, "Whether they have certificates.", required},
    {"ingress.issuer", text, "ClusterIssuer of cert-manager; empty: the certificates are brought.", required},
    {"ingress.annotations", object, "Annotations of every Ingress.", required},
    {"ingress.annotations.*", text, "One annotation."},
    {"ingress.hidden", object, "Paths that are never reachable from outside.", required},
    {"ingress.hidden.*", boolean, "Whether it is hidden."},
    {"ingress.closed", text, "Name of the Service without endpoints behind the hidden paths.", required},

    {"secrets", object, "Where each secret comes from.", required},
    {"secrets.*", object, "One secret, by name."},
    {"secrets.*.kind", text, "What makes it: this chart (Secret), the External Secrets Operator, Sealed Secrets, or somebody else (Existing).", required, "Secret ExternalSecret SealedSecret Existing"},
    {"secrets.*.value", text, "Its first value, where there is none; Helm keeps it in the release. Empty: it is there already, or generated."},
    {"secrets.*.generate", integer, "Random bytes that a value is made of when there is none."},
    {"secrets.*.store", text, "ClusterSecretStore that has it."},
    {"secrets.*.name", text, "Name of the Secret that exists."},
    {"secrets.*.key", text, "Its key in the store or in the Secret that exists."},
    {"secrets.*.refresh", text, "How often the store is asked."},
    {"secrets.*.encrypted", text, "Its value as kubeseal encrypted it for the whole cluster; empty: it is there already."},

    {"workloads", object, "What all tenants share, by name.", required},
    {"workloads.*", object, "One workload.", false, {}, "workload"},
    {"hosts", object, "What the Ingress serves, by host.", required},
    {"hosts.*", object, "One host.", false, {}, "host"},
    {"tenants", object, "Tenants with a deployment of their own, by slug.", required},
    {"tenants.*", object, "One tenant."},
    {"tenants.*.namespace", text, "Its namespace, which this chart makes.", required},
    {"tenants.*.podSecurity", text, "Pod Security level that its namespace enforces.", required, "restricted baseline privileged"},
    {"tenants.*.quota", object, "Hard limits of its namespace.", required},
    {"tenants.*.quota.*", text, "One limit of the ResourceQuota."},
    {"tenants.*.limitRange", object, "What containers get that say nothing.", required},
    {"tenants.*.limitRange.default", object, "Limits.", required},
    {"tenants.*.limitRange.default.*", text, "One limit."},
    {"tenants.*.limitRange.defaultRequest", object, "Requests.", required},
    {"tenants.*.limitRange.defaultRequest.*", text, "One request."},
    {"tenants.*.workloads", object, "What runs for it alone, by name.", required},
    {"tenants.*.workloads.*", object, "One workload.", false, {}, "workload"},
    {"tenants.*.hosts", object, "What its Ingress serves, by host.", required},
    {"tenants.*.hosts.*", object, "One host.", false, {}, "host"},

    {"#pod.labels", object, "Labels."},
    {"#pod.labels.*", text, "One label."},
    {"#pod.annotations", object, "Annotations."},
    {"#pod.annotations.*", text, "One annotation."},
    {"#pod.spec", open, "Fields of the pod's specification, as nodeSelector, tolerations, affinity, priorityClassName; lists are replaced."},

    {"#host.*", object, "Where a path and everything below it goes."},
    {"#host.*.workload", text, "Name of the workload.", required},
    {"#host.*.port", text, "Name of its port.", required},

    {"#workload.kind", text, "What runs it.", required, "Deployment StatefulSet"},
    {"#workload.role", text, "Its part in the deployment.", required},
    {"#workload.controller", text, "Name of the StatefulSet, cut to what Kubernetes can label pods with."},
    {"#workload.headless", text, "Name of the Service that names its pods."},
    {"#workload.tenant", text, "The tenant that it runs for in the shared namespace."},
    {"#workload.image", text, "Its image.", required},
    {"#workload.maxUnavailable", integer, "Pods that a disruption may take at once.", required},
    {"#workload.command", texts, "Words in place of the image's entry point."},
    {"#workload.args", texts, "Words after the entry point."},
    {"#workload.replicas", object, "How many pods run.", required},
    {"#workload.replicas.min", integer, "At least.", required},
    {"#workload.replicas.max", integer, "At most; more than the least: scaled by processor use.", required},
    {"#workload.user", integer, "User and group that it runs as.", required},
    {"#workload.grace", integer, "Seconds between asking it to stop, or the end of its lame-duck-ms, and making it.", required},
    {"#workload.resources", object, "What it gets.", required},
    {"#workload.resources.requests", object, "What is set aside for it.", required},
    {"#workload.resources.requests.*", text, "One amount."},
    {"#workload.resources.limits", object, "What it never exceeds.", required},
    {"#workload.resources.limits.*", text, "One amount."},
    {"#workload.env", object, "Environment variables, by name."},
    {"#workload.env.*", object, "A value or a secret."},
    {"#workload.env.*.value", text, "The value, literally."},
    {"#workload.env.*.secret", text, "Name of the secret."},
    {"#workload.networks", object, "Networks that it is on: who it may talk to.", required},
    {"#workload.networks.*", boolean, "Whether it is on it."},
    {"#workload.ports", object, "What it listens on, by name.", required},
    {"#workload.ports.*", object, "One port."},
    {"#workload.ports.*.number", integer, "Its number.", required},
    {"#workload.ports.*.networks", object, "Networks whose members reach it.", required},
    {"#workload.ports.*.networks.*", boolean, "Whether they do."},
    {"#workload.ports.*.ingress", boolean, "Whether the Ingress controller reaches it.", required},
    {"#workload.ports.*.metrics", boolean, "Whether it is where metrics are read."},
    {"#workload.aliases", object, "Other namespaces where it goes by the same name: release, or tenant.SLUG."},
    {"#workload.aliases.*", boolean, "Whether it does."},
    {"#workload.egress", object, "What it may reach outside the cluster, by destination."},
    {"#workload.egress.*", object, "One destination."},
    {"#workload.egress.*.cidr", text, "Addresses of it.", required},
    {"#workload.egress.*.except", object, "Addresses among those that are not it."},
    {"#workload.egress.*.except.*", boolean, "Whether they are left out."},
    {"#workload.egress.*.port", integer, "Its port; without one: every port."},
    {"#workload.nameservers", object, "Resolvers that are asked after the cluster's own, by address."},
    {"#workload.nameservers.*", boolean, "Whether it is asked."},
    {"#workload.init", object, "Run to their end before it starts, by name."},
    {"#workload.init.*", object, "One of them."},
    {"#workload.init.*.args", texts, "Its words to caisson-runtime.", required},
    {"#workload.probes", object, "How its health is asked for."},
    {"#workload.probes.startup", object, "Before the other two begin.", false, {}, "probe"},
    {"#workload.probes.liveness", object, "Restarted when it fails.", false, {}, "probe"},
    {"#workload.probes.readiness", object, "Left out of its Services while it fails.", false, {}, "probe"},
    {"#workload.volumes", object, "What it keeps, by name."},
    {"#workload.volumes.*", object, "One volume."},
    {"#workload.volumes.*.path", text, "Where it is mounted.", required},
    {"#workload.volumes.*.size", text, "Its size.", required},
    {"#workload.volumes.*.existingClaim", text, "A claim that is there already, in place of one that is made."},
    {"#workload.mounts", object, "Volumes that the site adds, by the path where each is mounted."},
    {"#workload.mounts.*", open, "One volume, as configMap, secret or persistentVolumeClaim."},
    {"#workload.object", object, "What is added to its objects."},
    {"#workload.object.labels", object, "Labels."},
    {"#workload.object.labels.*", text, "One label."},
    {"#workload.object.annotations", object, "Annotations."},
    {"#workload.object.annotations.*", text, "One annotation."},
    {"#workload.pod", object, "What is laid over its pod.", false, {}, "pod"},
    {"#workload.serviceAccountAnnotations", object, "Annotations of its account."},
    {"#workload.serviceAccountAnnotations.*", text, "One annotation."},
    {"#workload.updateStrategy", open, "How its pods are replaced, as its kind says it."},
    {"#workload.backup", object, "When what it keeps is copied away."},
    {"#workload.backup.schedule", text, "When, as cron says it, in UTC.", required},
    {"#workload.backup.keep", integer, "Copies of each tenant that are kept, the newest.", required},
    {"#workload.backup.to", text, "Where the claim of the copies is mounted.", required},
    {"#workload.backup.size", text, "Size of one copy of everything; the claim has room for all that are kept, and one that is larger already stays as it is.", required},
    {"#workload.backup.volume", text, "The volume that is copied from.", required},
    {"#workload.backup.port", text, "The port of the operator API, which takes the snapshots.", required},
    {"#workload.backup.token", text, "The secret that opens it.", required},
    {"#workload.writable", object, "Paths in memory that it may write to; everything else is read-only."},
    {"#workload.writable.*", text, "Largest size."},
    {"#workload.secrets", object, "Secrets that it reads, by name."},
    {"#workload.secrets.*", text, "The file it reads it from, below /run/secrets."},
    {"#workload.files", object, "Files that it reads, by path."},
    {"#workload.files.*", text, "The text of one."},
    {"#workload.configPath", text, "The file that it reads `config` from, as JSON."},
    {"#workload.config", object, "Configuration of Caisson's own programs; the ports come from `ports`.", false, {}, "config"},

    {"#probe.http", text, "Path that answers 2xx."},
    {"#probe.tcp", boolean, "The port takes connections."},
    {"#probe.command", texts, "Command that succeeds."},
    {"#probe.port", text, "Name of the port that is asked."},
    {"#probe.period", integer, "Seconds between two looks.", required},
    {"#probe.timeout", integer, "Seconds until a look has failed.", required},
    {"#probe.failures", integer, "Failures in a row that count.", required},

    {"#config.deployment", text, "Name of the deployment.", required},
    {"#config.instance", text, "Name of the instance."},
    {"#config.domain", text, "Tenants answer right below it.", required},
    {"#config.data", text, "Directory of everything that is kept."},
    {"#config.threads", integer, "Event loops."},
    {"#config.modules", texts, "Built-in modules."},
    {"#config.lame-duck-ms", integer, "How long it serves on, no longer ready, when it is to stop: until nobody is sent to it."},
    {"#config.drain-ms", integer, "How long requests may take to finish when it stops."},
    {"#config.limits", object, "Limits of the server."},
    {"#config.limits.body", integer, "Largest body, in bytes."},
    {"#config.limits.header", integer, "Largest header of a request, in bytes."},
    {"#config.auth", object, "Who is believed."},
    {"#config.auth.resolve", texts, "Signals that name the tenant.", required},
    {"#config.auth.api-keys", boolean, "Whether API keys are taken.", required},
    {"#config.auth.tokens", object, "Tokens that are taken."},
    {"#config.auth.tokens.issuer", text, "Who issues them.", required},
    {"#config.auth.tokens.audience", text, "Whom they are for.", required},
    {"#config.auth.tokens.key-file", text, "File of the key that verifies them."},
    {"#config.auth.tokens.jwks-file", text, "File of the issuer's key set."},
    {"#config.auth.tokens.algorithms", texts, "Algorithms that are taken.", required},
    {"#config.auth.tokens.tenant-claim", text, "Claim that names the tenant.", required},
    {"#config.auth.tokens.leeway-ms", integer, "Tolerated difference of clocks.", required},
    {"#config.operator", object, "The operator API."},
    {"#config.operator.token-file", text, "File of its bearer token.", required},
    {"#config.proxy", object, "What is in front."},
    {"#config.proxy.trust", texts, "Networks whose forwarded headers count.", required},
    {"#config.log", object, "The log."},
    {"#config.log.level", text, "Least level that is written.", required},
    {"#config.database", object, "The database server; without one every tenant has files of its own."},
    {"#config.database.engine", text, "What it is.", required},
    {"#config.database.host", text, "Where it is.", required},
    {"#config.database.port", integer, "Its port.", required},
    {"#config.database.name", text, "Name of the database.", required},
    {"#config.database.user", text, "Role that is used.", required},
    {"#config.database.password-file", text, "File of its password.", required},
    {"#config.database.tls", text, "How the connection is protected."},
    {"#config.database.pool", integer, "Connections at most.", required},
    {"#config.cache", object, "The cache server."},
    {"#config.cache.engine", text, "What it is.", required},
    {"#config.cache.host", text, "Where it is.", required},
    {"#config.cache.port", integer, "Its port.", required},
    {"#config.cache.password-file", text, "File of its password."},
    {"#config.cache.tls", text, "How the connection is protected."},
    {"#config.tiers", object, "What tenants get, by tier."},
    {"#config.tiers.*", object, "One tier."},
    {"#config.tiers.*.isolation", text, "How its tenants are kept apart.", required},
    {"#config.tiers.*.retention-ms", integer, "How long a deleted tenant is kept.", required},
    {"#config.tiers.*.limits", object, "What its tenants may use.", required, {}, "limits"},
    {"#config.tenants", object, "Tenants that there are from the start, by slug."},
    {"#config.tenants.*", object, "One tenant."},
    {"#config.tenants.*.name", text, "Its name for people."},
    {"#config.tenants.*.tier", text, "Its tier.", required},
    {"#config.tenants.*.owner", text, "Whom to write to."},
    {"#config.tenants.*.status", text, "Whether it is served.", required, "active suspended"},
    {"#config.tenants.*.domains", texts, "Domains of its own."},
    {"#config.tenants.*.limits", object, "Where it differs from its tier.", false, {}, "limits"},
    {"#config.tenants.*.deployment-url", text, "Where its own deployment answers."},

    {"#limits.requests-per-second", number, "Requests a second."},
    {"#limits.burst", integer, "Requests at once after a pause."},
    {"#limits.concurrent", integer, "Requests at a time."},
    {"#limits.body", integer, "Largest body, in bytes."},
    {"#limits.storage", integer, "Bytes that are kept."},
    {"#limits.queue", integer, "Messages that wait."},
    {"#limits.sockets", integer, "Open WebSockets."},
    {"#limits.egress-connections", integer, "Connections to the outside."},
};
// clang-format on

const plan::Origin origin{plan::Origin::Kind::derived, "/targets/helm"};

std::vector<std::string_view> split(std::string_view joined, char by) {
  std::vector<std::string_view> parts;
  while (!joined.empty()) {
    const auto end = joined.find(by);
    parts.push_back(joined.substr(0, end));
    joined.remove_prefix(end == std::string_view::npos ? joined.size() : end + 1);
  }
  return parts;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::object:
    case Type::open:
      return "object";
    case Type::text:
      return "string";
    case Type::integer:
      return "integer";
    case Type::number:
      return "number";
    case Type::boolean:
      return "boolean";
    case Type::texts:
    case Type::list:
      break;
  }
  return "array";
}

/// A map of one entry.
Node single(std::string key, Node value) {
  Node node{Node::Map{}, origin};
  node.add(std::move(key), std::move(value));
  return node;
}

/// That a key is there.
Node has(const char* key) { return single("required", Node{Node::List{{key, origin}}, origin}); }

Node object_schema() {
  Node node{Node::Map{}, origin};
  node.add("type", {"object", origin});
  node.add("additionalProperties", {false, origin});
  return node;
}

/// "pull", or { name: pull }.
Node name_or_reference() {
  const auto name = [] {
    Node node = single("type", {"string", origin});
    node.add("minLength", {1, origin});
    return node;
  };
  Node reference = has("name");
  reference.merge(object_schema());
  reference.add("properties", single("name", name()));
  Node ways{Node::List{}, origin};
  ways.push(name());
  ways.push(std::move(reference));
  return single("anyOf", std::move(ways));
}

Node schema_of(const Row& row) {
  Node node{Node::Map{}, origin};
  node.add("description", {row.about, origin});
  if (!row.definition.empty()) {
    // A reference stands alone in draft 7: what is beside it is ignored.
    Node reference{Node::Map{}, origin};
    reference.add("$ref", {"#/definitions/" + std::string(row.definition), origin});
    node.add("allOf", Node{Node::List{std::move(reference)}, origin});
    return node;
  }
  if (is_of_parent(row)) {
    node.add("type", Node{Node::List{{name_of(row.type), origin}, {"null", origin}}, origin});
  } else {
    node.add("type", {name_of(row.type), origin});
  }
  if (row.type == Type::object || row.type == Type::open) {
    node.add("additionalProperties", {row.type == Type::open, origin});
  }
  if (has_labels(row)) {
    node.add("propertyNames", single("not", single("pattern", {own_label_pattern(), origin})));
  }
  if (is_made(row)) {
    const auto pattern = "^(" + std::string(spec::namespaces_of_kubernetes) + "|" +
                         std::string(spec::default_namespace) + "$)";
    node.add("not", single("pattern", {pattern, origin}));
    node.add("pattern", {"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", origin});
  }
  if (row.type == Type::integer || row.type == Type::number) node.add("minimum", {0, origin});
  if (row.type == Type::texts) {
    node.add("items", single("type", {"string", origin}));
  }
  if (row.type == Type::list && is_of_parent(row)) node.add("items", name_or_reference());
  if (!row.words.empty()) {
    Node words{Node::List{}, origin};
    for (const auto word : split(row.words, ' ')) words.push({word, origin});
    node.add("enum", std::move(words));
  }
  return node;
}

/// The schema below `parent` of the segment, which an earlier row has put there.
Node* below(Node* parent, std::string_view segment) {
  if (segment == "*") return parent->find("additionalProperties");
  auto* properties = parent->find("properties");
  return properties == nullptr ? nullptr : properties->find(segment);
}

void put(Node& parent, std::string_view name, const Row& row) {
  if (name == "*") {
    parent.set("additionalProperties", schema_of(row));
    return;
  }
  if (parent.find("properties") == nullptr) parent.add("properties", Node{Node::Map{}, origin});
  parent.find("properties")->add(std::string(name), schema_of(row));
  if (!row.required) return;
  if (parent.find("required") == nullptr) parent.add("required", Node{Node::List{}, origin});
  parent.find("required")->push({name, origin});
}

/// Of a runtime, which alone is told where it keeps data, no more replicas run than the spec
/// allows, whatever a site calls it.
void cap_runtimes(Node& workload, std::int64_t replicas) {
  const auto at_most = [&] { return single("maximum", {replicas, origin}); };
  Node bounds{Node::Map{}, origin};
  bounds.add("min", at_most());
  bounds.add("max", at_most());
  Node runtime = single("replicas", single("properties", std::move(bounds)));
  runtime.add("role", single("const", {"runtime", origin}));
  // A site may take either of them away.
  Node named = has("role");
  named.add("properties", single("role", single("const", {"runtime", origin})));
  Node keeps = has("config");
  keeps.add("properties", single("config", has("data")));
  Node either{Node::List{}, origin};
  either.push(std::move(named));
  either.push(std::move(keeps));
  workload.add("if", single("anyOf", std::move(either)));
  workload.add("then", single("properties", std::move(runtime)));
}

/// What keeps volumes is a StatefulSet: nothing else makes their claims.
void keep_in_sets(Node& workload) {
  Node some = single("volumes", single("minProperties", {1, origin}));
  Node keeps = has("volumes");
  keeps.add("properties", std::move(some));
  Node rule{Node::Map{}, origin};
  rule.add("if", std::move(keeps));
  rule.add("then", single("properties", single("kind", single("const", {"StatefulSet", origin}))));
  workload.add("allOf", Node{Node::List{std::move(rule)}, origin});
}

/// What a secret of some kind cannot be without.
void need_of_kinds(Node& secret) {
  Node kinds{Node::List{}, origin};
  for (const auto& [kind, other] : {std::pair{"Existing", "name"}, {"ExternalSecret", "store"}}) {
    Node rule{Node::Map{}, origin};
    rule.add("if", single("properties", single("kind", single("const", {kind, origin}))));
    Node needed{Node::List{}, origin};
    for (const auto* key : {other, "key"}) needed.push({key, origin});
    rule.add("then", single("required", std::move(needed)));
    kinds.push(std::move(rule));
  }
  secret.add("allOf", std::move(kinds));
}

/// A schema with the definition that it refers to in its place.
const Node& resolved(const Node& root, const Node& schema) {
  const auto* reference = schema.at("/allOf/0/$ref");
  return reference == nullptr ? schema : *root.at(reference->text()->substr(1));
}

bool is_of(std::string_view type, const Node& value) {
  if (type == "object") return value.map() != nullptr;
  if (type == "array") return value.list() != nullptr;
  if (type == "string") return value.text() != nullptr;
  if (type == "boolean") return std::holds_alternative<bool>(value.value());
  const bool whole = std::holds_alternative<std::int64_t>(value.value());
  return whole || (type == "number" && std::holds_alternative<double>(value.value()));
}

/// Helm writes values as YAML to hold them against their schema, and then reads neither a long key
/// nor the control characters of Latin-1; of those, a next line becomes a blank in what it renders.
bool can_be_read_by_helm(std::string_view of, bool is_key) {
  if (is_key && of.size() > 1000) return false;
  for (std::size_t at = 0; at < of.size();) {
    const auto scalar = next_scalar(of, at);
    if (scalar >= 0x7f && scalar < 0xa0) return false;
  }
  return true;
}

Result<void> unreadable(const std::string& place, const Node& value,
                        std::vector<Mistake>& mistakes) {
  return refuse(mistakes, value.origin(),
                {.what = "helm: values.yaml:" + place + " holds what Helm does not read",
                 .remedy = "leave U+007f to U+009f out, and mount at paths of at most 1000 bytes, "
                           "or set targets.helm: false"});
}

std::string_view word_for(std::string_view type) {
  if (type == "object") return "a map";
  if (type == "array") return "a list";
  if (type == "string") return "text";
  if (type == "boolean") return "true or false";
  return type == "integer" ? "a whole number" : "a number";
}

/// Holds values against their schema.
class Checker {
 public:
  Checker(const Node& root, const plan::Patch* patch, std::vector<Mistake>& mistakes)
      : root_(root), patch_(patch), mistakes_(mistakes) {}

  Result<void> check(const Node& unresolved, const Node& value, const std::string& place) {
    const auto& schema = resolved(root_, unresolved);
    const auto* types = schema.find("type");
    if (types == nullptr) return name_or_map(value, place);
    const auto& type = types->text() != nullptr ? *types->text() : *types->list()->front().text();
    if (!is_of(type, value)) {
      if (types->list() != nullptr && value.is_null()) return {};
      return misfit(value,
                    "values.yaml:" + place + " is not of the type that its schema says: " + type,
                    "write " + std::string(word_for(type)));
    }
    if (value.text() != nullptr && !can_be_read_by_helm(*value.text(), false))
      return unreadable(place, value, mistakes_);
    if (schema.find("not") != nullptr) {
      if (spec::is_of_the_cluster(*value.text()))
        return misfit(value, "values.yaml:" + place + " is a namespace of the cluster's own",
                      "name another");
      if (!is_label(*value.text()))
        return misfit(value, "values.yaml:" + place + " is no name of a namespace",
                      "write at most 63 letters of a-z, digits and '-' between them");
    }
    if (const auto* items = schema.find("items"); items != nullptr) {
      for (std::size_t i = 0; i < value.list()->size(); ++i) {
        auto done = check(*items, (*value.list())[i], place + "/" + std::to_string(i));
        if (!done) return done;
      }
    }
    if (value.map() == nullptr) return {};
    for (const auto step : {&Checker::required, &Checker::entries}) {
      if (auto done = (this->*step)(schema, value, place); !done) return done;
    }
    return {};
  }

 private:
  Result<void> name_or_map(const Node& value, const std::string& place) {
    const auto* name = value.map() == nullptr ? &value : value.find("name");
    const bool alone = value.map() == nullptr || value.map()->size() == 1;
    if (alone && name != nullptr && name->text() != nullptr && !name->text()->empty()) return {};
    return misfit(value, "values.yaml:" + place + " names no Secret", "write its name");
  }

  Result<void> required(const Node& schema, const Node& value, const std::string& place) {
    const auto* names = schema.find("required");
    if (names == nullptr) return {};
    for (const auto& name : *names->list()) {
      if (value.find(*name.text()) != nullptr) continue;
      auto done = misfit(
          value, "values.yaml:" + place + " has no '" + *name.text() + "', which templates read",
          "leave it there; `set` gives it another value");
      if (!done) return done;
    }
    return {};
  }

  Result<void> entries(const Node& schema, const Node& value, const std::string& place) {
    const auto* properties = schema.find("properties");
    const auto* others = schema.find("additionalProperties");
    const bool any = others->value() == Node{true}.value();  // others know what else is in it
    for (const auto& [key, child] : *value.map()) {
      const auto* known = properties == nullptr ? nullptr : properties->find(key);
      if (known == nullptr && any) continue;
      const auto at = place + "/" + pointer_segment(key);
      if (schema.find("propertyNames") != nullptr && is_own_label(key)) {
        auto done = misfit(
            child,
            "values.yaml:" + at + " is a label by which the chart selects what may reach what",
            "use a label of your own; 'needs' of a service says what it reaches");
        if (!done) return done;
        continue;
      }
      if (!can_be_read_by_helm(key, true)) {
        if (auto done = unreadable(place, child, mistakes_); !done) return done;
      }
      if (known == nullptr && others->map() != nullptr) known = others;
      auto done =
          known != nullptr
              ? check(*known, child, at)
              : misfit(child, "values.yaml:" + at + " is not in the schema of the chart's values",
                       instead_of(key, properties));
      if (!done) return done;
    }
    return {};
  }

  static std::string instead_of(std::string_view key, const Node* properties) {
    std::vector<std::string_view> known;
    if (properties != nullptr)
      for (const auto& entry : *properties->map()) known.push_back(entry.first);
    const auto meant = closest(key, known);
    return meant.empty() ? (known.empty() ? "no template reads it"
                                          : "no template reads it; there is " + any_of(known))
                         : "did you mean '" + std::string(meant) + "'?";
  }

  /// Of a patch it is the spec's mistake; a blueprint is whoever's replaced it.
  Result<void> misfit(const Node& value, std::string what, std::string remedy) {
    if (patch_ == nullptr) {
      const auto& from = value.origin();
      if (from.kind == Origin::Kind::blueprint)
        return fail("blueprint " + from.at + ": " + std::move(what), std::move(remedy));
      return fail(std::move(what), "this is a bug of Caisson or of a replaced blueprint");
    }
    mistakes_.push_back({.code = "E0307",
                         .pointer = patch_->origin.pointer,
                         .message = std::move(what),
                         .remedy = std::move(remedy)});
    return {};
  }

  const Node& root_;
  const plan::Patch* patch_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

Node helm_values_schema(std::int64_t runtime_replicas) {
  Node root{Node::Map{}, origin};
  root.add("$schema", {"http://json-schema.org/draft-07/schema#", origin});
  root.add("title", {"Values of the chart", origin});
  root.merge(object_schema());
  Node definitions{Node::Map{}, origin};
  for (const auto& row : rows) {
    auto segments = split(row.path, '.');
    auto* parent = &root;
    if (segments.front().starts_with('#')) {
      const auto name = std::string(segments.front().substr(1));
      parent = definitions.find(name);
      if (parent == nullptr) parent = &definitions.add(name, object_schema());
      segments.erase(segments.begin());
    }
    for (std::size_t i = 0; i + 1 < segments.size(); ++i) parent = below(parent, segments[i]);
    put(*parent, segments.back(), row);
  }
  cap_runtimes(*definitions.find("workload"), runtime_replicas);
  keep_in_sets(*definitions.find("workload"));
  need_of_kinds(*root.find("properties")->find("secrets")->find("additionalProperties"));
  root.add("definitions", std::move(definitions));
  return root;
}

Result<void> described_by(const Node& schema, const Node& values, const plan::Patch* patch,
                          std::vector<Mistake>& mistakes) {
  return Checker(schema, patch, mistakes).check(schema, values, "");
}

}  // namespace caisson::render
