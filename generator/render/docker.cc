#include "generator/render/docker.h"

#include <algorithm>

#include "generator/render/compose_service.h"
#include "generator/render/people.h"
#include "generator/render/targets.h"

namespace caisson::render {

namespace {

bool has_role(const plan::Plan& plan, plan::Role role) {
  return std::ranges::find(plan.instances, role, &plan::Instance::role) != plan.instances.end();
}

/// The image of other people that one of Caisson's own begins with or takes a program from; the
/// runtime and the dashboard use none.
ForeignImage base_of(const ComposeServices& services, const plan::Plan& plan,
                     std::string_view image) {
  if (image == "certificates") return services.foreign("certbot");
  return services.foreign(plan.edge.proxy.value == plan::Edge::Proxy::nginx ? "nginx" : "caddy");
}

Result<Dockerfile> filled(const Blueprints& blueprints, const plan::Plan& plan,
                          std::string_view image, const ForeignImage& base) {
  const bool nginx = image == "edge" && plan.edge.proxy.value == plan::Edge::Proxy::nginx;
  const auto blueprint =
      blueprints.yaml("docker/" + std::string(image) + (nginx ? "-nginx.yaml" : ".yaml"));
  if (!blueprint) return tl::unexpected(blueprint.error());
  Node values{Node::Map{}};
  values.add("version", {CAISSON_VERSION, own_version});
  values.add("base", {base.reference, base.origin});
  values.add("base-variable", {base.variable, base.origin});
  return read_dockerfile(*blueprint, values);
}

}  // namespace

Result<Dockerfile> dockerfile(const plan::Plan& plan, const Blueprints& blueprints,
                              std::string_view image) {
  const auto services = ComposeServices::load(plan, blueprints);
  if (!services) return tl::unexpected(services.error());
  return filled(blueprints, plan, image, base_of(*services, plan, image));
}

Result<Artifacts> render_docker(const plan::Plan& plan, const Index&, const Blueprints& blueprints,
                                Patches&) {
  Artifacts artifacts;
  const auto services = ComposeServices::load(plan, blueprints);
  if (!services) return tl::unexpected(services.error());
  const auto add = [&](std::string path, Text text, std::string owner) {
    artifacts.push_back(text_file("docker/" + std::move(path), std::move(text), std::move(owner)));
  };

  Node images{Node::List{}};
  for (const auto& [role, name, owner] :
       {std::tuple{plan::Role::runtime, std::string("runtime"), "/runtime"},
        std::tuple{plan::Role::dashboard, std::string("dashboard"), "/dashboard"},
        std::tuple{plan::Role::edge, std::string("edge"), "/edge"},
        std::tuple{plan::Role::certificates, std::string("certificates"), "/edge/tls"}}) {
    if (!has_role(plan, role)) continue;
    const auto base = base_of(*services, plan, name);
    if (role == plan::Role::edge || role == plan::Role::certificates) {
      Node entry{Node::Map{}, base.origin};
      entry.add("reference", {base.reference, base.origin});
      entry.add("variable", {base.variable, base.origin});
      if (!base.waiver.empty()) entry.add("waiver", {base.waiver, base.origin});
      images.push(std::move(entry));
    }
    const auto file = filled(blueprints, plan, name, base);
    if (!file) return tl::unexpected(file.error());
    auto text = to_dockerfile(*file);
    if (!text) return tl::unexpected(text.error());
    add(name + ".Dockerfile", std::move(*text), owner);
  }

  Node data{Node::Map{}};
  data.add("name", plan.name);
  data.add("version", {CAISSON_VERSION, own_version});
  data.add("dashboard", has_role(plan, plan::Role::dashboard));
  data.add("edge", has_role(plan, plan::Role::edge));
  data.add(plan.edge.proxy.value == plan::Edge::Proxy::nginx ? "nginx" : "caddy", true);
  data.add("certificates", has_role(plan, plan::Role::certificates));
  data.add("images", std::move(images));
  for (const auto& [blueprint, path] : {std::pair{"docker/README.md", "README.md"},
                                        std::pair{"docker/dockerignore", ".dockerignore"}}) {
    auto text = fill(blueprints, blueprint, data);
    if (!text) return tl::unexpected(text.error());
    add(path, std::move(*text), "/targets/docker");
  }
  add("state/.keep", {}, "/targets/docker");
  return artifacts;
}

}  // namespace caisson::render
