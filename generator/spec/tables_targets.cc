#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr std::array<Field, 0> docker_fields{};
constexpr auto docker_map_type = object<Targets::Docker, docker_fields>("Docker");
constexpr auto docker_type = switchable<docker_map_type>;

constexpr Field compose_fields[] = {
    field<&Targets::Compose::project, slug_type>("project", computed("the deployment's name"),
                                                 "name of the project"),
};
constexpr auto compose_map_type = object<Targets::Compose, compose_fields>("Compose");
constexpr auto compose_type = switchable<compose_map_type>;

using Helm = Targets::Helm;
constexpr Word<Helm::Secrets> secret_kinds[] = {{"plain", Helm::Secrets::plain},
                                                {"external", Helm::Secrets::external},
                                                {"sealed", Helm::Secrets::sealed}};
constexpr auto secret_kind_type = word<secret_kinds>("HelmSecrets");
constexpr Field helm_fields[] = {
    field<&Helm::namespace_, slug_type>("namespace", computed("the deployment's name"),
                                        "namespace of the release"),
    field<&Helm::ingress_class, slug_type>("ingress-class", computed("the cluster's default"),
                                           "which controller serves the Ingress"),
    field<&Helm::storage_class, slug_type>("storage-class", computed("the cluster's default"),
                                           "class of the volumes"),
    field<&Helm::secrets, secret_kind_type>("secrets", literal("plain"),
                                            "Secret, ExternalSecret or SealedSecret"),
    field<&Helm::issuer, slug_type>("issuer", optional, "ClusterIssuer of cert-manager"),
    field<&Helm::kubernetes, constraint_type>("kubernetes", literal(">=1.28"),
                                              "versions of Kubernetes that the chart accepts"),
};
constexpr auto helm_map_type = object<Helm, helm_fields>("Helm");
constexpr auto helm_type = switchable<helm_map_type>;

using Systemd = Targets::Systemd;
constexpr Field systemd_fields[] = {
    field<&Systemd::prefix, absolute_path_type>("prefix", computed("`/opt/<name>`"),
                                                "where programs and configuration go"),
    field<&Systemd::data, absolute_path_type>("data", computed("`/var/lib/<name>`"),
                                              "where data goes"),
    field<&Systemd::user, user_type>("user", computed("the deployment's name"),
                                     "first part of the accounts of the units"),
};
constexpr auto systemd_map_type = object<Systemd, systemd_fields>("Systemd");
constexpr auto systemd_type = switchable<systemd_map_type>;

using Bundle = Targets::Bundle;
constexpr Word<Bundle::For> bundled[] = {{"compose", Bundle::For::compose},
                                         {"systemd", Bundle::For::systemd},
                                         {"helm", Bundle::For::helm}};
constexpr auto bundled_type = word<bundled>("BundleFor");
constexpr auto bundled_list_type = list_of<bundled_type>;
constexpr Word<std::string_view> arches[] = {{"amd64", "amd64"}, {"arm64", "arm64"}};
constexpr Type<std::string> arch_type{
    .shape = {.kind = Shape::Kind::word, .name = "Arch", .words = words_of<arches>},
    .read = [](Reader& reader, const Node& node, std::string& value) {
      const auto index = reader.word(node, words_of<arches>);
      if (index) value = arches[*index].value;
      return index.has_value();
    }};
constexpr auto compression_type = integer<std::int64_t, 1, 19>;
constexpr Field bundle_fields[] = {
    field<&Bundle::for_, bundled_list_type>("for", literal("[compose]"),
                                            "targets that it installs"),
    field<&Bundle::arch, arch_type>("arch", literal("amd64"), "processor of the customer's host"),
    field<&Bundle::level, compression_type>("level", literal("9"), "how hard it is compressed"),
    field<&Bundle::part_size, bytes_type>(
        "part-size", optional, "largest part of a bundle that is split; nothing does it yet"),
};
constexpr auto bundle_map_type = object<Bundle, bundle_fields>("Bundle");
constexpr auto bundle_type = switchable<bundle_map_type>;

constexpr auto port_type = integer<std::uint16_t, 1, 65'535>;
constexpr Field local_fields[] = {
    field<&Targets::Local::port, port_type>("port", literal("18080"),
                                            "port of the edge; the processes follow it"),
};
constexpr auto local_map_type = object<Targets::Local, local_fields>("Local");
constexpr auto local_type = switchable<local_map_type>;

constexpr std::array<Field, 0> sdk_fields{};
constexpr auto sdk_map_type = object<Targets::Sdk, sdk_fields>("Sdk");
constexpr auto sdk_type = switchable<sdk_map_type>;

constexpr Field target_fields[] = {
    field<&Targets::docker, docker_type>("docker", literal("{}"), "Dockerfiles"),
    field<&Targets::compose, compose_type>("compose", literal("{}"), "a compose project"),
    field<&Targets::helm, helm_type>("helm", literal("{}"), "a Helm chart"),
    field<&Targets::systemd, systemd_type>("systemd", literal("{}"), "units for one host"),
    field<&Targets::bundle, bundle_type>(
        "bundle", literal("false"),
        "a release for sites without a network, made by `caisson bundle create`"),
    field<&Targets::local, local_type>("local", literal("{}"), "plain processes on this machine"),
    field<&Targets::sdk, sdk_type>(
        "sdk", literal("{}"), "OpenAPI document of the data API, TypeScript and Python clients"),
};

}  // namespace

constinit const Type<Targets> targets_type = object<Targets, target_fields>("Targets");

}  // namespace caisson::spec
