#include <algorithm>
#include <array>

#include "generator/render/plan_report.h"
#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

using plan::Instance;

/// More of anything than this is for `--format json`.
constexpr std::size_t page = 40;

std::string byte_text(std::int64_t bytes) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> units{
      {{std::int64_t{1} << 40, "Ti"},
       {std::int64_t{1} << 30, "Gi"},
       {std::int64_t{1} << 20, "Mi"},
       {std::int64_t{1} << 10, "Ki"}}};
  for (const auto& [size, suffix] : units) {
    if (bytes >= size && bytes % size == 0) return std::to_string(bytes / size) + suffix;
  }
  return std::to_string(bytes);
}

std::string cpu_text(std::int64_t millis) {
  return millis % 1000 == 0 ? std::to_string(millis / 1000) : std::to_string(millis) + "m";
}

std::string duration_text(std::int64_t ms) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> units{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [size, suffix] : units) {
    if (ms >= size && ms % size == 0) return std::to_string(ms / size) + suffix;
  }
  return std::to_string(ms) + "ms";
}

template <class T>
std::string range_text(T low, T high, std::string (*text)(T)) {
  return low == high ? text(low) : text(low) + ".." + text(high);
}

std::string number_text(std::int64_t value) { return std::to_string(value); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Rows of a section with their columns aligned. The last column is the origin.
class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  void write(std::string& out, std::size_t indent) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows_) {
      std::string line(indent, ' ');
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
      }
      while (line.ends_with(' ')) line.pop_back();
      out += line + '\n';
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

class Report {
 public:
  Report(const plan::Plan& plan, const Locate& locate) : plan_(plan), locate_(locate) {}

