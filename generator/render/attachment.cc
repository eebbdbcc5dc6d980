#include "generator/render/attachment.h"

#include "generator/render/site.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Port;

/// As site.json writes a listener; plain HTTP, for the edge alone speaks TLS.
std::string url_of(const std::string& address) {
  return address.starts_with("unix:") ? address : "http://" + address;
}

}  // namespace

Node site_description(const plan::Plan& plan, const Attachment& attachment) {
  const plan::Origin& whole = plan.name.origin;
  Node site{Node::Map{}, whole};
  site.add("format", {"caisson-site/1", whole});
  site.add("deployment", plan.name);
  site.add("target", {std::string(attachment.target), whole});
  Node runtimes{Node::List{}};
  Node dashboard;
  for (const Instance& instance : plan.instances) {
    const auto address = [&](Port::Purpose purpose) {
      const Port* port = port_for(instance, purpose);
      return port == nullptr ? std::string() : url_of(attachment.address(instance, *port));
    };
    if (instance.role == plan::Role::dashboard) {
      if (!instance.ports.empty())
        dashboard = {url_of(attachment.address(instance, instance.ports.front())),
                     attachment.listeners};
      continue;
    }
    if (instance.role != plan::Role::runtime) continue;
    Node runtime{Node::Map{}, instance.origin};
    runtime.add("name", {instance.name, instance.origin});
    runtime.add("data", {address(Port::Purpose::data), attachment.listeners});
    runtime.add("operator", {address(Port::Purpose::operator_api), attachment.listeners});
    runtime.add("operator-token-file",
                {attachment.secret_file(instance.operator_token), attachment.secrets});
    if (std::string metrics = address(Port::Purpose::metrics); !metrics.empty())
      runtime.add("metrics", {std::move(metrics), attachment.listeners});
    runtimes.push(std::move(runtime));
  }
  site.add("runtimes", std::move(runtimes));
  if (!attachment.edge.empty()) {
    Node edge{Node::Map{}, plan.edge.http.origin};
    edge.add("url", {attachment.edge, plan.edge.http.origin});
    site.add("edge", std::move(edge));
  }
  if (dashboard.text() != nullptr) site.add("dashboard", std::move(dashboard));
  return site;
}

}  // namespace caisson::render
