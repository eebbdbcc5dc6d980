#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/checker.h"
#include "generator/spec/reader.h"

namespace caisson::spec {
namespace {

using Declared = std::unordered_map<std::string, const Tenant*>;

// Names that the product itself answers at, or that people would take for it.
constexpr std::array<std::string_view, 16> reserved_slugs{
    "admin",   "api",      "auth", "dashboard", "health", "internal", "login",    "mail",
    "metrics", "operator", "root", "static",    "status", "system",   "wildcard", "www"};

// What names are cut to in DNS labels and Kubernetes objects.
constexpr std::size_t longest_derived_name = 63;

// The name that everything derived from a slug shares on every target.
std::string derived_name(std::string_view deployment, std::string_view slug) {
  std::string name = std::string(deployment) + '-' + std::string(slug);
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  name.resize(std::min(name.size(), longest_derived_name));
  return name;
}

/// A UUID, which is what the runtime's ids are.
bool looks_like_id(std::string_view slug) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(slug, form, [](char c, char x) {
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    return x == '-' ? c == '-' : digit;
  });
}

std::string first_at(const Checker& checker, source::Span first, source::Span here) {
  return "first at " + checker.line(first, here);
}

void check_slugs(const Checker& checker) {
  Declared slugs;
  Declared derived;
  const auto place = [&](const Tenant& tenant) { return checker.value(tenant.pointer + "/slug"); };
  for (const Tenant& tenant : checker.deployment().tenants) {
    if (tenant.slug.empty()) continue;
    if (std::ranges::find(reserved_slugs, tenant.slug) != reserved_slugs.end()) {
      checker.refuse("E0202", place(tenant), "the slug " + quote(tenant.slug) + " is reserved",
                     "the product answers there itself; choose another");
    }
    if (looks_like_id(tenant.slug)) {
      checker.refuse("E0227", place(tenant),
                     "the slug " + quote(tenant.slug) + " has the form of a tenant's id",
                     "the runtime gives ids of that form; choose a name");
    }
    const auto [first, fresh] = slugs.emplace(tenant.slug, &tenant);
    if (!fresh) {
      const source::Span here = place(tenant);
      const source::Span there = place(*first->second);
      checker.refuse("E0201", here, "tenant " + quote(tenant.slug) + " is declared twice",
                     first_at(checker, there, here), {there});
      continue;
    }
    const auto [other, unique] =
        derived.emplace(derived_name(checker.deployment().name, tenant.slug), &tenant);
    if (!unique) {
      const source::Span here = place(tenant);
      const source::Span there = place(*other->second);
      checker.refuse("E0203", here,
                     "the slugs " + quote(other->second->slug) + " and " + quote(tenant.slug) +
                         " give the same derived name",
                     "both become '" + other->first + "'; choose another", {there});
    }
  }
}

void check_tiers(const Checker& checker) {
  std::vector<std::string_view> names;
  for (const auto& [name, tier] : checker.deployment().tiers) names.push_back(name);
  for (const Tenant& tenant : checker.deployment().tenants) {
    if (std::ranges::find(names, tenant.tier) != names.end()) continue;
    if (tenant.tier.empty()) {
      if (checker.written(tenant.pointer + "/tier")) continue;  // reported where it was read
      checker.refuse("E0219", checker.value(tenant.pointer),
                     "tenant " + quote(tenant.slug) + " names no tier",
                     "there are several; add 'tier': " + any_of(names));
      continue;
    }
    const source::Span here = checker.value(tenant.pointer + "/tier");
    std::string remedy = suggest(tenant.tier, names);
    std::vector<source::Span> related;
    if (checker.written("/tiers")) {
      related.push_back(checker.key("/tiers"));
      remedy += (remedy.empty() ? "" : remedy.ends_with('?') ? " " : "; ");
      remedy += "tiers are declared at " + checker.line(related.front(), here);
    } else {
      remedy += "; the spec declares no 'tiers'";
    }
    checker.refuse("E0204", here, "unknown tier " + quote(tenant.tier), std::move(remedy),
                   std::move(related));
  }
}

void check_limits(const Checker& checker, const Limits& limits, const std::string& pointer) {
  const auto zero = [&](bool is_zero, std::string_view key) {
    if (!is_zero) return;
    checker.refuse("E0212", checker.value(pointer + '/' + std::string(key)),
                   "a limit of zero for " + quote(key),
                   "nothing would be allowed; leave it out for no limit");
  };
  zero(limits.requests && limits.requests->per_second <= 0, "requests");
  zero(limits.burst == 0, "burst");
  zero(limits.concurrent == 0, "concurrent");
  zero(limits.body == Bytes{0}, "body");
  zero(limits.storage == Bytes{0}, "storage");
  zero(limits.queue == 0, "queue");
  zero(limits.sockets == 0, "sockets");
  zero(limits.egress_connections == 0, "egress-connections");
}

/// Of the runtime's memory, which divides it as docs/runtime.md says: a body, its answer, and
/// what others keep meanwhile have a place below this.
constexpr std::int64_t bodies_of_memory = 40;

void check_body(const Checker& checker, const Limits& limits, const std::string& pointer) {
  const std::int64_t memory = checker.deployment().runtime.resources.memory.max.count;
  if (!limits.body || limits.body->count <= memory / bodies_of_memory) return;
  std::string field = pointer.substr(1) + "/body";
  std::ranges::replace(field, '/', '.');
  constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
  const auto needed = limits.body->count / mebibyte * bodies_of_memory + bodies_of_memory;
  checker.warn("W0208", checker.value(pointer + "/body"), field,
               "the runtime has no memory for bodies of this size",
               "give runtime.resources.memory a limit of at least " + std::to_string(needed) +
                   "Mi, or " + field + " at most " +
                   std::to_string(memory / bodies_of_memory / 1024) + "Ki",
               true);
}

bool is_inside(std::string_view domain, std::string_view parent) {
  return domain == parent || (domain.size() > parent.size() && domain.ends_with(parent) &&
                              domain[domain.size() - parent.size() - 1] == '.');
}

void check_domains(const Checker& checker) {
  std::unordered_map<std::string, std::string> claimed;  // domain -> pointer
  for (const Tenant& tenant : checker.deployment().tenants) {
    for (std::size_t i = 0; i < tenant.domains.size(); ++i) {
      const std::string& domain = tenant.domains[i];
      if (domain.empty()) continue;
      const std::string pointer = tenant.pointer + "/domains/" + std::to_string(i);
      if (is_inside(domain, checker.deployment().domain)) {
        checker.refuse(
            "E0211", checker.value(pointer),
            "the own domain " + quote(domain) + " is inside " + quote(checker.deployment().domain),
            "names there belong to the deployment: tenants answer at <slug>." +
                checker.deployment().domain);
      }
      const auto [first, fresh] = claimed.emplace(domain, pointer);
      if (!fresh) {
        const source::Span here = checker.value(pointer);
        const source::Span there = checker.value(first->second);
        checker.refuse("E0210", here, "the domain " + quote(domain) + " is claimed twice",
                       first_at(checker, there, here), {there});
      }
    }
  }
}

}  // namespace

void check_tenancy(const Checker& checker) {
  check_slugs(checker);
  check_tiers(checker);
  check_domains(checker);
  for (const auto& [name, tier] : checker.deployment().tiers) {
    check_limits(checker, tier.limits, "/tiers/" + name + "/limits");
    check_body(checker, tier.limits, "/tiers/" + name + "/limits");
  }
  for (const Tenant& tenant : checker.deployment().tenants) {
    check_limits(checker, tenant.limits, tenant.pointer + "/limits");
    check_body(checker, tenant.limits, tenant.pointer + "/limits");
  }
}

}  // namespace caisson::spec
