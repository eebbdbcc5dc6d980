#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr std::int64_t most = 1'000'000'000;

constexpr Word<Isolation> isolations[] = {{"row", Isolation::row},
                                          {"schema", Isolation::schema},
                                          {"database", Isolation::database},
                                          {"deployment", Isolation::deployment}};
constexpr auto isolation_type = word<isolations>("Isolation");

constexpr Word<Tenant::Status> statuses[] = {{"active", Tenant::Status::active},
                                             {"suspended", Tenant::Status::suspended}};
constexpr auto status_type = word<statuses>("Status");

// Zero is read here and refused by the checks, which know what it would mean.
constexpr auto count_type = integer<std::int64_t, 0, most>;

constexpr Field limit_fields[] = {
    field<&Limits::requests, rate_type>("requests", optional, "requests per tenant and time"),
    field<&Limits::burst, count_type>("burst", optional,
                                      "requests above the rate that may come at once"),
    field<&Limits::concurrent, count_type>("concurrent", optional, "requests being served at once"),
    field<&Limits::body, bytes_type>("body", optional, "largest request body"),
    field<&Limits::storage, bytes_type>("storage", optional, "data kept for the tenant"),
    field<&Limits::queue, count_type>("queue", optional,
                                      "messages waiting in queues; nothing does it yet"),
    field<&Limits::sockets, count_type>("sockets", optional, "open web sockets"),
    field<&Limits::egress_connections, count_type>(
        "egress-connections", optional, "connections to other hosts; nothing does it yet"),
};
constexpr auto limits_type = object<Limits, limit_fields>("Limits");

constexpr Field tier_fields[] = {
    field<&Tier::isolation, isolation_type>(
        "isolation", literal("database"),
        "how far tenants are kept apart; `deployment` gives each an instance of its own"),
    field<&Tier::limits, limits_type>("limits", literal("{}"),
                                      "what a tenant may use; an absent limit is unlimited"),
    field<&Tier::retention, duration_type>(
        "retention", literal("0s"), "how long a deleted tenant's data is kept; 0s: gone at once"),
};
constexpr auto tier_type = object<Tier, tier_fields>("Tier");

constexpr auto domains_type = list_of<domain_type>;

constexpr Field tenant_fields[] = {
    field<&Tenant::slug, slug_type>("slug", required,
                                    "the tenant's name in URLs; it answers at `<slug>.<domain>`"),
    field<&Tenant::name, text_type>("name", computed("the slug"), "for people"),
    field<&Tenant::tier, text_type>("tier", computed("the only tier, or `default`"),
                                    "a tier that `tiers` declares"),
    field<&Tenant::owner, email_type>("owner", optional, "whom to write to"),
    field<&Tenant::domains, domains_type>("domains", literal("[]"),
                                          "own domains besides `<slug>.<domain>`"),
    field<&Tenant::status, status_type>("status", literal("active"),
                                        "a suspended tenant keeps its data and is refused"),
    field<&Tenant::limits, limits_type>("limits", literal("{}"), "overrides of the tier's limits"),
};

// Written instead of the list; the file's rows have taken its place before anything is decoded.
struct TenantFile {
  std::string file;
};
constexpr Field tenant_file_fields[] = {
    field<&TenantFile::file, path_type>(
        "file", required,
        "tenants beside the spec, as .ndjson or as .csv: its first line "
        "names the columns, keys of a tenant as slug, tier or "
        "limits.requests"),
};
constexpr auto tenant_file_type = object<TenantFile, tenant_file_fields>("TenantFile");

constexpr auto tenant_list_type = list_of<tenant_type>;
constexpr std::array<const Shape*, 2> tenants_choices{&tenant_list_type.shape,
                                                      &tenant_file_type.shape};

bool read_tenants(Reader& reader, const Node& node, std::vector<Tenant>& tenants) {
  if (node.at("file") != nullptr) {
    TenantFile file;
    return tenant_file_type.read(reader, node, file);
  }
  if (node.kind != Node::Kind::sequence) {
    const bool file = node.text.ends_with(".csv") || node.text.ends_with(".ndjson");
    return reader.wrong_kind(
        node, "a list of tenants or { file: tenants.csv }",
        file ? "write { file: " + as_item(node) + " }" : remedy_as_item<tenant_type>(reader, node));
  }
  return tenant_list_type.read(reader, node, tenants);
}

}  // namespace

constinit const Type<Map<Tier>> tiers_type = map_of<slug_type, tier_type>;
constinit const Type<Tenant> tenant_type = object<Tenant, tenant_fields>("Tenant");
constinit const Type<std::vector<Tenant>> tenants_type{
    .shape = {.kind = Shape::Kind::choice, .name = "list or file", .choices = tenants_choices},
    .read = read_tenants};

}  // namespace caisson::spec
