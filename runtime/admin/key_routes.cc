#include <algorithm>

#include "runtime/admin/call.h"

namespace caisson::admin {
namespace {

namespace json = boost::json;
using context::ObjectReader;

json::object key_json(const tenancy::ApiKey& key) {
  json::array scopes;
  for (const std::string& scope : key.scopes) scopes.emplace_back(scope);
  return {{"id", key.id},
          {"name", key.name},
          {"scopes", std::move(scopes)},
          {"created", time_json(key.created_ms)},
          {"expires", time_json(key.expires_ms)},
          {"revoked", key.revoked}};
}

/// Member `expires`: a time to come, or null or absence for never, which is 0.
std::int64_t read_expiry(ObjectReader& object, std::int64_t now_ms) {
  const json::value* value = object.take("expires");
  if (value == nullptr || value->is_null()) return 0;
  const json::string* text = value->if_string();
  const auto time = text == nullptr ? std::nullopt : observe::parse_rfc3339(*text);
  if (time && *time > now_ms) return *time;
  object.fault("expires", "must be a time to come, for example 2030-01-31T12:00:00Z, or null");
  return 0;
}

}  // namespace

Answer list_keys(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto keys = call.services.registry.keys(call.slug);
  if (!keys) return refuse(call, keys.error());
  json::array list;
  for (const tenancy::ApiKeyPtr& key : *keys) list.emplace_back(key_json(*key));
  return json_answer(200, {{"keys", std::move(list)}});
}

Answer create_key(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto body = read_body(call);
  if (!body) return tl::unexpected(body.error());
  ObjectReader::Faults faults;
  std::string name;
  std::vector<std::string> scopes;
  std::int64_t expires_ms = 0;
  {
    ObjectReader object(*body, "", faults);
    name = object.text("name");
    if (name.size() > 200) object.fault("name", "must be at most 200 bytes");
    scopes = object.texts("scopes", {"read", "write"});
    const bool known = std::ranges::all_of(
        scopes, [](const std::string& scope) { return scope == "read" || scope == "write"; });
    if (!known || scopes.empty()) object.fault("scopes", "must be some of read, write");
    expires_ms = read_expiry(object, call.services.clock.unix_ms());
  }
  if (!faults.empty()) return refuse_body(std::move(faults));
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  auto made =
      call.services.registry.create_key(call.slug, std::move(name), std::move(scopes), expires_ms);
  if (!made) return refuse(call, made.error());
  call.note = made->key->id;
  json::object answer = key_json(*made->key);
  answer["key"] = made->secret;
  return json_answer(201, answer);
}

Answer revoke_key(Call& call) {
  const auto tenant = tenant_of(call);
  if (!tenant) return tl::unexpected(tenant.error());
  call.note = call.id;
  const tenancy::ApiKeyPtr key = call.services.registry.key(call.id);
  if (!key || key->tenant_id != (*tenant)->id || key->revoked)
    return refuse(call, {.kind = tenancy::LifecycleErrorKind::unknown_key});
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  if (const auto revoked = call.services.registry.revoke_key(call.slug, call.id); !revoked) {
    return refuse(call, revoked.error());
  }
  return http::Response{.status = 204};
}

}  // namespace caisson::admin
