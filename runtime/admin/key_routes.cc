#include <algorithm>

#include "base/base64url.h"
#include "runtime/admin/call.h"

namespace caisson::admin {
namespace {

namespace json = boost::json;
using context::ObjectReader;

bool are_scopes(const std::vector<std::string>& scopes) {
  return !scopes.empty() && std::ranges::all_of(scopes, [](const std::string& scope) {
    return scope == "read" || scope == "write";
  });
}

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

/// An exported key, whose `sha256` is what its bearer is known by.
tenancy::ApiKey read_exported(const json::value& value, std::string pointer,
                              ObjectReader::Faults& faults) {
  ObjectReader object(value, std::move(pointer), faults);
  tenancy::ApiKey key;
  key.id = object.required_text("id");
  if (const auto bytes = decode_base64url(key.id); !bytes || bytes->size() != 16) {
    object.fault("id", "must be a key's id, 22 characters of base64url");
  }
  key.name = object.text("name");
  if (key.name.size() > 1024) object.fault("name", "must be at most 1024 bytes");
  key.scopes = object.texts("scopes");
  if (!are_scopes(key.scopes)) object.fault("scopes", "must be some of read, write");
  const auto time = [&](std::string_view name, bool required) -> std::int64_t {
    const json::value* member = object.take(name);
    if (!required && (member == nullptr || member->is_null())) return 0;
    const json::string* text = member == nullptr ? nullptr : member->if_string();
    const auto at = text == nullptr ? std::nullopt : parse_rfc3339(*text);
    if (!at || *at <= 0) object.fault(name, "must be a time, for example 2030-01-31T12:00:00Z");
    return at.value_or(0);
  };
  key.created_ms = time("created", true);
  key.expires_ms = time("expires", false);
  key.revoked = object.boolean("revoked", false);
  const auto hash = decode_base64url(object.required_text("sha256"));
  if (hash && hash->size() == key.hash.size()) {
    std::ranges::copy(*hash, key.hash.begin());
  } else {
    object.fault("sha256", "must be a SHA-256 in base64url");
  }
  return key;
}

/// Member `expires`: a time to come, or null or absence for never, which is 0.
std::int64_t read_expiry(ObjectReader& object, std::int64_t now_ms) {
  const json::value* value = object.take("expires");
  if (value == nullptr || value->is_null()) return 0;
  const json::string* text = value->if_string();
  const auto time = text == nullptr ? std::nullopt : parse_rfc3339(*text);
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
    if (!are_scopes(scopes)) object.fault("scopes", "must be some of read, write");
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

Answer export_keys(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  const auto keys = call.services.registry.keys(call.slug);
  if (!keys) return refuse(call, keys.error());
  json::array list;
  for (const tenancy::ApiKeyPtr& key : *keys) {
    json::object entry = key_json(*key);
    entry["sha256"] =
        encode_base64url({reinterpret_cast<const char*>(key->hash.data()), key->hash.size()});
    list.emplace_back(std::move(entry));
  }
  call.note = std::to_string(list.size()) + " keys";
  return json_answer(200, {{"tenant", call.slug}, {"keys", std::move(list)}});
}

Answer import_keys(Call& call) {
  const auto found = tenant_of(call);
  if (!found) return tl::unexpected(found.error());
  const auto body = read_body(call);
  if (!body) return tl::unexpected(body.error());
  ObjectReader::Faults faults;
  std::vector<tenancy::ApiKey> keys;
  std::string tenant;
  std::string from;
  std::string existing;
  {
    ObjectReader object(*body, "", faults);
    tenant = object.required_text("tenant");
    from = object.text("from");
    existing = object.text("existing", "keep");
    if (existing != "keep" && existing != "revoke")
      object.fault("existing", "must be keep or revoke");
    const json::value* list = object.take("keys");
    if (list == nullptr || !list->is_array()) {
      object.fault("keys", "must be a list");
    } else {
      for (std::size_t i = 0; i < list->get_array().size() && faults.size() < 100; ++i) {
        keys.push_back(read_exported(list->get_array()[i], "/keys/" + std::to_string(i), faults));
      }
    }
  }
  if (!faults.empty()) return refuse_body(std::move(faults));
  if (tenant != (from.empty() ? call.slug : std::string_view(from))) {
    return refuse(
        observe::Code::foreign_snapshot,
        "the keys are of tenant '" + tenant + "'; name that tenant in 'from' to import them here");
  }
  const bool revokes = existing == "revoke";
  if (revokes) {
    if (const auto suspended = check_suspended(**found); !suspended)
      return tl::unexpected(suspended.error());
  }
  call.note = std::to_string(keys.size()) + " keys" + (from.empty() ? "" : " of " + from) +
              (revokes ? ", and no others" : "");
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  const auto imported = call.services.registry.import_keys(call.slug, std::move(keys), revokes);
  if (!imported) return refuse(call, imported.error());
  return json_answer(200, {{"tenant", call.slug},
                           {"created", imported->created},
                           {"kept", imported->kept},
                           {"revoked", imported->revoked}});
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
