#include "generator/render/site.h"

#include <algorithm>

namespace caisson::render {

std::string Site::config_file(const plan::Instance&, const plan::ConfigMount& mount) const {
  return mount.path;
}

Index::Index(const plan::Plan& plan) {
  instances_.reserve(plan.instances.size());
  for (const auto& instance : plan.instances) instances_.emplace(instance.name, &instance);
  for (const auto& tier : plan.tiers) tiers_.emplace(tier.name, &tier);
  for (const auto& tenant : plan.tenants) tenants_[tenant.instance].push_back(&tenant);
}

const plan::Instance* Index::instance(std::string_view name) const {
  const auto found = instances_.find(name);
  return found == instances_.end() ? nullptr : found->second;
}

const plan::Tier* Index::tier(std::string_view name) const {
  const auto found = tiers_.find(name);
  return found == tiers_.end() ? nullptr : found->second;
}

const std::vector<const plan::TenantPlacement*>& Index::tenants(std::string_view instance) const {
  static const std::vector<const plan::TenantPlacement*> none;
  const auto found = tenants_.find(instance);
  return found == tenants_.end() ? none : found->second;
}

const plan::Port* port_for(const plan::Instance& instance, plan::Port::Purpose purpose) {
  const auto found = std::ranges::find(instance.ports, purpose, &plan::Port::purpose);
  return found == instance.ports.end() ? nullptr : &*found;
}

const plan::Port* port_named(const plan::Instance& instance, std::string_view name) {
  const auto found = std::ranges::find(instance.ports, name, &plan::Port::name);
  return found == instance.ports.end() ? nullptr : &*found;
}

}  // namespace caisson::render
