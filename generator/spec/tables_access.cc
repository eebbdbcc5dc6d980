#include <algorithm>
#include <iterator>

#include "base/suggestion.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

constexpr auto port_type = integer<std::uint16_t, 1, 65'535>;

constexpr Word<Auth::Signal> signals[] = {{"subdomain", Auth::Signal::subdomain},
                                          {"header", Auth::Signal::header},
                                          {"token", Auth::Signal::token}};
constexpr auto signal_type = word<signals>("Signal");
constexpr auto signals_type = list_of<signal_type>;

constexpr Word<Tokens::Algorithm> algorithms[] = {{"EdDSA", Tokens::Algorithm::eddsa},
                                                  {"ES256", Tokens::Algorithm::es256},
                                                  {"RS256", Tokens::Algorithm::rs256},
                                                  {"HS256", Tokens::Algorithm::hs256}};
constexpr auto algorithm_type = word<algorithms>("Algorithm");
constexpr auto algorithms_type = list_of<algorithm_type>;

constexpr std::string_view key_sources[] = {"jwks", "key"};

constexpr Field token_fields[] = {
    field<&Tokens::issuer, text_type>("issuer", required, "`iss` that a token must carry"),
    field<&Tokens::audience, text_type>("audience", required, "`aud` that a token must carry"),
    field<&Tokens::jwks, jwks_type>("jwks", optional,
                                    "the issuer's keys: a URL or a file beside the spec; or `key`"),
    field<&Tokens::key, secret_ref_type>("key", optional, "secret with the one key; or `jwks`"),
    field<&Tokens::algorithms, algorithms_type>("algorithms", literal("[EdDSA, ES256]"),
                                                "signatures that count"),
    field<&Tokens::tenant_claim, claim_type>("tenant-claim", literal("tid"),
                                             "claim that names the tenant"),
    field<&Tokens::leeway, duration_type>("leeway", literal("0s"),
                                          "difference of clocks that is forgiven"),
};
constexpr auto tokens_type = object<Tokens, token_fields, key_sources>("Tokens");

constexpr Field oidc_fields[] = {
    field<&Oidc::issuer, url_type>("issuer", required, "the identity provider"),
    field<&Oidc::client_id, text_type>("client-id", required, "the dashboard's id there"),
    field<&Oidc::client_secret, secret_ref_type>("client-secret", optional,
                                                 "secret with the dashboard's password there"),
    field<&Oidc::tenant_from, claim_type>("tenant-from", literal("tid"),
                                          "claim that names the tenant"),
};
constexpr auto oidc_type = object<Oidc, oidc_fields>("Oidc");

constexpr Field auth_fields[] = {
    field<&Auth::resolve, signals_type>("resolve", literal("[subdomain, header, token]"),
                                        "what may name the tenant; all that is present must agree"),
    field<&Auth::tokens, tokens_type>("tokens", optional, "signed tokens (JWT)"),
    field<&Auth::api_keys, boolean_type>("api-keys", literal("true"),
                                         "keys that the operator hands out"),
    field<&Auth::oidc, oidc_type>("oidc", optional,
                                  "sign-in to the dashboard; nothing does it yet"),
};

constexpr auto secret_bytes_type = integer<std::int64_t, 16, 4'096>;

constexpr Field generate_fields[] = {
    field<&Secret::bytes, secret_bytes_type>("bytes", literal("32"),
                                             "random bytes, made on the target host"),
};
constexpr Field file_fields[] = {
    field<&Secret::path, path_type>("path", required, "a file beside the spec"),
};
constexpr Field env_fields[] = {
    field<&Secret::name, env_name_type>("name", required, "a variable of whoever deploys"),
};
constexpr Field kubernetes_fields[] = {
    field<&Secret::name, text_type>("name", required, "a Secret that exists in the namespace"),
    field<&Secret::key, text_type>("key", required, "a key of its data"),
};
constexpr Field external_secret_fields[] = {
    field<&Secret::store, text_type>("store", required,
                                     "a SecretStore of the External Secrets Operator"),
    field<&Secret::key, text_type>("key", required, "the key in that store"),
};
// No fields: kubeseal makes the value from what the operator hands to it.
constexpr std::array<Field, 0> sealed_fields{};
constexpr Field vault_fields[] = {
    field<&Secret::path, text_type>("path", required, "a path in Vault"),
};
constexpr Field aws_fields[] = {
    field<&Secret::id, text_type>("id", required, "id or ARN in AWS Secrets Manager"),
};

