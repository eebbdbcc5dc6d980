#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "generator/plan/plan.h"

namespace caisson::render {

/// How the instances of one target reach each other and find their files. What is the same on every
/// target (runtime.json, the edge's routes) is written once against this.
class Site {
 public:
  Site() = default;
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  virtual ~Site() = default;

  /// Where an instance listens: "[::]:8080".
  [[nodiscard]] virtual std::string listen(const plan::Instance& instance,
                                           const plan::Port& port) const = 0;
  /// Where the others find it: "runtime:8080".
  [[nodiscard]] virtual std::string reach(const plan::Instance& instance,
                                          const plan::Port& port) const = 0;
  /// The file of a secret, as an instance's configuration names it.
  [[nodiscard]] virtual std::string secret_file(std::string_view secret) const = 0;
  /// The data directory, as an instance's configuration names it.
  [[nodiscard]] virtual std::string data_directory(const plan::Instance& instance) const = 0;
  /// Networks of the proxies in front of the runtime.
  [[nodiscard]] virtual std::vector<std::string> proxies() const = 0;
  /// A configuration file, as the instance's arguments name it.
  [[nodiscard]] virtual std::string config_file(const plan::Instance& instance,
                                                const plan::ConfigMount& mount) const;
  /// The file of an instance's tenants, which it reads again when it changes, as its configuration
  /// names it; empty: the tenants are in the configuration, and a change of them is one of it.
  [[nodiscard]] virtual std::string tenants_file(const plan::Instance&) const { return {}; }
  /// Where Prometheus reads whom it asks for uptime, again when that changes; empty: in its own
  /// configuration.
  [[nodiscard]] virtual std::string uptime_file() const { return {}; }
  /// The edge speaks plain HTTP here, whatever the spec says.
  [[nodiscard]] virtual bool plain_edge() const { return false; }
  /// The name of an instance stands for the addresses of all its replicas.
  [[nodiscard]] virtual bool resolves_replicas() const { return false; }
};

/// A target that runs containers: they find each other by name, and their files where the images
/// expect them.
class ContainerSite : public Site {
 public:
  [[nodiscard]] std::string reach(const plan::Instance& instance,
                                  const plan::Port& port) const override {
    return instance.name + ":" + std::to_string(port.number.value);
  }
  [[nodiscard]] std::string secret_file(std::string_view secret) const override {
    return "/run/secrets/" + std::string(secret);
  }
  [[nodiscard]] std::string data_directory(const plan::Instance& instance) const override {
    return instance.volumes.front().path;
  }
};

/// Look-ups into a plan that stay constant time with 10,000 tenants. Points into the plan.
class Index {
 public:
  explicit Index(const plan::Plan& plan);

  /// Null when there is no such instance.
  [[nodiscard]] const plan::Instance* instance(std::string_view name) const;
  [[nodiscard]] const plan::Tier* tier(std::string_view name) const;
  /// The tenants that the runtime instance serves, in the order of the plan.
  [[nodiscard]] const std::vector<const plan::TenantPlacement*>& tenants(
      std::string_view instance) const;

 private:
  std::unordered_map<std::string_view, const plan::Instance*> instances_;
  std::unordered_map<std::string_view, const plan::Tier*> tiers_;
  std::unordered_map<std::string_view, std::vector<const plan::TenantPlacement*>> tenants_;
};

/// The first port with that purpose; null when there is none.
[[nodiscard]] const plan::Port* port_for(const plan::Instance& instance,
                                         plan::Port::Purpose purpose);
[[nodiscard]] const plan::Port* port_named(const plan::Instance& instance, std::string_view name);

}  // namespace caisson::render
