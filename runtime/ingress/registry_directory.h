#pragma once

#include "runtime/ingress/directory.h"

namespace caisson::ingress {

/// The directory of a running server.
class RegistryDirectory final : public Directory {
 public:
  /// `registry` outlives this.
  explicit RegistryDirectory(const tenancy::Registry& registry) : registry_(registry) {}
  [[nodiscard]] tenancy::TenantPtr by_slug(std::string_view slug) const override {
    return registry_.by_slug(slug);
  }
  [[nodiscard]] tenancy::TenantPtr by_id(std::string_view id) const override {
    return registry_.by_id(id);
  }
  [[nodiscard]] tenancy::TenantPtr by_domain(std::string_view domain) const override {
    return registry_.by_domain(domain);
  }
  [[nodiscard]] tenancy::ApiKeyPtr key(std::string_view key_id) const override {
    return registry_.key(key_id);
  }

 private:
  const tenancy::Registry& registry_;
};

}  // namespace caisson::ingress