template <Secret::Source source>
bool from(Reader&, const Node&, Secret& secret) {
  secret.source = source;
  return true;
}
using Source = Secret::Source;
constexpr auto generate_type =
    object<Secret, generate_fields, independent, from<Source::generate>>("SecretGenerate");
constexpr auto file_type =
    object<Secret, file_fields, independent, from<Source::file>>("SecretFile");
constexpr auto env_source_type =
    object<Secret, env_fields, independent, from<Source::env>>("SecretEnv");
constexpr auto kubernetes_type =
    object<Secret, kubernetes_fields, independent, from<Source::kubernetes>>("SecretKubernetes");
constexpr auto external_secret_type =
    object<Secret, external_secret_fields, independent, from<Source::external>>("SecretExternal");
constexpr auto sealed_type =
    object<Secret, sealed_fields, independent, from<Source::sealed>>("SecretSealed");
constexpr auto vault_type =
    object<Secret, vault_fields, independent, from<Source::vault>>("SecretVault");
constexpr auto aws_type = object<Secret, aws_fields, independent, from<Source::aws>>("SecretAws");

constexpr std::string_view sources[] = {"generate", "file",   "env",   "kubernetes",
                                        "external", "sealed", "vault", "aws"};

constexpr Field source_fields[] = {
    spread<generate_type>("generate", optional, "made at random on the target host"),
    spread<file_type>("file", optional, "a file beside the spec"),
    spread<env_source_type>("env", optional, "a variable of whoever deploys"),
    spread<kubernetes_type>("kubernetes", optional, "a Kubernetes Secret that exists already"),
    spread<external_secret_type>("external", optional, "the External Secrets Operator"),
    spread<sealed_type>("sealed", optional, "a SealedSecret"),
    spread<vault_type>("vault", optional, "HashiCorp Vault"),
    spread<aws_type>("aws", optional, "AWS Secrets Manager"),
};
constexpr auto source_map_type = object<Secret, source_fields, sources>("SecretSource");

// The sources that need nothing more may be written as a word.
constexpr Word<Source> bare_sources[] = {{"generate", Source::generate},
                                         {"sealed", Source::sealed}};
constexpr auto bare_source_type = word<bare_sources>("BareSource");
constexpr std::array<const Shape*, 2> source_choices{&bare_source_type.shape,
                                                     &source_map_type.shape};
constexpr Type<Secret> source_type{
    .shape = {.kind = Shape::Kind::choice, .name = "source", .choices = source_choices},
    .read = [](Reader& reader, const Node& node, Secret& secret) {
      const bool names_source = std::ranges::find(sources, node.text) != std::end(sources);
      const bool is_bare =
          !names_source ||
          std::ranges::find(bare_sources, node.text, &Word<Source>::word) != std::end(bare_sources);
      if (node.kind == Node::Kind::scalar && is_bare)
        return bare_source_type.read(reader, node, secret.source);
      return source_map_type.read(reader, node, secret);
    }};

constexpr Field secret_fields[] = {
    spread<source_type>("from", required, "where its value comes from: one source"),
    field<&Secret::rotate, duration_type>("rotate", literal("0s"),
                                          "age at which it is replaced; 0s: never"),
};
constexpr auto secret_type = object<Secret, secret_fields>("Secret");

constexpr Word<Edge::Proxy> proxies[] = {
    {"caddy", Edge::Proxy::caddy}, {"nginx", Edge::Proxy::nginx}, {"none", Edge::Proxy::none}};
constexpr auto proxy_type = word<proxies>("Proxy");
constexpr Word<Edge::TlsMode> modes[] = {{"acme", Edge::TlsMode::acme},
                                         {"files", Edge::TlsMode::files},
                                         {"internal", Edge::TlsMode::internal},
                                         {"off", Edge::TlsMode::off}};
constexpr auto mode_type = word<modes>("TlsMode");

