#include "generator/render/systemd_host.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/shell.h"
#include "generator/render/comment.h"
#include "generator/render/document_facts.h"
#include "generator/render/host_backup.h"
#include "generator/render/secret_facts.h"
#include "generator/render/unit_file.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Role;

/// A file whose lines are fields separated by blanks.
class Lines {
 public:
  Lines(std::string what, std::string_view header, const Origin& origin) : what_(std::move(what)) {
    text_.add(comment_lines(header), {origin});
  }

  void add(const std::vector<std::string>& fields, const LineOrigins& origins) {
    std::string line;
    for (const auto& field : fields) {
      auto word = unit_word(field, what_);
      if (!word && !failure_) failure_ = word.error();
      line += (line.empty() ? "" : " ") + word.value_or("");
    }
    text_.add(line + '\n', origins);
  }

  Result<Text> finish() {
    if (failure_) return tl::unexpected(*failure_);
    return std::move(text_);
  }

 private:
  std::string what_;
  Text text_;
  std::optional<Failure> failure_;
};

/// Secrets that a unit loads.
std::set<std::string_view> used_secrets(const plan::Plan& plan) {
  std::set<std::string_view> used;
  for (const auto& instance : plan.instances) {
    if (!SystemdLayout::runs(instance)) continue;
    for (const auto& mount : instance.secrets) used.insert(mount.secret);
    for (const auto& variable : instance.env) used.insert(variable.secret);
  }
  return used;
}

/// The files below `config/` and who reads them.
Node configurations(const plan::Plan& plan, const SystemdLayout& layout) {
  Node list{Node::List{}};
  const auto add = [&](const std::string& file, const std::string& group, const Origin& origin,
                       Node directory = false) {
    Node entry{Node::Map{}, origin};
    entry.add("file", file);
    entry.add("directory", std::move(directory));
    // The dashboard's has no secrets and no tenants, and its account comes and goes.
    entry.add("group", group.empty() ? "root" : group);
    entry.add("mode", group.empty() ? "0644" : "0640");
    list.push(std::move(entry));
  };
  for (const auto& instance : plan.instances) {
    const auto account = layout.account(instance);
    if (instance.role == Role::edge) add("Caddyfile", account, instance.origin);
    if (SystemdLayout::is_image(instance)) {
      add(SystemdLayout::hosts_file(instance), "", instance.origin);
    }
    if (instance.role != Role::runtime && instance.role != Role::dashboard) continue;
    add(instance.name + ".json", account, instance.origin);
    if (instance.role == Role::runtime) {
      const auto directory = SystemdLayout::tenants_directory(instance.name);
      add(directory + "/tenants.ndjson", account, instance.origin, directory);
    }
    if (instance.role == Role::runtime && !layout.backups().empty()) {
      add(instance.name + ".backup.json", account, plan.backup.schedule.origin);
    }
  }
  return list;
}

/// What the service of an instance reads when it starts, but for what it reads again by itself.
std::vector<std::string> reads(const Instance& instance, const SystemdLayout& layout) {
  std::vector<std::string> paths;
  if (SystemdLayout::is_image(instance)) {
    paths.push_back("/etc/systemd/system/" + layout.service(instance.name) + ".d/image.conf");
    paths.push_back(layout.config(SystemdLayout::hosts_file(instance)));
  } else if (instance.role == Role::service) {
    paths.push_back(layout.service_directory(instance));
  } else {
    const bool edge = instance.role == Role::edge;
    paths.push_back(layout.program(edge ? "caddy" : "caisson-runtime"));
    paths.push_back(layout.config(edge ? "Caddyfile" : instance.name + ".json"));
  }
  std::set<std::string_view> secrets;
  for (const auto& mount : instance.secrets) secrets.insert(mount.secret);
  for (const auto& variable : instance.env) secrets.insert(variable.secret);
  secrets.erase("");
  for (const auto secret : secrets) paths.push_back(layout.secret(secret));
  return paths;
}

/// The units that `install.sh` restarts when a file of theirs is another one than they started
/// with: all but those that are nothing but settings, which systemd applies by itself.
Node restartable(const plan::Plan& plan, const SystemdLayout& layout,
                 const std::vector<std::string>& units) {
  Node list{Node::List{}};
  const auto add = [&](const std::string& unit, const std::vector<std::string>& paths) {
    Node entry{Node::Map{}};
    entry.add("unit", unit);
    std::string words;
    for (const auto& path : paths) words += " " + path;
    entry.add("reads", words);
    list.push(std::move(entry));
  };
  for (const auto& unit : units) {
    const bool is_door = unit.ends_with(".service") && unit.find("_to_") != std::string::npos;
    if (unit.ends_with(".socket") || unit.ends_with(".timer") || is_door) add(unit, {});
  }
  for (const auto& instance : plan.instances) {
    if (SystemdLayout::runs(instance)) add(layout.service(instance.name), reads(instance, layout));
  }
  return list;
}

