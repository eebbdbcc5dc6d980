#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr auto port_type = integer<std::uint16_t, 1, 65'535>;
constexpr auto keep_type = integer<std::int64_t, 1, 10'000>;
constexpr auto pool_type = integer<std::int64_t, 1, 1'000>;

constexpr std::string_view tls_modes[] = {"verify-full", "require", "off"};
constexpr Type<std::string> tls_type{
    .shape = {.kind = Shape::Kind::word, .name = "TlsUse", .words = tls_modes},
    .read = [](Reader& reader, const Node& node, std::string& value) {
      const auto index = reader.word(node, tls_modes);
      if (index) value = tls_modes[*index];
      return index.has_value();
    }};

constexpr Field external_fields[] = {
    field<&External::host, host_type>("host", required, "where the server is"),
    field<&External::port, port_type>("port", computed("5432 for postgres, 6379 for redis"),
                                      "its port"),
    field<&External::name, text_type>("name", computed("the deployment's name"),
                                      "name of the database"),
    field<&External::user, text_type>("user", computed("the deployment's name"),
                                      "whom to sign in as"),
    field<&External::password, secret_ref_type>("password", optional, "secret with the password"),
    field<&External::tls, tls_type>("tls", literal("verify-full"),
                                    "how the connection is protected"),
};
constexpr auto external_type = object<External, external_fields>("External");

/// `word` alone says the same as `{ engine: word }`.
template <auto engine, const auto& engine_type, const auto& map_type, class T>
bool read_engine_or_map(Reader& reader, const Node& node, T& value) {
  if (node.kind == Node::Kind::scalar) return engine_type.read(reader, node, value.*engine);
  return map_type.read(reader, node, value);
}

constexpr Word<Database::Engine> database_engines[] = {{"sqlite", Database::Engine::sqlite},
                                                       {"postgres", Database::Engine::postgres}};
constexpr auto database_engine_type = word<database_engines>("DatabaseEngine");

constexpr Field database_fields[] = {
    field<&Database::engine, database_engine_type>(
        "engine", required, "which database; nothing can be generated with `postgres` yet"),
    field<&Database::version, text_type>("version", literal("15"),
                                         "its major version; nothing can be generated with it yet"),
    field<&Database::storage, bytes_type>(
        "storage", literal("10Gi"), "volume of the server; nothing can be generated with it yet"),
    field<&Database::resources, resources_type>(
        "resources", literal("{ cpu: 250m..1, memory: 256Mi..1Gi }"),
        "what the server asks for and may use; nothing can be generated with it yet"),
    field<&Database::external, external_type>(
        "external", optional, "a server that exists already; nothing can be generated with it yet"),
    field<&Database::pool, pool_type>(
        "pool", literal("10"),
        "connections of a runtime instance; nothing can be generated with it yet"),
};
constexpr auto database_map_type = object<Database, database_fields>("Database");
constexpr std::array<const Shape*, 2> database_choices{&database_engine_type.shape,
                                                       &database_map_type.shape};

constexpr Word<Cache::Engine> cache_engines[] = {{"none", Cache::Engine::none},
                                                 {"redis", Cache::Engine::redis}};
constexpr auto cache_engine_type = word<cache_engines>("CacheEngine");

constexpr Field cache_fields[] = {
    field<&Cache::engine, cache_engine_type>(
        "engine", required, "which cache; nothing can be generated with `redis` yet"),
    field<&Cache::external, external_type>(
        "external", optional, "a server that exists already; nothing can be generated with it yet"),
    field<&Cache::persistence, boolean_type>(
        "persistence", literal("false"),
        "keep its contents over a restart; nothing can be generated with it yet"),
};
constexpr auto cache_map_type = object<Cache, cache_fields>("Cache");
constexpr std::array<const Shape*, 2> cache_choices{&cache_engine_type.shape,
                                                    &cache_map_type.shape};

constexpr Field backup_fields[] = {
    field<&Backup::schedule, cron_type>("schedule", required, "when, in UTC"),
    field<&Backup::keep, keep_type>("keep", literal("7"), "how many are kept"),
    field<&Backup::to, location_type>("to", required, "folder or object store"),
    field<&Backup::encrypt, secret_ref_type>("encrypt", optional,
                                             "secret with the key; nothing does it yet"),
};

constexpr Field asset_fields[] = {
    field<&Asset::path, path_type>("path", required, "the file, beside the spec"),
    field<&Asset::to, path_type>("to", computed("`path`"),
                                 "where it is put, relative to the data folder"),
    field<&Asset::sha256, sha256_type>("sha256", optional, "digest that the file must have"),
    field<&Asset::size, bytes_type>("size", optional, "size that the file must have"),
    field<&Asset::description, text_type>("description", optional, "what it is, for people"),
};
constexpr auto asset_type = object<Asset, asset_fields>("Asset");

}  // namespace

constinit const Type<Database> database_type{
    .shape = {.kind = Shape::Kind::choice, .name = "engine or map", .choices = database_choices},
    .read =
        read_engine_or_map<&Database::engine, database_engine_type, database_map_type, Database>};
constinit const Type<Cache> cache_type{
    .shape = {.kind = Shape::Kind::choice, .name = "engine or map", .choices = cache_choices},
    .read = read_engine_or_map<&Cache::engine, cache_engine_type, cache_map_type, Cache>};
constinit const Type<Backup> backup_type = object<Backup, backup_fields>("Backup");
constinit const Type<std::vector<Asset>> assets_type = list_of<asset_type>;

}  // namespace caisson::spec
