#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/mistake.h"
#include "generator/render/site.h"

namespace caisson::render {

/// Where a timer keeps backups on a host; empty when the spec asks for none.
[[nodiscard]] std::string host_backups(const plan::Plan& plan);

/// Where everything of a deployment is on a host of target `systemd`, and what it is called there.
class SystemdLayout {
 public:
  /// `plan` outlives the layout.
  explicit SystemdLayout(const plan::Plan& plan) : plan_(plan) {}

  /// It is a mistake when a directory of the spec holds what not every directive of a unit file can
  /// carry, and when the door to a service has no port in the network of one that needs it.
  [[nodiscard]] Result<void> check(std::vector<Mistake>& mistakes) const;

  /// Whether a unit runs the instance: the rest has no program without a container.
  [[nodiscard]] static bool runs(const plan::Instance& instance);
  /// Whether it is a service that is an image, which gets a root directory and a network of its
  /// own. One with a local command is a program of the host.
  [[nodiscard]] static bool is_image(const plan::Instance& instance);
  /// The services that an instance needs and reaches through a door: every need of a service where
  /// one of the two is an image.
  [[nodiscard]] std::vector<const plan::Instance*> doors(const plan::Instance& instance) const;
  /// "acme-web_to_api", without a suffix: what hands the connections on.
  [[nodiscard]] std::string door(const plan::Instance& from, const plan::Instance& to) const;
  /// Where `instance` finds the door to the `number`th of its `doors`: its own for an image, for
  /// others the address where a program would listen.
  [[nodiscard]] static std::string door_address(const plan::Instance& instance, std::size_t number);

  /// "acme-runtime", without a suffix.
  [[nodiscard]] std::string unit(std::string_view instance) const;
  [[nodiscard]] std::string service(std::string_view instance) const;
  /// "acme-runtime-data.socket".
  [[nodiscard]] std::string socket(std::string_view instance, std::string_view port) const;
  [[nodiscard]] std::string target() const { return plan_.name.value + ".target"; }
  /// The slice of the whole deployment, and below it one for what is shared and one a tenant with a
  /// deployment of its own.
  [[nodiscard]] std::string slice() const;
  [[nodiscard]] std::string slice(const plan::Instance& instance) const;

  /// Whether the instance has a directory below `data`.
  [[nodiscard]] static bool keeps_files(const plan::Instance& instance);

  /// Whom the instance runs as: at most 31 characters, as useradd(8) allows. Empty for one that
  /// keeps no files and shares no network: systemd makes an account for as long as it runs. Not so
  /// for those that share a network: `DynamicUser=` implies `PrivateTmp=`, which
  /// `JoinsNamespaceOf=` shares along with the network.
  [[nodiscard]] std::string account(const plan::Instance& instance) const;
  /// The group whose members reach the data listeners: the proxy in front. Like every name of an
  /// account or a group, at most 31 characters.
  [[nodiscard]] std::string front_group() const;

  /// Whose processes the doors are. No account has its name: names of instances hold no underscore.
  [[nodiscard]] std::string door_account() const;

  /// The group whose members read metrics, and reach no other listener.
  [[nodiscard]] std::string metrics_group() const;

  [[nodiscard]] std::string program(std::string_view name) const;
  [[nodiscard]] std::string config(std::string_view file) const;
  /// Of a runtime, below `config`; it is watched as a directory, in which the file is replaced.
  [[nodiscard]] static std::string tenants_directory(std::string_view instance);
  /// The directory of a product's own service, by its name in the spec.
  [[nodiscard]] std::string service_directory(const plan::Instance& instance) const;
  /// The reference of a service's image, as every target names it.
  [[nodiscard]] std::string image(const plan::Instance& instance) const;
  /// Of a service that is an image: what the installer makes of it.
  [[nodiscard]] std::string image_directory(const plan::Instance& instance) const;
  /// Of the same: the file below `config` that names whom it reaches.
  [[nodiscard]] static std::string hosts_file(const plan::Instance& instance);
  [[nodiscard]] std::string secrets() const;  ///< the directory of `secret`
  [[nodiscard]] std::string secret(std::string_view name) const;
  [[nodiscard]] std::string data(std::string_view instance) const;
  /// Root's own, of the edge: while `closed` is in it, the edge lets nothing through. No instance
  /// has a name like it.
  [[nodiscard]] std::string edge_door() const { return data(plan_.edge.instance) + "_door"; }
  [[nodiscard]] std::string sockets(std::string_view instance) const;
  [[nodiscard]] std::string socket_path(std::string_view instance, std::string_view port) const;
  [[nodiscard]] std::string credentials(std::string_view unit) const;
  /// Where backups go on this host; empty when the spec asks for none.
  [[nodiscard]] std::string backups() const;

 private:
  [[nodiscard]] Result<void> check_doors(std::vector<Mistake>& mistakes) const;

  const plan::Plan& plan_;
};

/// The site as one instance sees it: secrets are credentials of its own unit.
class SystemdSite final : public Site {
 public:
  SystemdSite(const SystemdLayout& layout, std::string_view instance)
      : layout_(layout), instance_(instance) {}

  [[nodiscard]] std::string listen(const plan::Instance& instance,
                                   const plan::Port& port) const override;
  [[nodiscard]] std::string reach(const plan::Instance& instance,
                                  const plan::Port& port) const override;
  [[nodiscard]] std::string secret_file(std::string_view secret) const override;
  [[nodiscard]] std::string tenants_file(const plan::Instance& instance) const override;
  [[nodiscard]] std::string data_directory(const plan::Instance& instance) const override;
  [[nodiscard]] std::vector<std::string> proxies() const override { return {"unix"}; }

 private:
  const SystemdLayout& layout_;
  std::string_view instance_;
};

}  // namespace caisson::render
