#include "runtime/context/configuration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "runtime/context/object_reader.h"
#include "runtime/context/secret_file.h"
#include "runtime/context/strict_json.h"
#include "runtime/context/tenant_reader.h"

namespace caisson::context {
namespace {

namespace json = boost::json;

constexpr std::size_t max_file_bytes = std::size_t{64} << 20;
constexpr std::int64_t max_ms = std::int64_t{365} * 24 * 3600 * 1000;
constexpr std::array<std::string_view, 5> known_modules{"records", "events", "memory", "queue",
                                                        "pipelines"};

/// Whether `host` is a name, and no odd spelling of an address.
bool is_host_name(std::string_view host) {
  return is_domain(host) && std::ranges::any_of(host, [](char c) { return c >= 'a' && c <= 'z'; });
}

/// Whether `text` is `address:port`, with IPv6 in brackets, `name:port`, or `unix:/path` of a
/// socket that the service manager passes.
bool is_listen_address(std::string_view text) {
  constexpr std::string_view local = "unix:/";
  constexpr std::size_t longest_path = 107;  // unix(7)
  if (text.starts_with(local)) return text.size() - local.size() < longest_path;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[');
  if (bracketed == (host.find(':') == std::string_view::npos)) return false;
  if (!is_address(host) && !is_host_name(host)) return false;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc{} && end == port.data() + port.size();
}

/// Where no tiers are named.
tenancy::Tiers default_tiers() { return {{"default", {.isolation = tenancy::Isolation::schema}}}; }

/// Decodes one configuration; every step notes its faults and goes on.
class Decoder {
 public:
  Decoder(const std::filesystem::path& directory, Beside beside)
      : directory_(directory), beside_(beside) {}
  /// Decodes the tenants file of `configuration` alone.
  explicit Decoder(const Configuration& configuration)
      : directory_(configuration.tenants_file), beside_(Beside::all) {
    result_.domain = configuration.domain;
    result_.tiers_in_file = configuration.tiers_in_file;
    had_tiers_ = configuration.tiers_named;
    result_.tiers = configuration.tiers_in_file ? default_tiers() : configuration.tiers;
    read_tenants_file(configuration.tenants_file);
  }

  void decode(const json::value& document);
  [[nodiscard]] Configuration& result() { return result_; }
  [[nodiscard]] Faults& faults() { return faults_; }

 private:
  /// Calls `read` with the object that member `key` is, when it is there.
  template <class Read>
  void section(ObjectReader& parent, std::string_view key, Read read) {
    const json::value* value = parent.take(key);
    if (value == nullptr) return;
    ObjectReader object(*value, parent.pointer_to(key), faults_);
    read(object);
  }
  [[nodiscard]] std::filesystem::path path(ObjectReader& object, std::string_view key,
                                           bool required) {
    const std::string text = required ? object.required_text(key) : object.text(key);
    return text.empty() ? std::filesystem::path() : (directory_ / text).lexically_normal();
  }

  void read_listen(ObjectReader& object);
  void read_limits_of_server(ObjectReader& object);
  void read_auth(ObjectReader& object);
  void read_tokens(ObjectReader& object);
  void read_operator(ObjectReader& object);
  void read_proxy(ObjectReader& object);
  void read_log(ObjectReader& object);
  void read_tiers(ObjectReader& root);
  void read_modules(ObjectReader& root);
  void read_tenants(ObjectReader& root);
  void read_tenants_file(const std::filesystem::path& file);
  void read_tenant(const json::value& value, const std::string& pointer);

  const std::filesystem::path& directory_;
  const Beside beside_;
  Configuration result_;
  Faults faults_;
  std::set<std::string> slugs_;
  std::set<std::string> domains_;
  bool had_tiers_ = false;  ///< the tenants file, at the start
};

void Decoder::decode(const json::value& document) {
  ObjectReader root(document, "", faults_);
  result_.deployment = root.required_text("deployment");
  result_.instance = root.text("instance", "runtime");
  result_.domain = root.required_text("domain");
  if (!result_.domain.empty() && !is_domain(result_.domain)) {
    root.fault("domain", "must be a domain in lower case, for example acme.example.com");
  }
  result_.listen = {
      .data = "127.0.0.1:8080", .operator_ = "127.0.0.1:9090", .metrics = {}, .tls = std::nullopt};
  section(root, "listen", [&](ObjectReader& object) { read_listen(object); });
  result_.data = path(root, "data", true);
  result_.threads = static_cast<int>(root.integer("threads", 0, 0, 256));
  read_modules(root);
  result_.lame_duck_ms = root.integer("lame-duck-ms", 0, 0, max_ms);
  result_.drain_ms = root.integer("drain-ms", 10000, 0, max_ms);
  section(root, "limits", [&](ObjectReader& object) { read_limits_of_server(object); });
  section(root, "auth", [&](ObjectReader& object) { read_auth(object); });
  if (root.has("operator")) {
    section(root, "operator", [&](ObjectReader& object) { read_operator(object); });
  } else {
    root.fault("operator", "is required: the operator API answers only to its token");
  }
  section(root, "proxy", [&](ObjectReader& object) { read_proxy(object); });
  section(root, "log", [&](ObjectReader& object) { read_log(object); });
  result_.tiers_in_file = !root.has("tiers") && root.has("tenants-file");
  result_.tiers = default_tiers();
  read_tiers(root);
  read_tenants(root);
}

void Decoder::read_listen(ObjectReader& object) {
  result_.listen.data = object.text("data", result_.listen.data);
  result_.listen.operator_ = object.text("operator", result_.listen.operator_);
  result_.listen.metrics = object.text("metrics");
  const auto& [data, operator_api, metrics, ignored] = result_.listen;
  const auto check = [&](std::string_view key, const std::string& address) {
    if (!is_listen_address(address))
      object.fault(key, "must be address:port, for example 127.0.0.1:8080, or unix:/path");
  };
  check("data", data);
  check("operator", operator_api);
  if (object.has("metrics")) check("metrics", metrics);
  const auto same = [](const std::string& one, const std::string& other) {
    return one == other && !one.ends_with(":0");
  };
  if (same(operator_api, data)) {
    object.fault("operator", "is the same as data; the operator API needs a listener of its own");
  }
  if (same(metrics, data) || same(metrics, operator_api)) {
    object.fault("metrics", "is the same as another; metrics need a listener of their own");
  }
  section(object, "tls", [&](ObjectReader& tls) {
    result_.listen.tls =
        TlsFiles{.certificate = path(tls, "cert-file", true), .key = path(tls, "key-file", true)};
  });
}

void Decoder::read_limits_of_server(ObjectReader& object) {
  ServerLimits& limits = result_.limits;
  limits.header = object.integer("header", limits.header, 1024, 1 << 20);
  limits.body = object.integer("body", limits.body, 0, std::int64_t{1} << 30);
  limits.header_timeout_ms =
      object.integer("header-timeout-ms", limits.header_timeout_ms, 1, max_ms);
  limits.body_timeout_ms = object.integer("body-timeout-ms", limits.body_timeout_ms, 1, max_ms);
  limits.idle_timeout_ms = object.integer("idle-timeout-ms", limits.idle_timeout_ms, 1, max_ms);
  limits.request_timeout_ms =
      object.integer("request-timeout-ms", limits.request_timeout_ms, 1, max_ms);
  limits.connections = object.integer("connections", limits.connections, 1, 1'000'000);
  limits.pipeline = object.integer("pipeline", limits.pipeline, 1, 10'000);
  limits.open_tenants = object.integer("open-tenants", 0, 0, 1'000'000);
  constexpr std::int64_t mib = std::int64_t{1} << 20;
  limits.memory = object.integer("memory", 0, 0, mib * mib);
  limits.buffered = object.integer("buffered", 0, 0, mib * mib);
  if (limits.memory > 0 && limits.memory < 128 * mib) {
    object.fault("memory", "must be at least 134217728 (128 MiB), or 0 for what there is");
  }
  if (limits.buffered > 0 && limits.buffered < mib) {
    object.fault("buffered", "must be at least 1048576 (1 MiB), or 0 for a share of the memory");
  }
  if (limits.memory > 0 && limits.buffered > limits.memory / 2) {
    object.fault("buffered", "is more than half of the memory, and open stores need some, too");
  }
}

void Decoder::read_auth(ObjectReader& object) {
  if (object.has("resolve")) {
    result_.resolve = {.subdomain = false, .header = false, .token = false};
    const std::size_t before = faults_.size();
    const std::vector<std::string> signals = object.texts("resolve");
    for (const std::string& signal : signals) {
      if (signal == "subdomain") {
        result_.resolve.subdomain = true;
      } else if (signal == "header") {
        result_.resolve.header = true;
      } else if (signal == "token") {
        result_.resolve.token = true;
      } else {
        object.fault("resolve", "'" + signal + "' is none of subdomain, header, token");
      }
    }
    if (signals.empty() && faults_.size() == before) {
      object.fault("resolve", "must name at least one of subdomain, header, token");
    }
  }
  result_.api_keys = object.boolean("api-keys", true);
  section(object, "tokens", [&](ObjectReader& tokens) { read_tokens(tokens); });
  if (!result_.api_keys && !result_.tokens) {
    object.fault("api-keys", "without API keys and without tokens nobody could authenticate");
  }
}

void Decoder::read_tokens(ObjectReader& object) {
  TokenSettings tokens;
  tokens.issuer = object.required_text("issuer");
  tokens.audience = object.required_text("audience");
  tokens.key_file = path(object, "key-file", false);
  for (const char* key : {"key-file", "jwks-file"}) {
    if (object.text(key, "").find("://") != std::string::npos) {
      object.fault(key,
                   "is a URL, and keys are read from a file: fetch the issuer's key set, for "
                   "example with curl, and name the file; it is read again when it changes");
    }
  }
  tokens.jwks_file = path(object, "jwks-file", false);
  if (tokens.key_file.empty() == tokens.jwks_file.empty()) {
    object.fault("key-file", "exactly one of key-file and jwks-file must be given");
  }
  for (const std::string& text : object.texts("algorithms", {"EdDSA"})) {
    if (const auto algorithm = algorithm_named(text)) {
      tokens.algorithms.insert(*algorithm);
    } else {
      object.fault("algorithms", "'" + text + "' is none of EdDSA, ES256, RS256, HS256");
    }
  }
  if (tokens.algorithms.empty()) object.fault("algorithms", "must name at least one algorithm");
  if (!tokens.key_file.empty() && tokens.algorithms.contains(Algorithm::hs256) &&
      tokens.algorithms.size() > 1) {
    object.fault("algorithms", "one key cannot be both a shared secret (HS256) and a public key");
  }
  tokens.tenant_claim = object.text("tenant-claim", "tid");
  if (tokens.tenant_claim.empty()) object.fault("tenant-claim", "must not be empty");
  const std::string holds = object.text("tenant-claim-holds", "slug");
  if (holds == "id") {
    tokens.claim_holds = TenantClaim::id;
  } else if (holds != "slug") {
    object.fault("tenant-claim-holds", "must be slug or id: what the tenant claim says");
  }
  tokens.leeway_ms = object.integer("leeway-ms", 0, 0, 300'000);
  result_.tokens = std::move(tokens);
}

void Decoder::read_operator(ObjectReader& object) {
  const std::filesystem::path file = path(object, "token-file", true);
  if (file.empty() || beside_ == Beside::none) return;
  auto token = read_secret_file(file);
  if (!token) {
    object.fault("token-file", token.error().text());
  } else if (token->size() < 32 || token->find_first_of(" \t\r\n") != std::string::npos) {
    object.fault("token-file", "the token in it must be at least 32 characters without blanks");
  } else {
    result_.operator_token = std::move(*token);
  }
}

void Decoder::read_proxy(ObjectReader& object) {
  for (const std::string& cidr : object.texts("trust")) {
    if (const auto network = parse_network(cidr)) {
      result_.trusted_proxies.push_back(*network);
    } else {
      object.fault("trust", "'" + cidr + "' is no network, for example 10.0.0.0/8, nor 'unix'");
    }
  }
}

void Decoder::read_log(ObjectReader& object) {
  const std::string text = object.text("level", "info");
  using observe::Level;
  for (const Level level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error}) {
    if (observe::name(level) == text) {
      result_.log_level = level;
      return;
    }
  }
  object.fault("level", "must be one of trace, debug, info, warn, error");
}

void Decoder::read_modules(ObjectReader& root) {
  result_.modules = root.texts("modules", {"records"});
  for (const std::string& module : result_.modules) {
    if (std::ranges::find(known_modules, module) == known_modules.end()) {
      root.fault("modules",
                 "'" + module + "' is none of records, events, memory, queue, pipelines");
    }
  }
}

void Decoder::read_tiers(ObjectReader& root) {
  const json::value* tiers = root.take("tiers");
  if (tiers != nullptr && !tiers->is_object()) root.fault("tiers", "must be an object");
  if (tiers == nullptr || !tiers->is_object() || tiers->get_object().empty()) return;
  result_.tiers.clear();
  constexpr std::array<std::string_view, 4> isolations{"row", "schema", "database", "deployment"};
  for (const auto& member : tiers->get_object()) {
    const std::string name(member.key());
    ObjectReader object(member.value(), root.pointer_to("tiers") + pointer_step(name), faults_);
    tenancy::Tier tier;
    const std::string isolation = object.text("isolation", "schema");
    const auto found = std::ranges::find(isolations, isolation);
    if (found == isolations.end()) {
      object.fault("isolation", "must be one of row, schema, database, deployment");
    } else {
      tier.isolation = static_cast<tenancy::Isolation>(found - isolations.begin());
    }
    tier.retention_ms = object.integer("retention-ms", 0);
    tier.limits = read_limits(object);
    result_.tiers[name] = tier;
  }
}

void Decoder::read_tenants(ObjectReader& root) {
  const std::filesystem::path file = path(root, "tenants-file", false);
  const json::value* tenants = root.take("tenants");
  if (tenants != nullptr && !file.empty()) {
    root.fault("tenants-file", "tenants are listed both here and in 'tenants'; keep one of them");
  }
  result_.tenants_file = file;
  if (!file.empty() && beside_ == Beside::all) read_tenants_file(file);
  if (tenants == nullptr) return;
  if (!tenants->is_array()) {
    root.fault("tenants", "must be a list");
    return;
  }
  std::size_t index = 0;
  for (const json::value& tenant : tenants->get_array()) {
    read_tenant(tenant, "/tenants/" + std::to_string(index++));
  }
}

void Decoder::read_tenants_file(const std::filesystem::path& file) {
  const auto text = read_small_file(file, max_file_bytes);
  if (!text) {
    faults_.note("/tenants-file", text.error().text());
    return;
  }
  std::string_view rest = *text;
  bool first = true;
  for (std::size_t line = 1; !rest.empty() && faults_.size() < 100; ++line) {
    const std::size_t end = rest.find('\n');
    const std::string_view record = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (record.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = file.filename().string() + ":" + std::to_string(line);
    const auto value = parse_strict(record);
    if (!value) {
      faults_.note(where, value.error().what);
      continue;
    }
    const bool leads = std::exchange(first, false);
    if (!value->is_object() || !value->get_object().contains("tiers")) {
      read_tenant(*value, where);
    } else if (!leads) {
      faults_.note(where, "tiers must be in the first line, before the tenants");
    } else if (!result_.tiers_in_file) {
      faults_.note(where, "tiers are listed here and in the configuration; keep one of them");
    } else {
      ObjectReader object(*value, where, faults_);
      read_tiers(object);
      result_.tiers_named = true;
    }
  }
  // A file that was cut off would take the limits of every tenant away.
  if (result_.tiers_in_file && first) {
    faults_.note(file.filename().string(),
                 "is empty, and the configuration has no tiers; begin it with {\"tiers\": {...}}");
  } else if (had_tiers_ && !result_.tiers_named) {
    faults_.note(file.filename().string() + ":1",
                 "has no tiers, which it had at the start; begin it with {\"tiers\": {...}}");
  }
}

void Decoder::read_tenant(const json::value& value, const std::string& pointer) {
  const std::size_t faults = faults_.size();
  ObjectReader object(value, pointer, faults_);
  tenancy::TenantSpec tenant;
  tenant.slug = object.required_text("slug");
  if (const auto defect = slug_defect(tenant.slug); !tenant.slug.empty() && !defect.empty()) {
    object.fault("slug", std::string(defect));
  } else if (!tenant.slug.empty() && !slugs_.insert(tenant.slug).second) {
    object.fault("slug", "another tenant has the slug '" + tenant.slug + "'");
  }
  tenant.name = object.text("name");
  tenant.owner = object.text("owner");
  tenant.deployment_url = object.text("deployment-url");
  const bool one_tier = result_.tiers.size() == 1;
  tenant.tier =
      one_tier ? object.text("tier", result_.tiers.begin()->first) : object.required_text("tier");
  if (!tenant.tier.empty() && !result_.tiers.contains(tenant.tier)) {
    object.fault("tier", "unknown tier '" + tenant.tier + "'");
  }
  const std::string status = object.text("status", "active");
  if (status == "suspended") {
    tenant.status = tenancy::Status::suspended;
  } else if (status != "active") {
    object.fault("status", "must be active or suspended");
  }
  tenant.domains = read_domains(object, result_.domain);
  for (const std::string& domain : tenant.domains) {
    if (!domains_.insert(domain).second)
      object.fault("domains", "another tenant has the domain '" + domain + "'");
  }
  tenant.limits = read_limits(object);
  // Whatever the registry would refuse is refused here, where somebody is told of its line.
  if (faults_.size() == faults) {
    if (const auto defect = tenancy::defect_of(tenant, result_.tiers))
      object.note(pointer + defect->pointer, defect->detail);
  }
  result_.tenants.push_back(std::move(tenant));
}

}  // namespace

namespace {

tl::expected<ConfigurationPtr, Faults> parse(std::string_view text,
                                             const std::filesystem::path& directory,
                                             Beside beside) {
  const auto document = parse_strict(text);
  if (!document) {
    const JsonError& error = document.error();
    return tl::unexpected(Faults{{.pointer = "",
                                  .detail = "line " + std::to_string(error.line) + ", column " +
                                            std::to_string(error.column) + ": " + error.what}});
  }
  Decoder decoder(directory, beside);
  decoder.decode(*document);
  if (!decoder.faults().empty()) return tl::unexpected(std::move(decoder.faults()));
  return std::make_shared<const Configuration>(std::move(decoder.result()));
}

}  // namespace

tl::expected<ConfigurationPtr, Faults> parse_configuration(std::string_view text,
                                                           const std::filesystem::path& directory) {
  return parse(text, directory, Beside::all);
}

tl::expected<Tenancy, Faults> load_tenants(const Configuration& configuration) {
  Decoder decoder(configuration);
  if (!decoder.faults().empty()) return tl::unexpected(std::move(decoder.faults()));
  Configuration& read = decoder.result();
  return Tenancy{.tiers = std::move(read.tiers), .tenants = std::move(read.tenants)};
}

tl::expected<ConfigurationPtr, Faults> load_configuration(const std::filesystem::path& file,
                                                          Beside beside) {
  const auto text = read_small_file(file, max_file_bytes);
  if (!text) return tl::unexpected(Faults{{.pointer = "", .detail = text.error().text()}});
  // The whole path: what is read again later is found wherever the process is by then.
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(file, error);
  if (error) {
    return tl::unexpected(
        Faults{{.pointer = "", .detail = "cannot tell where it is: " + error.message()}});
  }
  return parse(*text, whole.parent_path(), beside);
}

}  // namespace caisson::context
