#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/checker.h"
#include "generator/spec/reader.h"

namespace caisson::spec {
namespace {

/// Follows every reference to a secret and remembers which were used.
class SecretUses {
 public:
  explicit SecretUses(const Checker& checker) : checker_(checker) {
    for (const auto& [name, secret] : checker.deployment().secrets) declared_.push_back(name);
  }

  void use(const std::optional<SecretRef>& secret, const std::string& pointer) {
    if (!secret || secret->name.empty()) return;
    used_.insert(secret->name);
    if (std::ranges::find(declared_, secret->name) != declared_.end()) return;
    std::string remedy = closest(secret->name, declared_).empty()
                             ? "declare it under 'secrets'"
                             : suggest(secret->name, declared_);
    checker_.refuse("E0205", checker_.value(pointer), "unknown secret " + quote(secret->name),
                    std::move(remedy));
  }

  /// A secret that a site answers fills the one of its name.
  void answer(const installer::Question& question) const {
    if (question.type != installer::AnswerType::secret) return;
    const auto& secrets = checker_.deployment().secrets;
    const auto secret = std::ranges::find(secrets, question.name, &Map<Secret>::value_type::first);
    const auto where = checker_.key("/answers/" + question.name);
    if (secret == secrets.end()) {
      checker_.refuse("E0228", where, "the answer " + quote(question.name) + " fills no secret",
                      closest(question.name, declared_).empty()
                          ? "declare a secret of that name under 'secrets'"
                          : suggest(question.name, declared_));
    } else if (secret->second.source == Secret::Source::generate) {
      checker_.refuse("E0231", where,
                      "the answer " + quote(question.name) + " is a secret that is generated",
                      "ask nobody for it, or let the secret come from a file");
    }
  }

  void use(const Map<EnvValue>& env, const std::string& pointer) {
    const std::string folder = pointer + '/';
    for (const auto& [key, value] : env) use(value.secret, folder + key);
  }

  void report_unused() const {
    for (const std::string_view name : declared_) {
      if (used_.contains(std::string(name)) || checker_.mentioned(name)) continue;
      const std::string text(name);
      checker_.warn("W0202", checker_.key("/secrets/" + text), "secrets." + text,
                    "the secret " + quote(name) + " is never used", "remove it, or refer to it");
    }
  }

 private:
  const Checker& checker_;
  std::vector<std::string_view> declared_;
  std::unordered_set<std::string> used_;
};

}  // namespace

void check_secrets(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  SecretUses uses(checker);
  for (const auto& [name, question] : deployment.answers) uses.answer(question);
  uses.use(deployment.runtime.env, "/runtime/env");
  for (const auto& [name, service] : deployment.services) {
    const std::string pointer = "/services/" + name;
    uses.use(service.env, pointer + "/env");
    for (std::size_t i = 0; i < service.secrets.size(); ++i) {
      uses.use(service.secrets[i], pointer + "/secrets/" + std::to_string(i));
    }
  }
  if (deployment.database.external)
    uses.use(deployment.database.external->password, "/database/external/password");
  if (deployment.cache.external)
    uses.use(deployment.cache.external->password, "/cache/external/password");
  if (deployment.auth.tokens) uses.use(deployment.auth.tokens->key, "/auth/tokens/key");
  if (deployment.auth.oidc)
    uses.use(deployment.auth.oidc->client_secret, "/auth/oidc/client-secret");
  const Observability& observability = deployment.observability;
  for (std::size_t i = 0; i < observability.alerts.to.size(); ++i) {
    const AlertReceiver& receiver = observability.alerts.to[i];
    const bool pagerduty = receiver.kind == AlertReceiver::Kind::pagerduty;
    uses.use(receiver.secret, "/observability/alerts/to/" + std::to_string(i) +
                                  (pagerduty ? "/pagerduty" : "/webhook"));
  }
  if (observability.alerts.smtp)
    uses.use(observability.alerts.smtp->password, "/observability/alerts/smtp/password");
  uses.use(observability.uptime.heartbeat, "/observability/uptime/heartbeat");
  if (deployment.backup) uses.use(deployment.backup->encrypt, "/backup/encrypt");
  uses.report_unused();
}

}  // namespace caisson::spec