  std::string write() {
    out_ = plan_.name.value + " " + plan_.version.value + " at " + plan_.domain.value;
    if (!plan_.environment.empty()) out_ += ", environment " + plan_.environment;
    out_ += '\n';
    tenants();
    instances();
    networks();
    volumes();
    secrets();
    routes();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string from(const Origin& origin) const {
    return "<- " + origin_text(origin, locate_);
  }
  template <class T>
  [[nodiscard]] std::string from(const plan::Traced<T>& traced) const {
    return from(Origin(traced.origin));
  }

  void heading(const std::string& text) { out_ += "\n" + text + "\n"; }

  void rest(std::size_t total) {
    if (total > page) {
      out_ += "  ... and " + std::to_string(total - page) + " more; --format json has them all\n";
    }
  }

  void tenants() {
    heading(plural(plan_.tenants.size(), "tenant"));
    Table table;
    for (std::size_t i = 0; i < std::min(page, plan_.tenants.size()); ++i) {
      const auto& tenant = plan_.tenants[i];
      auto isolation = std::string(name_of(tenant.provided));
      if (tenant.provided != tenant.isolation) {
        isolation += " (asked: " + std::string(name_of(tenant.isolation)) + ")";
      }
      table.row({tenant.slug + (tenant.suspended ? " (suspended)" : ""), tenant.tier, isolation,
                 "on " + tenant.instance, limits(tenant.limits), from(Origin(tenant.origin))});
    }
    table.write(out_, 2);
    rest(plan_.tenants.size());
    if (!plan_.tenants.empty()) {
      out_ += "  a tenant that leaves the spec is kept; the operator API deletes it\n";
    }
  }

  [[nodiscard]] static std::string limits(const plan::Limits& limits) {
    std::vector<std::string> words;
    if (limits.requests_per_second) {
      auto rate = decimal(limits.requests_per_second->value);
      if (rate.ends_with(".0")) rate.resize(rate.size() - 2);
      words.push_back(rate + "/s");
    }
    if (limits.concurrent) words.push_back(std::to_string(limits.concurrent->value) + " at once");
    if (limits.storage_bytes) words.push_back(byte_text(limits.storage_bytes->value));
    return words.empty() ? "no limits" : joined(words);
  }

  void instances() {
    heading(plural(plan_.instances.size(), "instance"));
    for (std::size_t i = 0; i < std::min(page, plan_.instances.size()); ++i) {
      instance(plan_.instances[i]);
    }
    rest(plan_.instances.size());
  }

  void instance(const Instance& instance) {
    const std::string role(name_of(instance.role));
    out_ += "  " + instance.name;
    if (role != instance.name) out_ += " (" + role + ")";
    if (instance.tenant) out_ += ", for tenant " + *instance.tenant + " alone";
    out_ += "  " + from(Origin(instance.origin)) + '\n';

    Table table;
    if (!instance.image.value.empty()) {
      table.row({"image", instance.image.value, from(instance.image)});
    }
    const auto& replicas = instance.replicas;
    table.row({"replicas", range_text(replicas.value.min, replicas.value.max, number_text),
               from(replicas)});
    const auto& amount = instance.resources;
    table.row({"cpu",
               range_text(amount.cpu_request_millis.value, amount.cpu_limit_millis.value, cpu_text),
               from(amount.cpu_limit_millis)});
    table.row(
        {"memory",
         range_text(amount.memory_request_bytes.value, amount.memory_limit_bytes.value, byte_text),
         from(amount.memory_limit_bytes)});
    for (const auto& port : instance.ports) {
      auto text = std::to_string(port.number.value);
      if (port.published) text += ", published";
      if (!port.network.empty()) text += ", on network " + port.network + " alone";
      table.row({"port " + port.name, text, from(port.number)});
    }
    for (const auto& variable : instance.env) {
      table.row({"env " + variable.name,
                 variable.secret.empty() ? variable.value.value : "secret " + variable.secret,
                 from(variable.value)});
    }
    table.row({"networks", joined(instance.networks)});
    if (!instance.needs.empty()) table.row({"needs", joined(instance.needs)});
    for (const auto& destination : instance.egress) {
      table.row({"may reach", destination.value, from(destination)});
    }
    table.write(out_, 6);
  }

  void networks() {
    heading(plural(plan_.networks.size(), "network"));
    Table table;
    for (std::size_t i = 0; i < std::min(page, plan_.networks.size()); ++i) {
      const auto& network = plan_.networks[i];
      table.row({network.name, network.internal ? "internal" : "reaches outside", network.purpose,
                 from(Origin(network.origin))});
    }
    table.write(out_, 2);
    rest(plan_.networks.size());
  }

  void volumes() {
    if (plan_.volumes.empty()) return;
    heading(plural(plan_.volumes.size(), "volume"));
    Table table;
    for (std::size_t i = 0; i < std::min(page, plan_.volumes.size()); ++i) {
      const auto& volume = plan_.volumes[i];
      table.row({volume.name, byte_text(volume.size_bytes.value), from(volume.size_bytes)});
    }
    table.write(out_, 2);
    rest(plan_.volumes.size());
  }

  void secrets() {
    if (plan_.secrets.empty()) return;
    heading(plural(plan_.secrets.size(), "secret"));
    Table table;
    for (std::size_t i = 0; i < std::min(page, plan_.secrets.size()); ++i) {
      const auto& secret = plan_.secrets[i];
      auto source = std::string(name_of(secret.source));
      source += secret.source == plan::Secret::Source::generate
                    ? " " + plural(static_cast<std::size_t>(secret.bytes), "byte")
                    : " " + secret.reference;
      if (secret.rotate_ms > 0) source += ", every " + duration_text(secret.rotate_ms);
      table.row({secret.name, source, from(Origin(secret.origin))});
    }
    table.write(out_, 2);
    rest(plan_.secrets.size());
  }

  void routes() {
    if (plan_.routes.empty()) return;
    heading(plural(plan_.routes.size(), "route") +
            ", first match wins; hidden: " + joined(plan_.edge.hidden));
    Table table;
    for (std::size_t i = 0; i < std::min(page, plan_.routes.size()); ++i) {
      const auto& route = plan_.routes[i];
      table.row({route.host + route.path_prefix, "-> " + route.instance + ":" + route.port,
                 from(Origin(route.origin))});
    }
    table.write(out_, 2);
    rest(plan_.routes.size());
  }

  const plan::Plan& plan_;
  const Locate& locate_;
  std::string out_;
};

}  // namespace

std::string plan_text(const plan::Plan& plan, const Locate& locate) {
  return Report(plan, locate).write();
}

}  // namespace caisson::render