constexpr Field tls_fields[] = {
    field<&Edge::Tls::mode, mode_type>(
        "mode",
        computed(
            "`files` with a `cert`, `acme` with an `email` and a public domain, else `internal`"),
        "where certificates come from"),
    field<&Edge::Tls::email, email_type>("email", optional, "whom the ACME authority writes to"),
    field<&Edge::Tls::ca, url_type>("ca", computed("the proxy's"),
                                    "directory of the ACME authority"),
    field<&Edge::Tls::ca_root, path_type>(
        "ca-root", optional,
        "certificate that vouches for a `ca` of one's own, a file beside the spec"),
    field<&Edge::Tls::cert, path_type>("cert", optional,
                                       "certificate chain, a file beside the spec"),
    field<&Edge::Tls::key, path_type>("key", optional, "its private key, a file beside the spec"),
};
constexpr auto tls_type = object<Edge::Tls, tls_fields>("Tls");

/// A request under way takes two open files of the edge, and Linux gives a process 1,048,576.
constexpr auto connections_type = integer<std::int64_t, 0, 524'096>;
constexpr Field edge_limit_fields[] = {
    field<&Edge::EdgeLimits::connections, connections_type>("connections", literal("8000"),
                                                            "open connections"),
    field<&Edge::EdgeLimits::body, bytes_type>("body", literal("10Mi"), "largest request body"),
    field<&Edge::EdgeLimits::header, bytes_type>("header", literal("16Ki"),
                                                 "largest request header"),
    field<&Edge::EdgeLimits::timeout, duration_type>("timeout", literal("60s"),
                                                     "time for a request"),
};
constexpr auto edge_limits_type = object<Edge::EdgeLimits, edge_limit_fields>("EdgeLimits");
constexpr auto cidrs_type = list_of<cidr_type>;

constexpr Field edge_fields[] = {
    field<&Edge::proxy, proxy_type>("proxy", literal("caddy"), "what listens to the world"),
    field<&Edge::http, port_type>("http", literal("80"), "port of plain HTTP"),
    field<&Edge::https, port_type>("https", literal("443"), "port of HTTPS"),
    field<&Edge::tls, tls_type>("tls", literal("{}"), "certificates"),
    field<&Edge::limits, edge_limits_type>("limits", literal("{}"), "bounds of every request"),
    field<&Edge::hsts, boolean_type>("hsts", literal("false"), "tell browsers to use HTTPS only"),
    field<&Edge::trust, cidrs_type>("trust", literal("[]"),
                                    "proxies in front whose forwarded headers count"),
};

constexpr auto egress_list_type = list_of<egress_type>;
constexpr auto addresses_type = list_of<address_type>;
constexpr Word<bool> deny_words[] = {{"deny", true}};
constexpr auto deny_type = word<deny_words>("deny");
constexpr std::array<const Shape*, 2> egress_choices{&deny_type.shape, &egress_list_type.shape};
constexpr Type<std::vector<std::string>> network_egress_type{
    .shape = {.kind = Shape::Kind::choice, .name = "deny or list", .choices = egress_choices},
    .read = [](Reader& reader, const Node& node, std::vector<std::string>& egress) {
      if (node.kind == Node::Kind::sequence) return egress_list_type.read(reader, node, egress);
      if (node.kind == Node::Kind::scalar && node.text == "deny") return true;
      if (node.kind == Node::Kind::scalar && says_nothing(node.text))
        return reader.wrong_kind(node, "'deny' or a list of destinations", "write deny");
      auto remedy = remedy_as_item<egress_type>(reader, node);
      if (remedy.empty() && node.kind == Node::Kind::scalar)
        remedy = "write [" + as_item(node) + "]";
      return reader.wrong_kind(node, "'deny' or a list of destinations", std::move(remedy));
    }};

constexpr Field network_fields[] = {
    field<&Network::egress, network_egress_type>(
        "egress", literal("deny"), "where the runtime may connect to; nothing else leaves"),
    field<&Network::dns, addresses_type>("dns", literal("[]"),
                                         "name servers instead of the host's"),
};

}  // namespace

constinit const Type<Auth> auth_type = object<Auth, auth_fields>("Auth");
constinit const Type<Map<Secret>> secrets_type = map_of<slug_type, secret_type>;
constinit const Type<Edge> edge_type = object<Edge, edge_fields>("Edge");
constinit const Type<Network> network_type = object<Network, network_fields>("Network");

}  // namespace caisson::spec
