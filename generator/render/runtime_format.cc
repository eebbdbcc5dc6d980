#include "generator/render/runtime_format.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace caisson::render {
namespace {

using Fault = std::optional<SchemaFault>;

std::string_view text_at(const Node& config, std::string_view pointer,
                         std::string_view otherwise = {}) {
  const auto* node = config.at(pointer);
  return node != nullptr && node->text() != nullptr ? std::string_view(*node->text()) : otherwise;
}

Fault listeners(const Node& config) {
  const auto data = text_at(config, "/listen/data", "127.0.0.1:8080");
  const auto operator_api = text_at(config, "/listen/operator", "127.0.0.1:9090");
  const auto metrics = text_at(config, "/listen/metrics");
  const auto same = [](std::string_view one, std::string_view other) {
    return one == other && !one.ends_with(":0");
  };
  const std::string remedy = "give each listener an address of its own";
  if (same(operator_api, data)) return SchemaFault{"/listen/operator", "is that of 'data'", remedy};
  if (same(metrics, data)) return SchemaFault{"/listen/metrics", "is that of 'data'", remedy};
  if (same(metrics, operator_api))
    return SchemaFault{"/listen/metrics", "is that of 'operator'", remedy};
  return {};
}

Fault memory(const Node& config) {
  const auto number = [&](std::string_view pointer) {
    const auto* node = config.at(pointer);
    const auto* whole = node == nullptr ? nullptr : std::get_if<std::int64_t>(&node->value());
    return whole == nullptr ? std::int64_t{0} : *whole;
  };
  const auto whole = number("/limits/memory");
  if (whole == 0 || number("/limits/buffered") <= whole / 2) return {};
  return SchemaFault{"/limits/buffered", "is more than half of the memory",
                     "write at most " + std::to_string(whole / 2)};
}

Fault credentials(const Node& config) {
  const auto* keys = config.at("/auth/api-keys");
  const auto* tokens = config.at("/auth/tokens");
  if (tokens == nullptr) {
    if (keys == nullptr || *keys == Node(true)) return {};
    return SchemaFault{"/auth/api-keys", "leaves nobody a way to authenticate without tokens",
                       "write true, or configure tokens"};
  }
  const bool key = !text_at(*tokens, "/key-file").empty();
  if (key == !text_at(*tokens, "/jwks-file").empty())
    return SchemaFault{"/auth/tokens", "has to name one of 'key-file' and 'jwks-file'",
                       "leave exactly one of them there"};
  const auto* algorithms = tokens->find("algorithms");
  const auto* list = algorithms == nullptr ? nullptr : algorithms->list();
  if (key && list != nullptr && list->size() > 1 &&
      std::ranges::find(*list, Node("HS256")) != list->end())
    return SchemaFault{"/auth/tokens/algorithms",
                       "would read one key as a shared secret (HS256) and as a public key",
                       "leave HS256 alone, or leave it out"};
  return {};
}

Fault tenants(const Node& config) {
  const auto* listed = config.find("tenants");
  if (listed == nullptr) return {};
  if (!text_at(config, "/tenants-file").empty())
    return SchemaFault{"/tenants", "lists tenants, which are in 'tenants-file' already",
                       "keep one of the two"};
  const auto* named = config.find("tiers");
  const auto tiers =
      named == nullptr || named->empty() ? std::vector<std::string>{"default"} : named->keys();
  const std::string own(text_at(config, "/domain"));
  std::set<std::string_view> slugs;
  std::set<std::string_view> domains;
  for (const auto& key : listed->keys()) {
    const auto& tenant = *listed->child(key);
    const auto at = "/tenants/" + key;
    if (!slugs.insert(text_at(tenant, "/slug")).second)
      return SchemaFault{at + "/slug", "is another tenant's", "give each tenant a slug of its own"};
    const auto tier = text_at(tenant, "/tier", tiers.size() == 1 ? tiers[0] : "");
    if (std::ranges::find(tiers, tier) == tiers.end())
      return SchemaFault{at + "/tier", "is no tier of this file", "name one under 'tiers'"};
    const auto* list = tenant.find("domains");
    const auto listed_at = at + "/domains/";
    for (const auto& index : list == nullptr ? std::vector<std::string>{} : list->keys()) {
      const auto domain = text_at(*list, "/" + index);
      const auto place = listed_at + index;
      if (domain == own || domain.ends_with("." + own))
        return SchemaFault{place, "lies inside the deployment's own domain",
                           "leave it out: the tenant has its name there already"};
      if (!domains.insert(domain).second)
        return SchemaFault{place, "is another tenant's", "leave one of them out"};
    }
  }
  return {};
}

}  // namespace

std::optional<SchemaFault> runtime_contradiction(const Node& config) {
  for (const auto check : {listeners, memory, credentials, tenants}) {
    if (auto fault = check(config)) return fault;
  }
  return {};
}

}  // namespace caisson::render
