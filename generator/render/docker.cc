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

Result<Dockerfile> filled(const Blueprints& blueprints, std::string_view image,
                          const ForeignImage& caddy) {
  const auto blueprint = blueprints.yaml("docker/" + std::string(image) + ".yaml");
  if (!blueprint) return tl::unexpected(blueprint.error());
  Node values{Node::Map{}};
  values.add("version", {CAISSON_VERSION, own_version});
  values.add("caddy", {caddy.reference, caddy.origin});
  values.add("caddy-variable", {caddy.variable, caddy.origin});
  return read_dockerfile(*blueprint, values);
}

}  // namespace

Result<Dockerfile> dockerfile(const plan::Plan& plan, const Blueprints& blueprints,
                              std::string_view image) {
  const auto services = ComposeServices::load(plan, blueprints);
  if (!services) return tl::unexpected(services.error());
  return filled(blueprints, image, services->foreign("caddy"));
}

Result<Artifacts> render_docker(const plan::Plan& plan, const Index&, const Blueprints& blueprints,
                                Patches&) {
  Artifacts artifacts;
  const auto services = ComposeServices::load(plan, blueprints);
  if (!services) return tl::unexpected(services.error());
  const auto add = [&](std::string path, Text text, std::string owner) {
    artifacts.push_back(text_file("docker/" + std::move(path), std::move(text), std::move(owner)));
  };

  const auto caddy = services->foreign("caddy");
  const bool edge_too = plan.edge.proxy.value == plan::Edge::Proxy::caddy;
  for (const auto& [wanted, name] :
       {std::pair{has_role(plan, plan::Role::runtime), std::string("runtime")},
        std::pair{has_role(plan, plan::Role::dashboard), std::string("dashboard")},
        std::pair{edge_too, std::string("edge")}}) {
    if (!wanted) continue;
    const auto file = filled(blueprints, name, caddy);
    if (!file) return tl::unexpected(file.error());
    auto text = to_dockerfile(*file);
    if (!text) return tl::unexpected(text.error());
    add(name + ".Dockerfile", std::move(*text), '/' + name);
  }

  Node data{Node::Map{}};
  data.add("name", plan.name);
  data.add("version", {CAISSON_VERSION, own_version});
  data.add("dashboard", has_role(plan, plan::Role::dashboard));
  data.add("edge", edge_too);
  data.add("caddy", {caddy.reference, caddy.origin});
  data.add("caddy-variable", {caddy.variable, caddy.origin});
  if (!caddy.waiver.empty()) data.add("caddy-waiver", {caddy.waiver, caddy.origin});
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
