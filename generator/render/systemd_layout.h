#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/mistake.h"
#include "generator/render/site.h"
#include "generator/source/result.h"

namespace caisson::render {

/// Where everything of a deployment is on a host of target `systemd`, and what it is called there.
class SystemdLayout {
 public:
  /// `plan` outlives the layout.
  explicit SystemdLayout(const plan::Plan& plan) : plan_(plan) {}

  /// It is a mistake when a directory of the spec holds what not every directive of a unit file can
  /// carry.
  [[nodiscard]] Result<void> check(std::vector<Mistake>& mistakes) const;

  /// Whether a unit runs the instance: the rest has no program without a container.
  [[nodiscard]] static bool runs(const plan::Instance& instance);

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

  /// Whose files the instance's are; empty when it keeps none, and systemd makes an account for as
  /// long as it runs. At most 31 characters, as useradd(8) allows.
  [[nodiscard]] std::string account(const plan::Instance& instance) const;
  /// The group whose members reach the data listeners: the proxy in front.
  [[nodiscard]] const std::string& front_group() const { return plan_.targets.systemd_user.value; }

  [[nodiscard]] std::string program(std::string_view name) const;
  [[nodiscard]] std::string config(std::string_view file) const;
  /// The directory of a product's own service, by its name in the spec.
  [[nodiscard]] std::string service_directory(const plan::Instance& instance) const;
  [[nodiscard]] std::string secret(std::string_view name) const;
  [[nodiscard]] std::string data(std::string_view instance) const;
  [[nodiscard]] std::string sockets(std::string_view instance) const;
  [[nodiscard]] std::string socket_path(std::string_view instance, std::string_view port) const;
  [[nodiscard]] std::string credentials(std::string_view unit) const;
  /// Where backups go on this host; empty when the spec asks for none.
  [[nodiscard]] std::string backups() const;

 private:
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
  [[nodiscard]] std::string data_directory(const plan::Instance& instance) const override;
  [[nodiscard]] std::vector<std::string> proxies() const override { return {"unix"}; }

 private:
  const SystemdLayout& layout_;
  std::string_view instance_;
};

}  // namespace caisson::render
