#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

// What an overlay says is read when it is merged; its name must be a name.
struct Overlay {};
constexpr Type<Overlay> overlay_type{
    .shape = {.kind = Shape::Kind::overlay, .name = "partial spec"},
    .read = [](Reader& reader, const Node& node, Overlay&) {
      return node.kind == Node::Kind::map || reader.wrong_kind(node, "a map");
    }};
constexpr auto overlays_type = map_of<slug_type, overlay_type>;

constexpr Field deployment_fields[] = {
    aside<Deployment, language_version_type>("caisson", required, "version of the language"),
    field<&Deployment::name, slug_type>("name", required, "names everything derived"),
    field<&Deployment::version, semver_type>("version", required, "version of this deployment"),
    field<&Deployment::domain, domain_type>(
        "domain", computed("`<name>.localhost`"),
        "tenants answer at `<slug>.<domain>`, the dashboard at `<domain>`"),
    field<&Deployment::answers, answers_type>(
        "answers", literal("{}"),
        "what each site is asked for; `${answer:<name>}` stands for it in other values"),
    field<&Deployment::tiers, tiers_type>("tiers", computed("one tier `default`"),
                                          "plans that tenants are on"),
    field<&Deployment::tenants, tenants_type>("tenants", required,
                                              "who is served from the start; may be empty"),
    field<&Deployment::runtime, runtime_type>("runtime", literal("{}"), "the multi-tenant server"),
    field<&Deployment::dashboard, dashboard_type>("dashboard", literal("{}"),
                                                  "the tenants' dashboard"),
    field<&Deployment::services, services_type>("services", literal("{}"),
                                                "the product's own workloads, beside the runtime"),
    field<&Deployment::database, database_type>("database", literal("sqlite"),
                                                "where tenants' data is kept"),
    field<&Deployment::cache, cache_type>("cache", literal("none"),
                                          "rate limits and cache shared by replicas"),
    field<&Deployment::auth, auth_type>("auth", literal("{}"),
                                        "how callers and tenants are recognised"),
    field<&Deployment::secrets, secrets_type>("secrets", literal("{}"),
                                              "secrets by name and where their values come from"),
    field<&Deployment::edge, edge_type>("edge", literal("{}"), "the proxy in front"),
    field<&Deployment::network, network_type>("network", literal("{}"), "what may leave the stack"),
    field<&Deployment::observability, observability_type>("observability", literal("{}"),
                                                          "metrics, alerts, traces and logs"),
    field<&Deployment::backup, backup_type>("backup", optional, "regular backups"),
    field<&Deployment::assets, assets_type>("assets", literal("[]"),
                                            "large files that the bundle carries"),
    field<&Deployment::targets, targets_type>("targets", literal("{}"),
                                              "what is generated; `false` turns one off"),
    aside<Deployment, overlays_type>("environments", literal("{}"),
                                     "partial specs by name, merged over this one by `--env`"),
    field<&Deployment::patches, patches_type>("patches", literal("[]"),
                                              "changes of generated files, checked to match"),
    field<&Deployment::waivers, waivers_type>("waivers", literal("[]"),
                                              "findings that are accepted, with a reason"),
    field<&Deployment::conformance, conformance_type>("conformance", literal("{}"),
                                                      "how the running stack is attacked"),
};

}  // namespace

constinit const Type<Deployment> deployment_type =
    object<Deployment, deployment_fields>("Deployment");

}  // namespace caisson::spec
