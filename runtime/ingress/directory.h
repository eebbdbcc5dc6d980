#pragma once

#include <string_view>

#include "runtime/tenancy/registry.h"

namespace caisson::ingress {

/// What resolution looks up. The registry serves it (registry_directory.h); tests watch what is
/// asked, and when.
class Directory {
 public:
  Directory() = default;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  virtual ~Directory() = default;

  [[nodiscard]] virtual tenancy::TenantPtr by_slug(std::string_view slug) const = 0;
  [[nodiscard]] virtual tenancy::TenantPtr by_id(std::string_view id) const = 0;
  [[nodiscard]] virtual tenancy::TenantPtr by_domain(std::string_view domain) const = 0;
  /// Says nothing about a tenant that the bearer of the key does not know already.
  [[nodiscard]] virtual tenancy::ApiKeyPtr key(std::string_view key_id) const = 0;
};

}  // namespace caisson::ingress