Node instance_facts(const Instance& instance, const SystemdLayout& layout) {
  Node entry{Node::Map{}, instance.origin};
  entry.add("instance", instance.name);
  entry.add("service", layout.service(instance.name));
  entry.add("unit", layout.unit(instance.name));
  entry.add("slice", layout.slice(instance));
  if (instance.tenant) entry.add("tenant", *instance.tenant);
  // A template looks for what is missing further out.
  const auto account = layout.account(instance);
  entry.add("account", account.empty() ? Node{false} : Node{account});
  entry.add("data",
            SystemdLayout::keeps_files(instance) ? Node{layout.data(instance.name)} : Node{false});
  // The edge's certificates stay as they are, whatever release runs.
  const bool edge = instance.role == Role::edge;
  entry.add("store",
            SystemdLayout::keeps_files(instance) && !edge ? Node{instance.name} : Node{false});
  entry.add("behind-edge", !edge);
  entry.add("memory", instance.resources.memory_limit_bytes.value / 1048576);
  return entry;
}

/// Where the runtime of a tenant keeps what is the tenant's.
void add_runtime_facts(Node& tenant, const plan::Plan& plan, const SystemdLayout& layout) {
  const auto name = *tenant.find("instance")->text();
  const auto runtime = std::ranges::find(plan.instances, name, &Instance::name);
  tenant.add("account", layout.account(*runtime));
  tenant.add("unit", layout.unit(name));
  tenant.add("data", layout.data(name));
  if (!layout.backups().empty()) tenant.add("backups", layout.backups() + "/" + name);
}

}  // namespace

Result<Text> sysusers(const plan::Plan& plan, const SystemdLayout& layout) {
  const Origin user = plan.targets.systemd_user.origin;
  const bool offers_metrics = plan.observability.metrics.value;
  Lines lines(
      "an account",
      "Accounts of " + plan.name.value +
          ": one for each unit that keeps files or shares a network, so that none can touch "
          "another's files or processes.\nMembers of the group " +
          layout.front_group() + " reach the data listeners: the proxy." +
          (offers_metrics
               ? " Those of " + layout.metrics_group() + " read metrics, and reach nothing else."
               : std::string{}),
      user);
  lines.add({"g", layout.front_group(), "-"}, {user});
  if (offers_metrics) lines.add({"g", layout.metrics_group(), "-"}, {user});
  if (std::ranges::any_of(plan.instances, [&](const Instance& instance) {
        return !layout.doors(instance).empty();
      })) {
    lines.add({"u", layout.door_account(), "-", plan.name.value + " doors", "-"}, {user});
  }
  for (const auto& instance : plan.instances) {
    const auto account = layout.account(instance);
    if (!SystemdLayout::runs(instance) || account.empty()) continue;
    const bool keeps = SystemdLayout::keeps_files(instance);
    lines.add({"u", account, "-", plan.name.value + " " + instance.name,
               keeps ? layout.data(instance.name) : "-"},
              {user, instance.origin});
  }
  return lines.finish();
}

Result<Text> tmpfiles(const plan::Plan& plan, const SystemdLayout& layout) {
  const auto& data = plan.targets.systemd_data;
  Lines lines("a directory", "Directories of " + plan.name.value + ", each its owner's alone.",
              data.origin);
  // Recursively, for the account may be another one than before, of the next version or of the one
  // to go back to.
  const auto add_owned = [&](const std::string& path, const std::string& account,
                             const std::vector<Origin>& origins) {
    lines.add({"d", path, "0700", account, account, "-", "-"}, origins);
    lines.add({"Z", path, "-", account, account, "-", "-"}, origins);
  };
  lines.add({"d", data.value, "0755", "root", "root", "-", "-"}, {data.origin});
  const bool saves = !layout.backups().empty();
  const Origin to = plan.backup.to.origin;
  if (saves) lines.add({"d", layout.backups(), "0755", "root", "root", "-", "-"}, {to});
  for (const auto& instance : plan.instances) {
    if (!SystemdLayout::runs(instance) || !SystemdLayout::keeps_files(instance)) continue;
    const auto account = layout.account(instance);
    add_owned(layout.data(instance.name), account, {data.origin, instance.origin});
    if (instance.role == Role::edge) {
      lines.add({"d", layout.edge_door(), "0755", "root", "root", "-", "-"},
                {data.origin, instance.origin});
    }
    if (instance.role != Role::runtime || !saves) continue;
    add_owned(layout.backups() + "/" + instance.name, account, {to, instance.origin});
  }
  return lines.finish();
}

