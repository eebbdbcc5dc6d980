#include "generator/render/systemd_host.h"

#include <algorithm>
#include <optional>
#include <set>

#include "generator/render/comment.h"
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
  const auto add = [&](const std::string& file, const std::string& group, const Origin& origin) {
    Node entry{Node::Map{}, origin};
    entry.add("file", file);
    // The dashboard's has no secrets and no tenants, and its account comes and goes.
    entry.add("group", group.empty() ? "root" : group);
    entry.add("mode", group.empty() ? "0644" : "0640");
    list.push(std::move(entry));
  };
  for (const auto& instance : plan.instances) {
    const auto account = layout.account(instance);
    if (instance.role == Role::edge) add("Caddyfile", account, instance.origin);
    if (instance.role != Role::runtime && instance.role != Role::dashboard) continue;
    add(instance.name + ".json", account, instance.origin);
    if (instance.role == Role::runtime && !layout.backups().empty()) {
      add(instance.name + ".backup.json", account, plan.backup.schedule.origin);
    }
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
  if (const auto account = layout.account(instance); !account.empty()) {
    entry.add("account", account);
    entry.add("data", layout.data(instance.name));
  } else {
    // A template looks for what is missing further out.
    entry.add("account", false);
    entry.add("data", false);
  }
  entry.add("memory", instance.resources.memory_limit_bytes.value / 1048576);
  return entry;
}

}  // namespace

Result<Text> sysusers(const plan::Plan& plan, const SystemdLayout& layout) {
  const Origin user = plan.targets.systemd_user.origin;
  Lines lines("an account",
              "Accounts of " + plan.name.value +
                  ": one for each unit that keeps files, so that none can touch another's files or "
                  "processes.\nMembers of the group " +
                  layout.front_group() + " reach the data listeners: the proxy.",
              user);
  lines.add({"g", layout.front_group(), "-"}, {user});
  for (const auto& instance : plan.instances) {
    const auto account = layout.account(instance);
    if (!SystemdLayout::runs(instance) || account.empty()) continue;
    lines.add(
        {"u", account, "-", plan.name.value + " " + instance.name, layout.data(instance.name)},
        {user, instance.origin});
  }
  return lines.finish();
}

Result<Text> tmpfiles(const plan::Plan& plan, const SystemdLayout& layout) {
  const auto& data = plan.targets.systemd_data;
  Lines lines("a directory", "Directories of " + plan.name.value + ", each its owner's alone.",
              data.origin);
  lines.add({"d", data.value, "0755", "root", "root", "-", "-"}, {data.origin});
  const bool saves = !layout.backups().empty();
  const Origin to = plan.backup.to.origin;
  if (saves) lines.add({"d", layout.backups(), "0755", "root", "root", "-", "-"}, {to});
  for (const auto& instance : plan.instances) {
    const auto account = layout.account(instance);
    if (!SystemdLayout::runs(instance) || account.empty()) continue;
    lines.add({"d", layout.data(instance.name), "0700", account, account, "-", "-"},
              {data.origin, instance.origin});
    if (instance.role != Role::runtime || !saves) continue;
    lines.add({"d", layout.backups() + "/" + instance.name, "0700", account, account, "-", "-"},
              {to, instance.origin});
  }
  return lines.finish();
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
  const bool secure = plan.edge.tls.value != plan::Edge::Tls::off;
  const auto port = secure ? plan.edge.https.value : plan.edge.http.value;
  const bool usual = port == (secure ? 443 : 80);
  const auto scheme = std::string(secure ? "https://" : "http://");
  const auto suffix = usual ? std::string{} : ":" + std::to_string(port);

  Node data{Node::Map{}, plan.targets.systemd.origin};
  data.add("name", plan.name);
  data.add("version", plan.version);
  data.add("domain", plan.domain);
  data.add("url", {scheme + plan.domain.value + suffix, plan.domain.origin});
  data.add("edge", !plan.edge.instance.empty());
  data.add("secure", secure);
  data.add("target", {layout.target(), plan.name.origin});
  data.add("prefix", plan.targets.systemd_prefix);
  data.add("prefix-word",
           {shell_word(plan.targets.systemd_prefix.value), plan.targets.systemd_prefix.origin});
  data.add("configurations", configurations(plan, layout));
  data.add("data-directory", plan.targets.systemd_data);
  data.add("group", plan.targets.systemd_user);
  data.add("secrets", {layout.secret(""), plan.targets.systemd_prefix.origin});
  data.add("unit-count", static_cast<std::int64_t>(units.size()));
  Node instances{Node::List{}};
  Node runtimes{Node::List{}};
  Node services{Node::List{}};
  std::set<std::string> directories;
  for (const auto& instance : plan.instances) {
    if (!SystemdLayout::runs(instance)) continue;
    auto entry = instance_facts(instance, layout);
    if (instance.role == Role::service) {
      const auto directory = layout.service_directory(instance);
      if (directories.insert(directory).second) {
        Node place{Node::Map{}, instance.origin};
        place.add("directory", directory);
        services.push(std::move(place));
      }
    }
    if (instance.role == Role::runtime) {
      entry.add("data-socket", layout.socket_path(instance.name, "data"));
      if (!layout.backups().empty()) {
        entry.add("backup-unit", layout.unit(instance.name) + "_backup");
        entry.add("backups", layout.backups() + "/" + instance.name);
      }
      runtimes.push(entry);
    }
    instances.push(std::move(entry));
  }
  data.add("instances", std::move(instances));
  if (!runtimes.empty()) data.add("first-runtime", runtimes.list()->front());
  data.add("runtimes", std::move(runtimes));
  if (!services.empty()) data.add("services", std::move(services));
  if (!layout.backups().empty()) {
    data.add("backups", {layout.backups(), plan.backup.to.origin});
    data.add("backup-schedule", plan.backup.schedule);
    data.add("backup-keep", plan.backup.keep);
  }
  constexpr std::size_t page = 50;
  Node tenants{Node::List{}};
  for (const auto& tenant : plan.tenants) {
    if (tenants.list()->size() == page) break;
    Node entry{Node::Map{}, tenant.origin};
    entry.add("slug", tenant.slug);
    auto url = scheme;
    url.append(tenant.host).append(suffix);
    entry.add("url", std::move(url));
    entry.add("instance", tenant.instance);
    entry.add("service", layout.service(tenant.instance));
    tenants.push(std::move(entry));
  }
  if (!plan.tenants.empty()) data.add("first-tenant", tenants.list()->front());
  data.add("tenants", std::move(tenants));
  if (plan.tenants.size() > page) {
    data.add("more-tenants", static_cast<std::int64_t>(plan.tenants.size() - page));
  }
  add_secret_facts(data, plan, used_secrets(plan));
  return data;
}

}  // namespace caisson::render
