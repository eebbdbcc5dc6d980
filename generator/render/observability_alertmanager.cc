#include "generator/render/observability.h"

namespace caisson::render {

namespace {

using plan::AlertReceiver;

/// A mail server for an address: the spec's, else the one of the address's own domain. Without an
/// MX record the domain itself takes its mail (RFC 5321, 5.1).
std::string smart_host(const plan::Smtp& smtp, const std::string& address) {
  return smtp.host.value.empty() ? address.substr(address.rfind('@') + 1) + ":25" : smtp.host.value;
}

Node email(const plan::Smtp& smtp, const Site& site, const AlertReceiver& receiver,
           const Origin& origin) {
  Node config{Node::Map{}, origin};
  config.add("to", {receiver.target, origin});
  config.add("from", smtp.from);
  config.add("smarthost", {smart_host(smtp, receiver.target),
                           smtp.host.value.empty() ? origin : Origin(smtp.host.origin)});
  if (!smtp.user.value.empty()) config.add("auth_username", smtp.user);
  if (!smtp.password.empty()) {
    config.add("auth_password_file", {site.secret_file(smtp.password), origin});
  }
  config.add("send_resolved", {true, origin});
  return config;
}

Node with_secret(std::string_view key, const std::string& file, bool resolved,
                 const Origin& origin) {
  Node config{Node::Map{}, origin};
  config.add(std::string(key), {file, origin});
  config.add("send_resolved", {resolved, origin});
  return config;
}

/// Everybody who is told, as one receiver: an alert is for all of them or for none.
Node operators(const plan::Observability& observe, const Site& site) {
  const Origin origin{Origin::Kind::spec, "/observability/alerts/to"};
  Node node{Node::Map{}, origin};
  node.add("name", {"operators", origin});
  const auto list = [&](const char* key) -> Node& {
    auto* present = node.find(key);
    return present != nullptr ? *present : node.add(key, Node{Node::List{}, origin});
  };
  for (const auto& receiver : observe.alerts) {
    switch (receiver.kind) {
      case AlertReceiver::Kind::pagerduty: {
        auto config =
            with_secret("routing_key_file", site.secret_file(receiver.target), true, origin);
        config.add("severity", {"{{ .CommonLabels.severity }}", origin});
        list("pagerduty_configs").push(std::move(config));
        break;
      }
      case AlertReceiver::Kind::webhook:
        list("webhook_configs")
            .push(with_secret("url_file", site.secret_file(receiver.target), true, origin));
        break;
      case AlertReceiver::Kind::email:
        list("email_configs").push(email(observe.smtp, site, receiver, origin));
        break;
    }
  }
  return node;
}

}  // namespace

Node alertmanager_config(const plan::Plan& plan, const Site& site, Node tree, Node heartbeat) {
  const auto& observe = plan.observability;
  Node receivers{Node::List{}};
  receivers.push(operators(observe, site));
  if (!observe.heartbeat.empty()) {
    const Origin origin{Origin::Kind::spec, "/observability/uptime/heartbeat"};
    Node node{Node::Map{}, origin};
    node.add("name", {"heartbeat", origin});
    auto hook = with_secret("url_file", site.secret_file(observe.heartbeat), false, origin);
    node.add("webhook_configs", Node{Node::List{std::move(hook)}, origin});
    receivers.push(std::move(node));
    auto& route = *tree.find("route");
    auto* routes = route.find("routes");
    if (routes == nullptr) routes = &route.set("routes", Node{Node::List{}});
    routes->push(std::move(heartbeat));
  }
  tree.set("receivers", std::move(receivers));
  return tree;
}

}  // namespace caisson::render