Text hosts(const Instance& instance, const SystemdLayout& layout) {
  Text text;
  text.add("# Generated by Caisson.\n", {instance.origin});
  text.add("127.0.0.1 localhost " + instance.name + "\n::1 localhost\n", {instance.origin});
  const auto reached = layout.doors(instance);
  for (std::size_t i = 0; i < reached.size(); ++i) {
    text.add(SystemdLayout::door_address(instance, i) + " " + reached[i]->name + "\n",
             {Origin{Origin::Kind::derived, instance.origin.pointer + "/needs"}});
  }
  return text;
}

Node journald_conf(const plan::Plan& plan) {
  const auto& bytes = plan.observability.log_bytes;
  const auto& keep = plan.observability.log_keep;
  Node journal{Node::Map{}, bytes.origin};
  journal.add("Storage", "persistent");
  journal.add("Compress", true);
  journal.add("SystemMaxFileSize", bytes);
  journal.add("SystemMaxFiles", keep);
  journal.add("SystemMaxUse", {bytes.value * keep.value, bytes.origin});
  journal.add("ForwardToSyslog", false);
  Node tree{Node::Map{}, bytes.origin};
  tree.add("Journal", std::move(journal));
  return tree;
}

Node systemd_facts(const plan::Plan& plan, const SystemdLayout& layout,
                   const std::vector<std::string>& units) {
  Node data{Node::Map{}, plan.targets.systemd.origin};
  add_document_facts(data, plan, edge_door(plan));
  data.add("target", {layout.target(), plan.name.origin});
  data.add("prefix", plan.targets.systemd_prefix);
  data.add("prefix-word",
           {shell_word(plan.targets.systemd_prefix.value), plan.targets.systemd_prefix.origin});
  data.add("configurations", configurations(plan, layout));
  data.add("restartable", restartable(plan, layout, units));
  data.add("data-directory", plan.targets.systemd_data);
  data.add("group", {layout.front_group(), plan.targets.systemd_user.origin});
  if (plan.observability.metrics.value)
    data.add("metrics-group", {layout.metrics_group(), plan.targets.systemd_user.origin});
  data.add("secrets", {layout.secret(""), plan.targets.systemd_prefix.origin});
  data.add("unit-count", static_cast<std::int64_t>(units.size()));
  Node instances{Node::List{}};
  Node runtimes{Node::List{}};
  Node services{Node::List{}};
  std::set<std::string> directories;
  Node images{Node::List{}};
  Node programs{Node::List{}};
  for (const auto& instance : plan.instances) {
    if (!SystemdLayout::runs(instance)) continue;
    auto entry = instance_facts(instance, layout);
    if (SystemdLayout::is_image(instance)) {
      const auto image = layout.image(instance);
      entry.add("image", {image, instance.image.origin});
      entry.add("image-word", {shell_word(image), instance.image.origin});
      images.push(entry);
    } else if (instance.role == Role::service) {
      programs.push(entry);
      const auto directory = layout.service_directory(instance);
      if (directories.insert(directory).second) {
        Node place{Node::Map{}, instance.origin};
        place.add("directory", directory);
        services.push(std::move(place));
      }
    }
    if (instance.role == Role::runtime) {
      entry.add("token", instance.operator_token);
      entry.add("data-socket", layout.socket_path(instance.name, "data"));
      entry.add("operator-socket", layout.socket_path(instance.name, "operator"));
      entry.add("metrics-socket", plan.observability.metrics.value
                                      ? Node{layout.socket_path(instance.name, "metrics")}
                                      : Node{false});
      if (!layout.backups().empty()) {
        entry.add("backup-unit", backup_unit(plan, instance));
        entry.add("backups", layout.backups() + "/" + instance.name);
      }
      runtimes.push(entry);
    }
    if (instance.role == Role::edge) {
      data.add("edge-service", *entry.find("service"));
      data.add("edge-data", *entry.find("data"));
      data.add("door-name", instance.name + "_door");
      Node listeners{Node::List{}};
      for (const auto& port : {plan.edge.http, plan.edge.https}) {
        Node listener{Node::Map{}, port.origin};
        listener.add("port", port);
        listeners.push(std::move(listener));
      }
      data.add("listeners", std::move(listeners));
    }
    instances.push(std::move(entry));
  }
  data.add("instances", std::move(instances));
  data.add("runtimes", std::move(runtimes));
  data.add("has-images", !images.empty());
  if (!images.empty()) {
    data.add("service-images", std::move(images));
  }
  if (!programs.empty()) data.add("service-programs", std::move(programs));
  if (!services.empty()) data.add("services", std::move(services));
  if (!layout.backups().empty()) {
    data.add("backups", {layout.backups(), plan.backup.to.origin});
  }
  if (auto* first = data.find("first")) add_runtime_facts(*first, plan, layout);
  add_rotation_facts(data, plan, [&](const Instance& instance) {
    return SystemdLayout::runs(instance) ? layout.service(instance.name) : std::string();
  });
  add_secret_facts(data, plan, used_secrets(plan));
  return data;
}

}  // namespace caisson::render
