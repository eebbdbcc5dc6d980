#include "generator/render/helm.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/digest.h"
#include "generator/render/document_facts.h"
#include "generator/render/helm_release.h"
#include "generator/render/helm_schema.h"
#include "generator/render/helm_values.h"
#include "generator/render/helm_workload.h"
#include "generator/render/json.h"
#include "generator/render/observability.h"
#include "generator/render/people.h"
#include "generator/render/plan_report.h"
#include "generator/render/targets.h"
#include "generator/render/yaml.h"

namespace caisson::render {

namespace {

constexpr std::string_view templates = "helm/templates/";

std::string directory(const plan::Plan& plan) { return "helm/" + plan.name.value + "/"; }

/// Clusters of many vendors call themselves 1.31.2-eks-1234, which no bare bound matches: each gets
/// the lowest pre-release, ">=1.28" becomes ">=1.28.0-0".
std::string with_vendors(std::string_view constraint) {
  std::string out;
  for (std::size_t i = 0; i < constraint.size();) {
    const bool bound = constraint[i] == '<' || constraint[i] == '>' || constraint[i] == '^' ||
                       constraint[i] == '~';
    const auto digits = constraint.find_first_not_of("<>=^~ ", i);
    if (!bound || digits == std::string_view::npos) {
      out += constraint[i++];
      continue;
    }
    const auto end =
        std::min(constraint.find_first_not_of("0123456789.", digits), constraint.size());
    const auto version = constraint.substr(digits, end - digits);
    out += constraint.substr(i, end - i);
    const bool complete = end < constraint.size() &&
                          std::string_view("-x*").find(constraint[end]) != std::string_view::npos;
    i = end;
    if (version.empty() || complete) continue;
    for (auto dots = std::count(version.begin(), version.end(), '.'); dots < 2; ++dots) out += ".0";
    out += "-0";
  }
  return out;
}

Node chart(const plan::Plan& plan) {
  const plan::Origin origin{plan::Origin::Kind::derived, "/targets/helm"};
  Node node{Node::Map{}};
  node.add("apiVersion", {"v2", origin});
  node.add("name", plan.name);
  node.add("description",
           {plan.name.value + ", a multi-tenant deployment made by Caisson", plan.name.origin});
  node.add("type", {"application", origin});
  node.add("version", plan.version);
  node.add("appVersion", plan.version);
  node.add("kubeVersion", {with_vendors(plan.targets.cluster.kubernetes.value),
                           plan.targets.cluster.kubernetes.origin});
  return node;
}

/// Every workload of the chart with its namespace and its tenant, if it is one tenant's alone.
using Visit = std::function<void(const std::string& name, const Node& workload,
                                 const Node& namespace_, const Node& tenant)>;

void each_workload(const plan::Plan& plan, const Node& values, const Visit& visit) {
  for (const auto& [name, workload] : *values.find("workloads")->map()) {
    visit(name, workload, plan.targets.cluster.namespace_, Node{false});
  }
  for (const auto& [slug, tenant] : *values.find("tenants")->map()) {
    for (const auto& [name, workload] : *tenant.find("workloads")->map()) {
      visit(name, workload, *tenant.find("namespace"), Node{slug, tenant.origin()});
    }
  }
}

/// Replicas of a runtime at most: one while its tenants are in files.
std::int64_t most_runtimes(const plan::Plan& plan) {
  const auto found = std::ranges::find(plan.instances, plan::Role::runtime, &plan::Instance::role);
  return found == plan.instances.end() ? 1 : found->replicas.value.max;
}

/// Bytes of `text` as Helm's JSON writes it, which keeps HTML's characters apart.
std::int64_t json_bytes(std::string_view text) {
  std::int64_t count = 2;
  for (const char c : text) {
    const bool escaped = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
    const bool encoded = static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&';
    count += escaped ? 2 : encoded ? 6 : 1;
  }
  return count;
}

/// Bytes of `value` as Helm's toJson writes it.
std::int64_t json_bytes(const Node& value) {
  if (const auto* text = value.text()) return json_bytes(std::string_view(*text));
  std::int64_t count = 2;
  if (const auto* entries = value.map()) {
    for (const auto& [key, child] : *entries) {
      count += json_bytes(std::string_view(key)) + json_bytes(child) + 2;
    }
  } else if (const auto* items = value.list()) {
    for (const auto& item : *items) count += json_bytes(item) + 1;
  } else {
    count = static_cast<std::int64_t>(to_json_line(value).size());
  }
  return count;
}

/// A ConfigMap holds so many bytes, and the chart puts all that a workload reads into one.
Result<void> check_sizes(const plan::Plan& plan, const Node& values,
                         std::vector<Mistake>& mistakes) {
  constexpr std::int64_t most = 1'048'576;
  constexpr std::int64_t slug_of_each = 10;  // `"slug":"",`, which the template adds
  Result<void> result;
  each_workload(
      plan, values, [&](const std::string& name, const Node& workload, const Node&, const Node&) {
        const auto* config = workload.find("config");
        const auto* tenants = config == nullptr ? nullptr : config->find("tenants");
        if (!result || tenants == nullptr) return;
        const auto count = static_cast<std::int64_t>(tenants->map()->size());
        const auto bytes = json_bytes(*config) + count * slug_of_each;
        if (bytes <= most) return;
        const auto fit = count - (bytes - most) * count / json_bytes(*tenants) - 1;
        result = refuse(
            mistakes, {plan::Origin{plan::Origin::Kind::derived, "/tenants"}},
            {.what = "helm: the configuration of " + name + " has " + std::to_string(bytes) +
                     " bytes, and a ConfigMap holds " + std::to_string(most),
             .remedy =
                 "of its " + std::to_string(count) + " tenants about " +
                 std::to_string(std::max<std::int64_t>(fit, 0)) +
                 " fit: create the others with the operator API, or set targets.helm: false"});
      });
  return result;
}

/// A patch may not give a runtime more replicas than the schema lets anybody, nor hide that it is
/// one.
Result<void> check_replicas(const plan::Plan& plan, const Node& values,
                            std::vector<Mistake>& mistakes) {
  Result<void> result;
  each_workload(
      plan, values, [&](const std::string& name, const Node& workload, const Node&, const Node&) {
        const auto* planned = plan.instance(name);
        if (!result || planned == nullptr || planned->role != plan::Role::runtime) return;
        const auto& role = *workload.find("role");
        const auto* data = workload.at("/config/data");
        if (*role.text() != "runtime" || data == nullptr || data->empty()) {
          // What was taken away says no more by whom.
          const auto taken = std::ranges::find_if(plan.patches, [&](const plan::Patch& patch) {
            return patch.at.find("/" + name + "/config") != std::string::npos;
          });
          const bool is_role = *role.text() != "runtime" || taken == plan.patches.end();
          result = refuse(mistakes, is_role ? role.origin() : taken->origin,
                          {.what = "helm: " + name + " is a runtime, which keeps tenants' data",
                           .remedy = "leave its role and the directory of its data"});
          return;
        }
        for (const auto* end : {"min", "max"}) {
          const auto& replicas = *workload.at("/replicas/" + std::string(end));
          const auto* number = std::get_if<std::int64_t>(&replicas.value());
          if (number == nullptr || *number <= most_runtimes(plan)) continue;
          result = refuse(mistakes, replicas.origin(),
                          {.what = std::to_string(*number) + " replicas of " + name +
                                   " would each keep tenants in files of their own",
                           .remedy = "leave replicas at " + std::to_string(most_runtimes(plan))});
        }
      });
  return result;
}

/// Each tenant's namespace is its own: policies and labels are given to the whole of it.
Result<void> check_namespaces(const plan::Plan& plan, const Node& values,
                              std::vector<Mistake>& mistakes) {
  std::map<std::string, std::string> taken{{plan.targets.cluster.namespace_.value, "the release"}};
  const auto* tenants = values.find("tenants");
  if (tenants == nullptr) return {};
  for (const auto& [slug, place] : *tenants->map()) {
    const auto& name = *place.find("namespace");
    const auto [whose, is_free] = taken.emplace(*name.text(), "tenant '" + slug + "'");
    if (is_free) continue;
    auto done = refuse(mistakes, name.origin(),
                       {.what = "helm: the namespace " + *name.text() + " of tenant '" + slug +
                                "' is that of " + whose->second,
                        .remedy = "name another"});
    if (!done) return done;
  }
  return {};
}

/// What keeps something has a stable name and its claims from a StatefulSet alone.
Result<void> check_kinds(const plan::Plan& plan, const Node& values,
                         std::vector<Mistake>& mistakes) {
  Result<void> result;
  each_workload(plan, values,
                [&](const std::string& name, const Node& workload, const Node&, const Node&) {
                  const auto& kind = *workload.find("kind");
                  const auto* volumes = workload.find("volumes");
                  if (!result || volumes == nullptr || volumes->empty()) return;
                  if (*kind.text() == "StatefulSet") return;
                  const auto& changed = kind.origin().at.starts_with("/patches") ? kind : *volumes;
                  result = refuse(mistakes, changed.origin(),
                                  {.what = "helm: " + name + " keeps volumes, and no claim of " +
                                           "theirs is made for a " + *kind.text(),
                                   .remedy = "leave its kind a StatefulSet; a workload that keeps "
                                             "nothing mounts with 'mounts' what others made"});
                });
  return result;
}

/// The values of a plan with the patches of its spec, but for those that the schema refuses. Fails
/// when they are not what the schema says without any patch.
Result<Node> patched_values(const plan::Plan& plan, const Index& index,
                            const Blueprints& blueprints, Patches& patches, const Node& schema) {
  const auto source = HelmValues::load(plan, index, blueprints);
  if (!source) return tl::unexpected(source.error());
  auto values = source->tree();
  if (!values) return values;
  if (auto done = described_by(schema, *values, nullptr, patches.mistakes()); !done) {
    return tl::unexpected(done.error());
  }
  const auto described = [&](const Node& patched, const plan::Patch& patch,
                             std::vector<Mistake>& mistakes) {
    return described_by(schema, patched, &patch, mistakes);
  };
  if (auto done = patches.apply(directory(plan) + "values.yaml", *values, described); !done) {
    return tl::unexpected(done.error());
  }
  for (const auto check :
       {check_sizes, check_replicas, check_namespaces, check_kinds, helm::check_release}) {
    if (auto done = check(plan, *values, patches.mistakes()); !done) {
      return tl::unexpected(done.error());
    }
  }
  return values;
}

/// What `over` says differently from `base`; null where `base` alone has something.
Node difference(const Node& base, const Node& over) {
  Node out{Node::Map{}, over.origin()};
  for (const auto& [key, value] : *over.map()) {
    const auto* there = base.find(key);
    if (there != nullptr && *there == value) continue;
    const bool both = there != nullptr && there->map() != nullptr && value.map() != nullptr;
    out.add(key, both ? difference(*there, value) : value);
  }
  for (const auto& [key, value] : *base.map()) {
    if (over.find(key) == nullptr) out.add(key, Node{});
  }
  return out;
}

Artifact structured(const plan::Plan& plan, std::string_view name, std::string bytes, Node tree) {
  return {.path = directory(plan) + std::string(name),
          .bytes = std::move(bytes),
          .owner = "/targets/helm",
          .tree = std::make_shared<const Node>(std::move(tree))};
}

/// A blueprint as it is.
Text copied(const std::string& name, std::string_view bytes) {
  Text text;
  for (std::size_t line = 1; !bytes.empty(); ++line) {
    const auto length = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    text.add(bytes.substr(0, length),
             {{Origin::Kind::blueprint, name + ":" + std::to_string(line)}});
    bytes.remove_prefix(length);
  }
  return text;
}

std::string header(const plan::Plan& plan, std::string_view what) {
  return plan.name.value + " " + plan.version.value + ": " + std::string(what) +
         ". Generated by Caisson: change the spec, not this file.";
}

/// "statefulset/runtime", as kubectl names a workload.
std::string resource(const std::string& name, const Node& workload) {
  const auto* controller = workload.find("controller");
  const bool stateful = *workload.find("kind")->text() == "StatefulSet";
  return (stateful ? "statefulset/" : "deployment/") +
         (controller == nullptr ? name : *controller->text());
}

/// The secrets that the pods of a workload read when they start, as files and as variables.
std::set<std::string> secrets_read_by(const Node& workload) {
  std::set<std::string> read;
  if (const auto* files = workload.find("secrets")) {
    for (const auto& [secret, path] : *files->map()) read.insert(secret);
  }
  if (const auto* variables = workload.find("env")) {
    for (const auto& [name, variable] : *variables->map()) {
      if (const auto* secret = variable.find("secret")) read.insert(*secret->text());
    }
  }
  return read;
}

/// Where a secret is that somebody makes by hand: in the release's namespace, which others get it
/// from, and in that of each of its readers.
Node namespaces_of(const plan::Plan& plan, const Node& readers) {
  Node release{Node::Map{}};
  release.add("namespace", plan.targets.cluster.namespace_);
  Node found{Node::List{{std::move(release)}}};
  for (const auto& reader : *readers.list()) {
    const auto& namespace_ = *reader.find("namespace");
    if (std::ranges::any_of(*found.list(), [&](const Node& known) {
          return *known.find("namespace")->text() == *namespace_.text();
        })) {
      continue;
    }
    Node entry{Node::Map{}};
    entry.add("namespace", namespace_);
    found.push(std::move(entry));
  }
  return found;
}

/// Where a runtime is asked, and the Secret with the key in it that opens its operator API.
void add_listeners(Node& runtime, const plan::Plan& plan, const Node& values,
                   const std::string& name) {
  const auto instance = std::ranges::find(plan.instances, name, &plan::Instance::name);
  for (const auto& port : instance->ports) {
    runtime.add(port.name + "-port", {std::int64_t{port.number.value}, instance->origin});
  }
  const auto& token = instance->operator_token;
  const auto* secret = values.at("/secrets/" + token);
  const bool theirs = secret != nullptr && *secret->find("kind")->text() == "Existing";
  runtime.add("token", theirs ? *secret->find("name") : Node{token, instance->origin});
  runtime.add("token-key", theirs ? *secret->find("key") : Node{"value", instance->origin});
}

/// The oldest minor version of Kubernetes that a constraint begins with, "1.28" of ">=1.28"; empty
/// where it begins otherwise.
std::string oldest_of(std::string_view constraint) {
  constexpr std::string_view digits = "0123456789";
  const auto begin = constraint.find_first_not_of(">=^~ ");
  if (begin == std::string_view::npos || constraint.find("||") != std::string_view::npos) return {};
  const auto version = constraint.substr(begin);
  const auto dot = version.find_first_not_of(digits);
  if (dot == 0 || dot == std::string_view::npos || version[dot] != '.') return {};
  const auto end = std::min(version.find_first_not_of(digits, dot + 1), version.size());
  return end == dot + 1 ? std::string() : std::string(version.substr(0, end));
}

/// What runs, and the secrets that a new value changes, with the workloads that read each.
void add_workload_facts(Node& data, const plan::Plan& plan, const Node& values) {
  Node workloads{Node::List{}};
  Node runtimes{Node::List{}};
  Node claims{Node::List{}};
  Node copies{Node::List{}};
  Node scaled{Node::List{}};
  std::map<std::string, Node, std::less<>> readers;
  each_workload(
      plan, values,
      [&](const std::string& name, const Node& workload, const Node& place, const Node& tenant) {
        Node entry{Node::Map{}, workload.origin()};
        entry.add("instance", name);
        entry.add("namespace", place);
        entry.add("tenant", tenant);
        const auto controller = resource(name, workload);
        const auto set = controller.substr(controller.find('/') + 1);
        entry.add("resource", controller);
        entry.add("controller", set);
        entry.add("cronjob", helm::backup_job(name));
        if (values.find("autoscaling") != nullptr &&
            *workload.at("/replicas/min") != *workload.at("/replicas/max")) {
          auto range = entry;
          range.add("min", *workload.at("/replicas/min"));
          range.add("max", *workload.at("/replicas/max"));
          scaled.push(std::move(range));
        }
        if (const auto* volumes = workload.find("volumes")) {
          for (const auto& [volume, about] : *volumes->map()) {
            auto claim = entry;
            claim.add("claim", std::string(volume).append("-").append(set).append("-0"));
            claim.add("volume", volume);
            claim.add("size", *about.find("size"));
            claims.push(std::move(claim));
          }
        }
        if (const auto* backup = workload.find("backup")) {
          auto claim = entry;
          claim.add("claim", name + ".backup");
          const auto& volume = *backup->find("volume")->text();
          const auto planned = std::ranges::find(plan.volumes, volume, &plan::Volume::name);
          if (planned != plan.volumes.end()) {
            const auto bytes = helm::backup_bytes(plan, *planned);
            claim.add("size", {helm::byte_size(bytes.value), bytes.origin});
          }
          copies.push(std::move(claim));
        }
        for (const auto& secret : secrets_read_by(workload)) {
          readers.try_emplace(secret, Node{Node::List{}}).first->second.push(entry);
        }
        if (*workload.find("role")->text() == "runtime") {
          auto runtime = entry;
          add_listeners(runtime, plan, values, name);
          runtimes.push(std::move(runtime));
        }
        workloads.push(std::move(entry));
      });
  data.add("workloads", std::move(workloads));
  data.add("runtimes", std::move(runtimes));
  data.add("claims", std::move(claims));
  data.add("copies", std::move(copies));
  data.add("autoscaling", !scaled.empty());
  data.add("scaled", std::move(scaled));
  Node rotations{Node::List{}};
  for (auto& [name, places] : readers) {
    const auto* secret = values.at("/secrets/" + name);
    if (secret == nullptr) continue;
    Node entry{Node::Map{}, secret->origin()};
    entry.add("secret", name);
    const bool ours = *secret->find("kind")->text() == "Secret";
    const bool made = ours && secret->find("generate") != nullptr;
    entry.add("made", made);
    entry.add("by-hand", ours && !made);
    entry.add("brought", !ours);
    entry.add("namespaces", namespaces_of(plan, places));
    entry.add("places", std::move(places));
    rotations.push(std::move(entry));
  }
  if (!rotations.empty()) data.add("rotations", std::move(rotations));
}

/// The Secret with the certificate of a host, as the template names it.
std::string certificate_secret(const std::string& host) {
  constexpr std::size_t longest = 253;
  const auto name = (host.starts_with('*') ? "wildcard" + host.substr(1) : host) + "-tls";
  return name.size() <= longest ? name : sha256_hex(host) + "-tls";
}

/// The Secrets that the Ingress of each namespace reads.
Node certificates(const plan::Plan& plan, const Node& values) {
  Node secrets{Node::List{}};
  const auto add = [&](const Node& place, const Node& hosts) {
    for (const auto& [host, paths] : *hosts.map()) {
      Node entry{Node::Map{}, paths.origin()};
      entry.add("namespace", place);
      entry.add("secret", certificate_secret(host));
      secrets.push(std::move(entry));
    }
  };
  add(plan.targets.cluster.namespace_, *values.find("hosts"));
  for (const auto& [slug, tenant] : *values.find("tenants")->map()) {
    add(*tenant.find("namespace"), *tenant.find("hosts"));
  }
  return secrets;
}

/// What README.md and RUNBOOK.md may say. Values only; sentences live in the blueprints.
Node facts(const plan::Plan& plan, const Node& values) {
  const auto& cluster = plan.targets.cluster;
  Node data{Node::Map{}};
  const bool secure = plan.edge.tls.value != plan::Edge::Tls::off;
  // The Ingress controller's own.
  add_document_facts(data, plan,
                     {.secure = secure, .port = secure ? 443 : 80, .origin = plan.edge.tls.origin});
  add_workload_facts(data, plan, values);
  data.add("namespace", cluster.namespace_);
  data.add("kubernetes", cluster.kubernetes);
  if (auto oldest = oldest_of(cluster.kubernetes.value); !oldest.empty()) {
    data.add("oldest-kubernetes", {std::move(oldest), cluster.kubernetes.origin});
  }
  data.add("tls", secure);
  if (!cluster.issuer.value.empty()) data.add("issuer", cluster.issuer);
  data.add("certificates", certificates(plan, values));
  Node images{Node::List{}};
  const auto image = [&](const std::string& reference) {
    for (const auto& known : *images.list()) {
      if (*known.find("image")->text() == reference) return;
    }
    Node entry{Node::Map{}};
    entry.add("image", reference);
    images.push(std::move(entry));
  };
  const auto images_of = [&](const Node& workloads) {
    for (const auto& [name, workload] : *workloads.map()) image(*workload.find("image")->text());
  };
  images_of(*values.find("workloads"));
  Node tenants{Node::List{}};
  for (const auto& [slug, tenant] : *values.find("tenants")->map()) {
    images_of(*tenant.find("workloads"));
    Node entry{Node::Map{}};
    entry.add("slug", slug);
    entry.add("namespace", *tenant.find("namespace"));
    entry.add("pod-security", *tenant.find("podSecurity"));
    tenants.push(std::move(entry));
  }
  data.add("images", std::move(images));
  if (!tenants.empty()) {
    data.add("has-places", true);
    data.add("places", std::move(tenants));
  }

  std::map<std::string, Node> kinds;
  for (const auto& [name, secret] : *values.find("secrets")->map()) {
    Node entry{Node::Map{}};
    entry.add("secret", name);
    for (const auto& [key, value] : *secret.map()) entry.add(key, value);
    auto kind = *secret.find("kind")->text();
    if (kind == "Secret") kind = secret.find("generate") != nullptr ? "generated" : "given";
    kinds.try_emplace(kind, Node{Node::List{}}).first->second.push(std::move(entry));
  }
  for (auto& [kind, list] : kinds) data.add(kind, std::move(list));
  return data;
}

}  // namespace

Result<Artifacts> render_helm(const plan::Plan& plan, const Index& index,
                              const Blueprints& blueprints, Patches& patches) {
  auto schema = helm_values_schema(most_runtimes(plan));
  auto values = patched_values(plan, index, blueprints, patches, schema);
  if (!values) return tl::unexpected(values.error());
  auto about = chart(plan);
  if (auto done = patches.apply(directory(plan) + "Chart.yaml", about); !done) {
    return tl::unexpected(done.error());
  }

  Artifacts artifacts;
  const auto add = [&](std::string_view name, Text text) {
    artifacts.push_back(
        text_file(directory(plan) + std::string(name), std::move(text), "/targets/helm"));
  };
  auto data = facts(plan, *values);
  auto waivers = blueprints.yaml("helm/waivers.yaml");
  if (!waivers) return tl::unexpected(waivers.error());
  data.add("waivers", std::move(*waivers));
  for (const auto* name : {"README.md", "RUNBOOK.md", "SITE"}) {
    auto text = fill(blueprints, "helm/" + std::string(name), data);
    if (!text) return tl::unexpected(text.error());
    add(name, std::move(*text));
  }
  for (const auto& name : blueprints.names()) {
    if (!name.starts_with(templates) && name != "helm/.helmignore") continue;
    add(name.substr(std::string_view("helm/").size()), copied(name, *blueprints.text(name)));
  }
  auto bytes = to_yaml(about, header(plan, "the chart"));
  artifacts.push_back(structured(plan, "Chart.yaml", std::move(bytes), std::move(about)));
  bytes = to_yaml(*values, header(plan, "values of the chart"));
  artifacts.push_back(structured(plan, "values.yaml", std::move(bytes), std::move(*values)));
  if (plan.observability.metrics.value) {
    auto blueprint = blueprints.yaml("observability/rules.yaml");
    if (!blueprint) return tl::unexpected(blueprint.error());
    auto rules = cluster_rules(plan, *blueprint);
    if (auto done = patches.apply(directory(plan) + "rules.yaml", rules); !done) {
      return tl::unexpected(done.error());
    }
    bytes = to_yaml(rules, header(plan, "rules of Prometheus"));
    artifacts.push_back(structured(plan, "rules.yaml", std::move(bytes), std::move(rules)));
  }
  bytes = to_json(schema);
  artifacts.push_back(structured(plan, "values.schema.json", std::move(bytes), std::move(schema)));
  return artifacts;
}

Result<Artifact> helm_environment(const plan::Plan& base, const plan::Plan& environment,
                                  const Blueprints& blueprints, std::vector<Mistake>& mistakes,
                                  PatchedFiles* patched) {
  const auto schema = helm_values_schema(most_runtimes(base));
  Patches of_base(base);
  const auto under = patched_values(base, Index(base), blueprints, of_base, schema);
  if (!under) return tl::unexpected(under.error());
  Patches patches(environment);
  const auto over = patched_values(environment, Index(environment), blueprints, patches, schema);
  if (!over) return tl::unexpected(over.error());
  std::ranges::move(patches.mistakes(), std::back_inserter(mistakes));
  if (patched != nullptr) *patched = std::move(patches.files());
  auto tree = difference(*under, *over);
  auto bytes = to_yaml(tree, header(base, "values of environment '" + environment.environment +
                                              "', laid over values.yaml"));
  return structured(base, "values-" + environment.environment + ".yaml", std::move(bytes),
                    std::move(tree));
}

}  // namespace caisson::render
