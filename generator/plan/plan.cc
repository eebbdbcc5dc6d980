#include "generator/plan/plan.h"

#include <algorithm>

namespace caisson::plan {

const Instance* Plan::instance(std::string_view wanted) const {
  const auto found = std::ranges::find(instances, wanted, &Instance::name);
  return found == instances.end() ? nullptr : &*found;
}

const TenantPlacement* Plan::tenant(std::string_view slug) const {
  const auto found = std::ranges::find(tenants, slug, &TenantPlacement::slug);
  return found == tenants.end() ? nullptr : &*found;
}

}  // namespace caisson::plan
