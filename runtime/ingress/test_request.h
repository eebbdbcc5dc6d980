#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/uuid.h"
#include "runtime/http/message.h"
#include "runtime/ingress/directory.h"

namespace caisson::ingress {

/// Tenants in memory, and a count of what was asked about them.
class TestDirectory final : public Directory {
 public:
  tenancy::TenantPtr add(const std::string& slug, tenancy::Status status = tenancy::Status::active,
                         std::vector<std::string> domains = {}) {
    tenancy::Tenant tenant;
    tenant.id = new_uuid(1'700'000'000'000);
    tenant.slug = slug;
    tenant.status = status;
    tenant.domains = std::move(domains);
    return put(tenant);
  }
  tenancy::TenantPtr put(const tenancy::Tenant& tenant) {
    auto shared = std::make_shared<const tenancy::Tenant>(tenant);
    tenants_[tenant.slug] = shared;
    return shared;
  }
  /// A new key of the tenant, as it is sent.
  std::string add_key(const tenancy::Tenant& tenant, std::int64_t expires_ms = 0) {
    std::string random(48, '\0');
    fill_random({reinterpret_cast<unsigned char*>(random.data()), random.size()});
    const std::string id = encode_base64url(random.substr(0, 16));
    const std::string text = "csk_" + id + "_" + encode_base64url(random.substr(16));
    keys_[id] = {.id = id,
                 .tenant_id = tenant.id,
                 .name = {},
                 .scopes = {"read"},
                 .hash = sha256(text),
                 .expires_ms = expires_ms};
    return text;
  }
  void revoke_all() {
    for (auto& [id, key] : keys_) key.revoked = true;
  }

  tenancy::TenantPtr by_slug(std::string_view slug) const override {
    ++lookups;
    const auto found = tenants_.find(slug);
    return found == tenants_.end() ? nullptr : found->second;
  }
  tenancy::TenantPtr by_id(std::string_view id) const override {
    return first([&](const tenancy::Tenant& tenant) { return tenant.id == id; });
  }
  tenancy::TenantPtr by_domain(std::string_view domain) const override {
    return first([&](const tenancy::Tenant& tenant) {
      return std::ranges::find(tenant.domains, domain) != tenant.domains.end();
    });
  }
  tenancy::ApiKeyPtr key(std::string_view id) const override {
    const auto found = keys_.find(id);
    return found == keys_.end() ? nullptr : std::make_shared<const tenancy::ApiKey>(found->second);
  }

  mutable int lookups = 0;  ///< of tenants

 private:
  template <class Matches>
  tenancy::TenantPtr first(Matches matches) const {
    ++lookups;
    for (const auto& [slug, tenant] : tenants_) {
      if (matches(*tenant)) return tenant;
    }
    return nullptr;
  }

  std::map<std::string, tenancy::TenantPtr, std::less<>> tenants_;
  std::map<std::string, tenancy::ApiKey, std::less<>> keys_;
};

/// A request that owns its text.
struct TestRequest {
  explicit TestRequest(std::string host_name) : host(std::move(host_name)) {}
  TestRequest& with(std::string name, std::string value) {
    fields.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  TestRequest& bearer(const std::string& credential) {
    return with("Authorization", "Bearer " + credential);
  }

  [[nodiscard]] http::Request make() const {
    http::Request request;
    request.method = "GET";
    request.path = "/v1/whoami";
    request.host = host;
    for (const auto& [name, value] : fields)
      request.fields.push_back({.name = name, .value = value});
    return request;
  }

  std::string host;
  std::vector<std::pair<std::string, std::string>> fields;
};

}  // namespace caisson::ingress
