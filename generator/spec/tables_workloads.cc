#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr Word<Module> modules[] = {{"records", Module::records},
                                    {"events", Module::events},
                                    {"memory", Module::memory},
                                    {"queue", Module::queue},
                                    {"pipelines", Module::pipelines}};
constexpr auto module_type = word<modules>("Module");
constexpr auto modules_type = list_of<module_type>;
constexpr auto command_type = list_of<text_type>;
constexpr auto names_type = list_of<slug_type>;
constexpr auto secret_refs_type = list_of<secret_ref_type>;
constexpr auto destinations_type = list_of<host_port_type>;
constexpr auto absolute_paths_type = list_of<absolute_path_type>;
constexpr auto port_type = integer<std::uint16_t, 1, 65'535>;
constexpr auto retries_type = integer<std::int64_t, 1, 100>;
constexpr auto user_id_type = integer<std::int64_t, 1, 2'147'483'647>;

constexpr Field resource_fields[] = {
    field<&Resources::cpu, cpu_range_type>("cpu", computed("that of the workload"),
                                           "processor: request..limit"),
    field<&Resources::memory, bytes_range_type>("memory", computed("that of the workload"),
                                                "memory: request..limit"),
};

constexpr Field runtime_fields[] = {
    field<&Runtime::image, image_type>("image", computed("the bundled image"),
                                       "another build of the runtime"),
    field<&Runtime::replicas, replicas_type>(
        "replicas", literal("1"),
        "instances of the shared runtime: 1, since SQLite has one writer"),
    field<&Runtime::resources, resources_type>("resources",
                                               literal("{ cpu: 250m..1, memory: 256Mi..512Mi }"),
                                               "what an instance asks for and may use"),
    field<&Runtime::storage, bytes_type>("storage", literal("1Gi"), "volume of an instance"),
    field<&Runtime::modules, modules_type>("modules", literal("[records]"),
                                           "built-in modules; this version runs `records` alone"),
    field<&Runtime::drain, duration_type>("drain", literal("10s"),
                                          "time that running requests get when an instance stops"),
    field<&Runtime::env, env_type>("env", literal("{}"), "environment variables"),
};

constexpr Field dashboard_fields[] = {
    field<&Dashboard::replicas, replicas_type>(
        "replicas", literal("1"),
        "instances, or bounds for autoscaling (helm: 2..10 unless given)"),
    field<&Dashboard::resources, resources_type>("resources",
                                                 literal("{ cpu: 50m..200m, memory: 32Mi..64Mi }"),
                                                 "what an instance asks for and may use"),
};
constexpr auto dashboard_map_type = object<Dashboard, dashboard_fields>("Dashboard");

constexpr Field build_fields[] = {
    field<&Build::context, path_type>("context", required, "folder that is sent to the build"),
    field<&Build::dockerfile, path_type>("dockerfile", literal("Dockerfile"),
                                         "path in that folder"),
    field<&Build::args, env_type>("args", literal("{}"), "build arguments; never secrets"),
};
constexpr auto build_type = object<Build, build_fields>("Build");

constexpr std::string_view health_probes[] = {"path", "command"};

constexpr Field health_fields[] = {
    field<&Health::path, route_type>("path", optional, "answers 200 when the service is well"),
    field<&Health::command, command_type>("command", optional, "exits 0 when the service is well"),
    field<&Health::interval, duration_type>("interval", literal("10s"),
                                            "time between two questions"),
    field<&Health::timeout, duration_type>("timeout", literal("2s"), "time for an answer"),
    field<&Health::retries, retries_type>("retries", literal("3"),
                                          "failures in a row until it counts as ill"),
    field<&Health::start, duration_type>("start", literal("10s"),
                                         "time to start in which failures do not count"),
};
constexpr auto health_type = object<Health, health_fields, health_probes>("Health");

constexpr Field storage_fields[] = {
    field<&ServiceStorage::path, absolute_path_type>("path", required,
                                                     "where the volume is mounted"),
    field<&ServiceStorage::size, bytes_type>("size", literal("1Gi"), "size of the volume"),
};
constexpr auto storage_type = object<ServiceStorage, storage_fields>("ServiceStorage");

constexpr Field local_fields[] = {
    field<&Service::local_command, command_type>("command", required,
                                                 "how target `local` runs it without a container"),
};
constexpr auto local_type = object<Service, local_fields>("ServiceLocal");

constexpr std::string_view image_sources[] = {"image", "build"};

constexpr Field service_fields[] = {
    field<&Service::image, image_type>("image", optional,
                                       "the image to run, best with a digest; or `build`"),
    field<&Service::build, build_type>("build", optional, "how to build the image; or `image`"),
    field<&Service::command, command_type>("command", computed("that of the image"),
                                           "program and arguments"),
    field<&Service::port, port_type>(
        "port", optional,
        "where it listens for the services that need it; no route leads to it from outside yet"),
    field<&Service::health, health_type>("health", optional, "how to see whether it is well"),
    field<&Service::env, env_type>("env", literal("{}"), "environment variables"),
    field<&Service::secrets, secret_refs_type>("secrets", literal("[]"),
                                               "secrets mounted as files under `/run/secrets`"),
    field<&Service::replicas, replicas_type>("replicas", literal("1"),
                                             "instances, or bounds for autoscaling"),
    field<&Service::resources, resources_type>("resources",
                                               literal("{ cpu: 100m..500m, memory: 64Mi..256Mi }"),
                                               "what an instance asks for and may use"),
    field<&Service::storage, storage_type>("storage", optional, "a volume of its own"),
    field<&Service::user, user_id_type>("user", literal("10001"),
                                        "uid that it runs as; never root"),
    field<&Service::writable, absolute_paths_type>(
        "writable", literal("[]"), "paths that are given a tmpfs; the root is read-only"),
    field<&Service::needs, names_type>(
        "needs", literal("[]"),
        "other services, which start before it; `database` or `cache` where the spec has one"),
    field<&Service::egress, destinations_type>("egress", literal("[]"),
                                               "where it may connect to; nothing else leaves"),
    field<&Service::module, path_type>(
        "module", optional,
        "manifest of the handlers, types and capabilities it serves; nothing does it yet"),
    field<&Service::replica_per_tenant, boolean_type>("replica-per-tenant", literal("false"),
                                                      "one instance for each tenant"),
    spread<local_type>("local", optional,
                       "how target `local` runs it; without it the service is left out there"),
};
constexpr auto service_type = object<Service, service_fields, image_sources>("Service");

}  // namespace

constinit const Type<Map<EnvValue>> env_type = map_of<env_name_type, env_value_type>;
constinit const Type<Resources> resources_type = object<Resources, resource_fields>("Resources");
constinit const Type<Runtime> runtime_type = object<Runtime, runtime_fields>("Runtime");
constinit const Type<Dashboard> dashboard_type = switchable<dashboard_map_type>;
constinit const Type<Map<Service>> services_type = map_of<slug_type, service_type>;

}  // namespace caisson::spec
