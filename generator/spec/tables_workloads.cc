#include <array>

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
constexpr auto port_type = integer<std::uint16_t, 1, 65'535>;
constexpr auto retries_type = integer<std::int64_t, 1, 100>;
constexpr auto processes_type = integer<std::int64_t, 16, 4'194'304>;
constexpr auto files_type = integer<std::int64_t, 64, 1'073'741'816>;
constexpr auto user_number_type = integer<std::int64_t, 1, 2'147'483'647>;
constexpr Type<std::int64_t> user_id_type{
    .shape = user_number_type.shape,
    .read = [](Reader& reader, const Node& node, std::int64_t& value) {
      if (node.kind != Node::Kind::scalar) return user_number_type.read(reader, node, value);
      // As containers are told: user:group, or a name of the image's.
      const Node number{.kind = Node::Kind::scalar,
                        .text = node.text.substr(0, node.text.find(':'))};
      source::Diagnostics unheard;
      Reader probe(unheard, false);
      std::string remedy;
      if (number.text.size() < node.text.size() && user_number_type.read(probe, number, value)) {
        remedy = "write " + number.text + ": its group has the same number";
      } else if (node.text == "root" || number.text == "0") {
        remedy = "write the number of another user, as 10001: no service runs as root";
      } else if (number.text.find_first_not_of("0123456789-+") != std::string::npos) {
        remedy = "write the number that the image has for it, as 10001";
      }
      if (remedy.empty()) return user_number_type.read(reader, node, value);
      return reader.refuse("E0108", node.span,
                           quote(node.text) + " is no number of a user" + reader.in_path(),
                           std::move(remedy));
    }};

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
                                               literal("{ cpu: 20m..1, memory: 32Mi..512Mi }"),
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
                                                 literal("{ cpu: 5m..200m, memory: 16Mi..64Mi }"),
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

constexpr Field writable_fields[] = {
    field<&Writable::path, absolute_path_type>("path", required, "where it is"),
    field<&Writable::size, bytes_type>("size", literal("256Mi"),
                                       "most that it holds; it counts as memory of the service"),
    field<&Writable::exec, boolean_type>("exec", literal("true"),
                                         "whether files there may be run and mapped as code"),
};
constexpr auto writable_map_type = object<Writable, writable_fields>("Writable");
constexpr std::array<const Shape*, 2> writable_choices{&absolute_path_type.shape,
                                                       &writable_map_type.shape};
constexpr Type<Writable> writable_type{
    .shape = {.kind = Shape::Kind::choice, .name = "path or map", .choices = writable_choices},
    .read = [](Reader& reader, const Node& node, Writable& value) {
      if (node.kind == Node::Kind::map) return writable_map_type.read(reader, node, value);
      return absolute_path_type.read(reader, node, value.path);
    }};
constexpr auto writables_type = list_of<writable_type>;

constexpr Field service_limit_fields[] = {
    field<&ServiceLimits::processes, processes_type>("processes", literal("4096"),
                                                     "processes and threads of an instance"),
    field<&ServiceLimits::files, files_type>(
        "files", computed("that of what runs it; systemd: 524288"), "open files of a process"),
};
constexpr auto service_limits_type = object<ServiceLimits, service_limit_fields>("ServiceLimits");

constexpr Word<ServiceUnit::ProcSubset> proc_subsets[] = {{"all", ServiceUnit::ProcSubset::all},
                                                          {"pid", ServiceUnit::ProcSubset::pid}};
constexpr auto proc_subset_type = word<proc_subsets>("ProcSubset");
constexpr Field service_unit_fields[] = {
    field<&ServiceUnit::memory_deny_write_execute, boolean_type>(
        "memory-deny-write-execute", literal("false"),
        "no memory is ever writable and code; programs that compile as they run die of it"),
    field<&ServiceUnit::proc_subset, proc_subset_type>(
        "proc-subset", literal("all"),
        "pid: of /proc the processes alone, without /proc/meminfo, /proc/cpuinfo and /proc/sys"),
};
constexpr auto service_unit_type = object<ServiceUnit, service_unit_fields>("ServiceUnit");

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
    field<&Service::writable, writables_type>(
        "writable", literal("[]"),
        "paths in memory that it may write to, or { path, size, exec }; the root is read-only"),
    field<&Service::limits, service_limits_type>("limits", literal("{}"),
                                                 "what an instance may have at a time"),
    field<&Service::systemd, service_unit_type>("systemd", literal("{}"),
                                                "how target `systemd` confines it further"),
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
