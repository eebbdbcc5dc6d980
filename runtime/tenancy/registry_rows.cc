#include "runtime/tenancy/registry_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/label.h"

namespace caisson::tenancy {
namespace {

namespace json = boost::json;

constexpr std::array<storage::Migration, 5> schema = {
    R"sql(
  CREATE TABLE tenant(
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    tier TEXT NOT NULL,
    status INTEGER NOT NULL,
    deployment_url TEXT NOT NULL,
    limits TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    has_store INTEGER NOT NULL,
    purge_at INTEGER               -- when a deleted tenant's data go; NULL: not deleted, or gone
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX tenant_slug ON tenant(slug) WHERE status <> 2;
  CREATE TABLE domain(
    name TEXT PRIMARY KEY,
    tenant TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX domain_tenant ON domain(tenant);
  CREATE TABLE api_key(
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX api_key_tenant ON api_key(tenant);
  CREATE TABLE journal(
    tenant TEXT PRIMARY KEY,
    step INTEGER NOT NULL,
    started INTEGER NOT NULL
  ) WITHOUT ROWID;
)sql",
    // Tenants were made in two steps; those whose second one never came were nobody's, and are
    // removed with their files.
    R"sql(
  DELETE FROM domain WHERE tenant IN (SELECT tenant FROM journal WHERE step=0);
  UPDATE tenant SET status=2 WHERE id IN (SELECT tenant FROM journal WHERE step=0);
  UPDATE journal SET step=1 WHERE step=0;
)sql",
    // From here on the journal may have step 3, which earlier programs would take for a removal.
    "-- nothing changes but the version",
    // What the configuration said last, apart from what holds; NULL: not known, or nothing.
    R"sql(
  ALTER TABLE tenant ADD COLUMN configured_status INTEGER;
  ALTER TABLE tenant ADD COLUMN configured_limits TEXT;
)sql",
    // When a tenant that was made for a test goes; 0: it is like any other.
    "ALTER TABLE tenant ADD COLUMN synthetic_until INTEGER NOT NULL DEFAULT 0;"};

constexpr std::size_t longest_text = 1024;
constexpr std::size_t most_domains = 100;
constexpr std::size_t most_metadata = 64;

bool is_domain(std::string_view text) {
  if (text.size() > 253 || text.find('.') == std::string_view::npos) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// No control characters, for names go into logs, metrics and files.
bool is_plain(std::string_view text) {
  return text.size() <= longest_text && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

json::object parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error || !value.is_object() ? json::object() : std::move(value.get_object());
}

/// A number as the shortest text that is this number again. What the configuration says now is
/// compared with what it said last, so that no digit may be lost in between.
std::string exact(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::optional<double> exact(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What a tenant has whose tier is gone: of each limit the least that any tier has, and the longest
/// retention. Nobody gets more because a name was changed.
Tier least_of(const Tiers& tiers) {
  Tier least;
  for (const auto& [name, tier] : tiers) {
    each_limit([&](std::string_view, auto limit) {
      auto& held = least.limits.*limit;
      if (tier.limits.*limit && (!held || *(tier.limits.*limit) < *held)) held = tier.limits.*limit;
    });
    least.retention_ms = std::max(least.retention_ms, tier.retention_ms);
  }
  return least;
}

}  // namespace

std::span<const storage::Migration> registry_schema() { return schema; }

Tenant tenant_from_row(const storage::Statement& row) {
  Tenant tenant;
  tenant.id = row.text_at(0);
  tenant.slug = row.text_at(1);
  tenant.name = row.text_at(2);
  tenant.owner = row.text_at(3);
  tenant.tier = row.text_at(4);
  tenant.status = static_cast<Status>(row.integer_at(5));
  tenant.deployment_url = row.text_at(6);
  tenant.own = limits_from_text(row.text_at(7));
  for (const auto& member : parse_object(row.text_at(8))) {
    if (member.value().is_string()) {
      tenant.metadata.emplace(member.key(), member.value().get_string());
    }
  }
  tenant.created_ms = row.integer_at(9);
  tenant.updated_ms = row.integer_at(10);
  tenant.has_store = row.integer_at(11) != 0;
  if (!row.null_at(12)) {
    tenant.configured = Terms{.status = static_cast<Status>(row.integer_at(12)),
                              .limits = limits_from_text(row.text_at(13))};
  }
  tenant.synthetic_until_ms = row.integer_at(14);
  return tenant;
}

ApiKey key_from_row(const storage::Statement& row) {
  ApiKey key;
  key.id = row.text_at(0);
  key.tenant_id = row.text_at(1);
  key.name = row.text_at(2);
  for (std::string_view rest = row.text_at(3); !rest.empty();) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    key.scopes.emplace_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  const std::string_view hash = row.blob_at(4);
  if (hash.size() == key.hash.size()) std::memcpy(key.hash.data(), hash.data(), hash.size());
  key.created_ms = row.integer_at(5);
  key.expires_ms = row.integer_at(6);
  key.revoked = row.integer_at(7) != 0;
  return key;
}

std::string limits_text(const Limits& limits) {
  json::object object;
  if (limits.requests_per_second) object[rate_limit] = exact(*limits.requests_per_second);
  for (const auto& [name, member] : count_limits) {
    if (limits.*member) object[name] = *(limits.*member);
  }
  return json::serialize(object);
}

Limits limits_from_text(std::string_view text) {
  const json::object object = parse_object(text);
  Limits limits;
  if (const json::value* rate = object.if_contains(rate_limit)) {
    // Schema 3 and before wrote a number, which its reader rounded.
    if (rate->is_number()) limits.requests_per_second = rate->to_number<double>();
    if (rate->is_string()) limits.requests_per_second = exact(rate->get_string());
  }
  for (const auto& [name, member] : count_limits) {
    const json::value* value = object.if_contains(name);
    if (value != nullptr && value->is_int64()) limits.*member = value->get_int64();
  }
  return limits;
}

std::string metadata_text(const std::map<std::string, std::string>& metadata) {
  json::object object;
  for (const auto& [key, value] : metadata) object[key] = value;
  return json::serialize(object);
}

std::string scopes_text(std::span<const std::string> scopes) {
  std::string text;
  for (const std::string& scope : scopes) {
    if (!text.empty()) text += ' ';
    text += scope;
  }
  return text;
}

void describe(Tenant& tenant, const TenantSpec& spec) {
  tenant.slug = spec.slug;
  tenant.name = spec.name;
  tenant.owner = spec.owner;
  tenant.tier = spec.tier;
  tenant.deployment_url = spec.deployment_url;
  tenant.domains = spec.domains;
  std::sort(tenant.domains.begin(), tenant.domains.end());
}

void apply_tier(Tenant& tenant, const Tiers& tiers) {
  const auto tier = tiers.find(tenant.tier);
  const bool gone = tier == tiers.end() && !tenant.tier.empty();
  const Tier terms = gone ? least_of(tiers) : tier == tiers.end() ? Tier{} : tier->second;
  tenant.isolation = terms.isolation;
  tenant.retention_ms = tenant.synthetic() ? 0 : terms.retention_ms;
  tenant.limits = overlay(tenant.own, terms.limits);
}

std::optional<LifecycleError> defect_of(const Tenant& tenant, const Tiers& tiers) {
  const Limits& own = tenant.own;
  const auto defect = [](std::string pointer, std::string detail) {
    return LifecycleError{.kind = LifecycleErrorKind::invalid,
                          .detail = std::move(detail),
                          .pointer = std::move(pointer)};
  };
  if (tenant.status == Status::deleted) return defect("/status", "must be active or suspended");
  if (!tenant.tier.empty() && !tiers.contains(tenant.tier)) {
    return defect("/tier", "is not a tier of this deployment");
  }
  if (!is_label(tenant.slug)) {
    return defect("/slug", "must be 1 to 63 of a-z, 0-9 and -, and neither begin nor end with -");
  }
  if (!is_plain(tenant.name)) return defect("/name", "must be at most 1024 printable bytes");
  if (!is_plain(tenant.owner)) return defect("/owner", "must be at most 1024 printable bytes");
  if (!is_plain(tenant.deployment_url)) {
    return defect("/deployment_url", "must be at most 1024 printable bytes");
  }
  if (tenant.domains.size() > most_domains) return defect("/domains", "must be at most 100");
  for (const std::string& domain : tenant.domains) {
    if (!is_domain(domain)) return defect("/domains", "must be domain names in lower case");
  }
  if (tenant.metadata.size() > most_metadata) return defect("/metadata", "must be at most 64");
  for (const auto& [key, value] : tenant.metadata) {
    if (key.empty() || !is_plain(key) || !is_plain(value)) {
      return defect("/metadata", "keys and values must be at most 1024 printable bytes");
    }
  }
  if (own.requests_per_second &&
      !(std::isfinite(*own.requests_per_second) && *own.requests_per_second > 0)) {
    return defect("/limits/requests-per-second", "must be above 0");
  }
  for (const auto& [name, member] : count_limits) {
    if (own.*member && *(own.*member) < 0) {
      return defect("/limits/" + std::string(name), "must not be negative");
    }
  }
  return std::nullopt;
}

std::optional<LifecycleError> defect_of(const TenantSpec& spec, const Tiers& tiers) {
  Tenant tenant;
  describe(tenant, spec);
  tenant.status = spec.status;
  tenant.own = spec.limits;
  tenant.metadata = spec.metadata;
  return defect_of(tenant, tiers);
}

}  // namespace caisson::tenancy
