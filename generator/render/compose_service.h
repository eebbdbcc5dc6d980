#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"
#include "generator/render/node.h"
#include "generator/render/site.h"

namespace caisson::render {

/// Where a runtime's container sees the directory of its tenants file. A directory, since a mounted
/// file stays the old one when a new one takes its name.
inline constexpr std::string_view tenants_folder = "/etc/caisson/tenants";
/// The same of the names that certificates are kept for, and of what Prometheus looks for.
inline constexpr std::string_view certificates_folder = "/etc/caisson/certificates";
inline constexpr std::string_view targets_folder = "/etc/prometheus/targets";

/// `text` as Compose reads it back: `$` begins a variable there.
[[nodiscard]] std::string compose_literal(std::string_view text);

/// The host name under which an instance answers on the one network that the port listens on:
/// "runtime-operator".
[[nodiscard]] std::string alias_of(const plan::Instance& instance, const plan::Port& port);

/// `${VARIABLE:-value}`: what the operator's environment says, else `value`.
[[nodiscard]] std::string substitution(std::string_view variable, std::string_view value);

/// What Compose makes of a text of a project where nobody says another value:
/// "${CADDY_IMAGE:-caddy:2.10.0}" is "caddy:2.10.0", and "$$" a '$'.
[[nodiscard]] std::string substituted(std::string_view text);

/// Where a service finds the static program that asks for its health, mounted from outside.
inline constexpr std::string_view probe_path = "/run/caisson/probe";

/// The group whose members may read the files below `secrets/`.
inline constexpr std::string_view secrets_group = "${SECRETS_GROUP:-10001}";

/// An image that other people make.
struct ForeignImage {
  std::string variable;   ///< the environment variable that overrides it
  std::string reference;  ///< name:tag, with a digest when the blueprint has one
  std::string waiver;     ///< why it has no digest; empty when it has one
  Origin origin;
};

/// Builds the services of a compose project: the blueprint of every service, the one of the role
/// over it, and the plan's values over both.
class ComposeServices {
 public:
  /// Reads every blueprint once. Fails when one is missing or is not YAML.
  [[nodiscard]] static Result<ComposeServices> load(const plan::Plan& plan,
                                                    const Blueprints& blueprints);

  /// `config_digests`: digest of each config's bytes by name, so that a changed file recreates.
  [[nodiscard]] Node service(const plan::Instance& instance, const Index& index, const Site& site,
                             const std::map<std::string, std::string>& config_digests) const;

  /// What runs once before `instance`, which keeps something, and gives its volumes to its user.
  [[nodiscard]] Node owner(const plan::Instance& instance) const;

  /// An image of `images.yaml`. `tag` replaces the blueprint's own unless empty.
  [[nodiscard]] ForeignImage foreign(std::string_view name, std::string_view tag = {}) const;

 private:
  explicit ComposeServices(const plan::Plan& plan) : plan_(&plan) {}

  void image(Node& node, const plan::Instance& instance) const;
  void mounts(Node& node, const plan::Instance& instance,
              const std::map<std::string, std::string>& config_digests) const;

  const plan::Plan* plan_;
  Node images_;
  Node every_service_;
  Node owner_;
  std::map<plan::Role, Node> roles_;
};

}  // namespace caisson::render
