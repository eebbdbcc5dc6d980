#include <algorithm>

#include "generator/render/compose_service.h"
#include "generator/render/dockerfile.h"
#include "generator/render/people.h"
#include "generator/render/targets.h"

namespace caisson::render {

namespace {

constexpr std::string_view user = "10001:10001";

Dockerfile with_label(Dockerfile file, std::string title) {
  const auto entry = std::ranges::find(file.instructions, "USER", &Instruction::name);
  file.instructions.insert(entry,
                           {.name = "LABEL",
                            .pairs = {{"org.opencontainers.image.title", std::move(title)},
                                      {"org.opencontainers.image.version", CAISSON_VERSION}}});
  return file;
}

/// The first stage runs the program once, so that an image with a binary that is not static or of
/// another architecture is never built.
Instruction verified_program() {
  return {.name = "RUN",
          .exec = {"/bin/caisson-runtime", "version"},
          .comment = "The build fails here when the binary cannot run without anything around it."};
}

Dockerfile runtime() {
  const std::string config = "/etc/caisson/runtime.json";
  return with_label(
      {.header = "The runtime: one static binary and the directory that its volume starts from.",
       .instructions = {{.name = "FROM", .words = {"scratch", "AS", "program"}},
                        {.name = "COPY", .words = {"caisson-runtime", "/bin/caisson-runtime"}},
                        verified_program(),
                        {.name = "FROM", .words = {"scratch"}},
                        {.name = "COPY",
                         .flags = {"--from=program"},
                         .words = {"/bin/caisson-runtime", "/bin/caisson-runtime"}},
                        {.name = "COPY",
                         .flags = {"--chown=" + std::string(user)},
                         .words = {"state", "/var/lib/caisson"},
                         .comment = "A new volume takes its owner from here."},
                        {.name = "USER", .words = {std::string(user)}},
                        {.name = "EXPOSE", .words = {"8080"}},
                        {.name = "HEALTHCHECK",
                         .flags = {"--interval=2s", "--timeout=2s", "--start-period=10s",
                                   "--retries=3"},
                         .words = {"CMD"},
                         .exec = {"/bin/caisson-runtime", "health", "--config", config}},
                        {.name = "ENTRYPOINT", .exec = {"/bin/caisson-runtime"}},
                        {.name = "CMD", .exec = {"serve", "--config", config}}}},
      "Caisson runtime");
}

Dockerfile dashboard() {
  return with_label(
      {.header = "The dashboard: the same static binary, in its other role. It keeps nothing.",
       .instructions =
           {{.name = "FROM", .words = {"scratch", "AS", "program"}},
            {.name = "COPY", .words = {"caisson-runtime", "/bin/caisson-runtime"}},
            verified_program(),
            {.name = "FROM", .words = {"scratch"}},
            {.name = "COPY",
             .flags = {"--from=program"},
             .words = {"/bin/caisson-runtime", "/bin/caisson-runtime"}},
            {.name = "USER", .words = {std::string(user)}},
            {.name = "EXPOSE", .words = {"8080"}},
            {.name = "HEALTHCHECK",
             .flags = {"--interval=2s", "--timeout=2s", "--start-period=10s", "--retries=3"},
             .words = {"CMD"},
             .exec = {"/bin/caisson-runtime", "health", "--url", "http://127.0.0.1:8080/readyz"}},
            {.name = "ENTRYPOINT", .exec = {"/bin/caisson-runtime"}},
            {.name = "CMD", .exec = {"dashboard", "--config", "/etc/caisson/dashboard.json"}}}},
      "Caisson dashboard");
}

/// Caddy's own image runs as root and owns its data directory as root; only the program is taken
/// from it.
Dockerfile edge(const ForeignImage& caddy) {
  return with_label(
      {.header = "The edge: the static Caddy of the official image and nothing else of it.\n"
                 "It listens above 1024 and therefore needs no capability.",
       .instructions =
           {{.name = "ARG", .words = {caddy.variable + "=" + caddy.reference}},
            {.name = "FROM", .words = {"${" + caddy.variable + "}", "AS", "caddy"}},
            {.name = "FROM", .words = {"scratch"}},
            {.name = "COPY", .flags = {"--from=caddy"}, .words = {"/usr/bin/caddy", "/bin/caddy"}},
            {.name = "COPY",
             .flags = {"--from=caddy"},
             .words = {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt"}},
            {.name = "COPY",
             .words = {"caisson-runtime", "/bin/caisson-runtime"},
             .comment = "Asks for the edge's health."},
            {.name = "COPY",
             .flags = {"--chown=" + std::string(user)},
             .words = {"state", "/data"},
             .comment = "A new volume takes its owner from here."},
            {.name = "USER", .words = {std::string(user)}},
            {.name = "EXPOSE", .words = {"8080", "8443"}},
            {.name = "HEALTHCHECK",
             .flags = {"--interval=2s", "--timeout=2s", "--start-period=10s", "--retries=3"},
             .words = {"CMD"},
             .exec = {"/bin/caisson-runtime", "health", "--url", "http://127.0.0.1:8079/"}},
            {.name = "ENTRYPOINT", .exec = {"/bin/caddy"}},
            {.name = "CMD",
             .exec = {"run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"}}}},
      "Caisson edge");
}

bool has_role(const plan::Plan& plan, plan::Role role) {
  return std::ranges::find(plan.instances, role, &plan::Instance::role) != plan.instances.end();
}

}  // namespace

Result<Artifacts> render_docker(const plan::Plan& plan, const Index&, const Blueprints& blueprints,
                                Patches&) {
  Artifacts artifacts;
  const auto services = ComposeServices::load(plan, blueprints);
  if (!services) return tl::unexpected(services.error());
  const auto add = [&](std::string path, std::string bytes, std::string owner) {
    artifacts.push_back({.path = "docker/" + std::move(path),
                         .bytes = std::move(bytes),
                         .owner = std::move(owner),
                         .tree = nullptr});
  };

  const auto caddy = services->foreign("caddy");
  const bool edge_too = plan.edge.proxy.value == plan::Edge::Proxy::caddy;
  for (const auto& [wanted, name, file, owner] :
       {std::tuple{has_role(plan, plan::Role::runtime), "runtime.Dockerfile", runtime(),
                   "/runtime"},
        std::tuple{has_role(plan, plan::Role::dashboard), "dashboard.Dockerfile", dashboard(),
                   "/dashboard"},
        std::tuple{edge_too, "edge.Dockerfile", edge(caddy), "/edge"}}) {
    if (!wanted) continue;
    auto text = to_dockerfile(file);
    if (!text) return tl::unexpected(text.error());
    add(name, std::move(*text), owner);
  }
  add(".dockerignore",
      "# Everything stays out of the build but what the Dockerfiles "
      "copy.\n*\n!caisson-runtime\n!state\n",
      "/targets/docker");
  add("state/.keep", "", "/targets/docker");

  Node data{Node::Map{}};
  data.add("name", plan.name);
  data.add("version", std::string(CAISSON_VERSION));
  data.add("dashboard", has_role(plan, plan::Role::dashboard));
  data.add("edge", edge_too);
  data.add("caddy", caddy.reference);
  data.add("caddy-variable", caddy.variable);
  if (!caddy.waiver.empty()) data.add("caddy-waiver", caddy.waiver);
  auto readme = fill(blueprints, "docker/README.md", data);
  if (!readme) return tl::unexpected(readme.error());
  add("README.md", std::move(*readme), "/targets/docker");
  return artifacts;
}

}  // namespace caisson::render
