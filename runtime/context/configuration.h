#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/observe/log.h"
#include "runtime/observe/problem.h"
#include "runtime/tenancy/registry.h"

namespace caisson::context {

struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct Listen {
  std::string data;             ///< address:port
  std::string operator_;        ///< address:port
  std::string metrics;          ///< address:port; empty: nobody reads metrics
  std::optional<TlsFiles> tls;  ///< of the data listener
};

/// Bounds of the HTTP server; bytes and milliseconds.
struct ServerLimits {
  std::int64_t header = 16384;
  std::int64_t body = 1048576;
  std::int64_t header_timeout_ms = 10000;
  std::int64_t body_timeout_ms = 30000;
  std::int64_t idle_timeout_ms = 60000;
  std::int64_t request_timeout_ms = 30000;
  std::int64_t connections = 10000;
  std::int64_t pipeline = 64;
  std::int64_t open_tenants = 0;  ///< 0: from RLIMIT_NOFILE and the memory
  std::int64_t memory = 0;        ///< bytes to live in; 0: what the process may use
  std::int64_t buffered = 0;      ///< bytes of requests and answers; 0: from the memory
};

/// Signatures that a token may bear.
enum class Algorithm : std::uint8_t { eddsa, es256, rs256, hs256 };

[[nodiscard]] std::string_view name(Algorithm algorithm) noexcept;
[[nodiscard]] std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;

/// What a token's tenant claim says: never either, since a slug may look like an id.
enum class TenantClaim : std::uint8_t { slug, id };

/// How tokens are verified. Exactly one of the two files is set.
struct TokenSettings {
  std::string issuer;
  std::string audience;
  std::filesystem::path
      key_file;  ///< PEM public key, or the secret itself when HS256 is the algorithm
  std::filesystem::path jwks_file;  ///< RFC 7517
  std::set<Algorithm> algorithms;
  std::string tenant_claim = "tid";
  TenantClaim claim_holds = TenantClaim::slug;
  std::int64_t leeway_ms = 0;
};

/// Which signals may name the tenant.
struct Resolve {
  bool subdomain = true;  ///< and own domain
  bool header = true;
  bool token = true;
};

/// Peers: an IPv4 or IPv6 network, IPv4 kept in its mapped form; or whoever connects over a Unix
/// socket.
struct Network {
  std::array<unsigned char, 16> address{};
  int bits = 0;        ///< of the 128
  bool local = false;  ///< Unix sockets, and no network
  [[nodiscard]] bool contains(std::string_view address) const;
};

/// "10.0.0.0/8", "::1", or "unix".
[[nodiscard]] std::optional<Network> parse_network(std::string_view cidr);

/// The configuration of one runtime, `runtime.json` of docs/runtime.md, with the secrets it points
/// at. It is made once, at the start, and only ever shared as `const`.
struct Configuration {
  std::string deployment;
  std::string instance;
  std::string domain;
  Listen listen;
  std::filesystem::path data;
  int threads = 0;
  std::vector<std::string> modules;
  std::int64_t lame_duck_ms = 0;  ///< served on for, though no longer ready, before the drain
  std::int64_t drain_ms = 10000;
  ServerLimits limits;
  Resolve resolve;
  bool api_keys = true;
  std::optional<TokenSettings> tokens;
  std::string operator_token;
  std::vector<Network> trusted_proxies;
  observe::Level log_level = observe::Level::info;
  tenancy::Tiers tiers;  ///< as of the start, like the tenants, when they are in the tenants file
  /// Tiers stand in the first line of the tenants file: they may, as there are none in the
  /// configuration itself, and they did.
  bool tiers_in_file = false;
  bool tiers_named = false;
  std::vector<tenancy::TenantSpec> tenants;
  std::filesystem::path
      tenants_file;  ///< absolute; empty when the tenants are in the configuration
};
using ConfigurationPtr = std::shared_ptr<const Configuration>;

/// Every defect of a configuration; a defect that is not one of a member has an empty pointer.
using observe::Faults;

/// Which files that the configuration names are read with it. What somebody does not need must not
/// keep them from it: secrets are there for the process that serves alone, and who only asks that
/// one needs no tenants.
enum class Beside : std::uint8_t {
  all,      ///< secrets and the tenants file
  secrets,  ///< the operator's token
  none,
};

/// Reads and checks `file` and what is `beside` it. Relative paths are relative to `file`; those of
/// the result are absolute.
[[nodiscard]] tl::expected<ConfigurationPtr, Faults> load_configuration(
    const std::filesystem::path& file, Beside beside = Beside::all);

/// What a tenants file says.
struct Tenancy {
  tenancy::Tiers tiers;  ///< those of the configuration, when it has them
  std::vector<tenancy::TenantSpec> tenants;
};

/// The tenants file of a configuration as it is now.
[[nodiscard]] tl::expected<Tenancy, Faults> load_tenants(const Configuration& configuration);

/// As `load_configuration`, of the text of a file in `directory`, which is absolute.
[[nodiscard]] tl::expected<ConfigurationPtr, Faults> parse_configuration(
    std::string_view text, const std::filesystem::path& directory);

/// RFC 1123 label of 1 to 40 characters, lower case.
[[nodiscard]] bool is_slug(std::string_view text) noexcept;

/// Whether `text` has the form of a tenant's id, a UUID. No new tenant gets such a slug.
[[nodiscard]] bool looks_like_id(std::string_view text) noexcept;

/// What is wrong with `text` as the slug of a new tenant; empty when nothing is.
[[nodiscard]] std::string_view slug_defect(std::string_view text) noexcept;

/// An IPv4 address, or an IPv6 one with or without brackets.
[[nodiscard]] bool is_address(std::string_view host) noexcept;

/// Dot-separated RFC 1123 labels, lower case, 253 characters at most.
[[nodiscard]] bool is_domain(std::string_view text) noexcept;

}  // namespace caisson::context
