#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <tuple>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/random.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/registry_rows.h"
#include "runtime/tenancy/transaction.h"

namespace caisson::tenancy {
namespace {

constexpr std::size_t most_keys = 1000;

template <std::size_t Bytes>
std::string random_text() {
  std::array<unsigned char, Bytes> bytes;
  fill_random(bytes);
  return encode_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void insert_key(storage::Database& database, const ApiKey& key) {
  const std::string words = scopes_text(key.scopes);
  database.prepare("INSERT INTO api_key VALUES(?,?,?,?,?,?,?,?)")
      .text(key.id)
      .text(key.tenant_id)
      .text(key.name)
      .text(words)
      .blob({reinterpret_cast<const char*>(key.hash.data()), key.hash.size()})
      .integer(key.created_ms)
      .integer(key.expires_ms)
      .integer(key.revoked ? 1 : 0)
      .run();
}

bool is_scope(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

ApiKeyPtr Registry::key(std::string_view key_id) const { return keys_.find(key_id); }

Outcome<Registry::NewKey> Registry::create_key(std::string_view slug, std::string name,
                                               std::vector<std::string> scopes,
                                               std::int64_t expires_ms) {
  if (name.size() > 1024) {
    return refuse(LifecycleErrorKind::invalid, "must be at most 1024 bytes", "/name");
  }
  if (scopes.empty() || scopes.size() > 16 ||
      !std::all_of(scopes.begin(), scopes.end(), is_scope)) {
    return refuse(LifecycleErrorKind::invalid, "must be 1 to 16 words", "/scopes");
  }
  ApiKey key;
  key.id = random_text<16>();
  key.name = std::move(name);
  key.scopes = std::move(scopes);
  key.created_ms = clock_.unix_ms();
  key.expires_ms = expires_ms;
  std::string secret = "csk_" + key.id + "_" + random_text<32>();
  key.hash = sha256(secret);

  const std::scoped_lock lock(write_);
  const auto tenant = living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  key.tenant_id = tenant->id;
  const std::vector<ApiKeyPtr> known = keys_of(tenant->id);
  ApiKeyPtr outdated;  // makes room
  if (known.size() >= most_keys) {
    const auto revoked =
        std::find_if(known.begin(), known.end(), [](const ApiKeyPtr& one) { return one->revoked; });
    if (revoked == known.end()) {
      return refuse(LifecycleErrorKind::invalid, "the tenant has 1000 keys; revoke some");
    }
    outdated = *revoked;
  }
  Transaction transaction(database_);
  insert_key(database_, key);
  if (outdated) database_.prepare("DELETE FROM api_key WHERE id=?").text(outdated->id).run();
  auto published = std::make_shared<const ApiKey>(std::move(key));
  if (!transaction.commit()) return tl::unexpected(disk_error());
  if (outdated) keys_.erase(outdated->id);
  insist([&] { keys_.set(published->id, published); });
  return NewKey{.key = std::move(published), .secret = std::move(secret)};
}

Outcome<Registry::ImportedKeys> Registry::import_keys(std::string_view slug,
                                                      std::vector<ApiKey> keys,
                                                      bool revoke_others) {
  const std::scoped_lock lock(write_);
  const auto tenant = living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  // A deleted tenant of this slug was the same one before it moved away.
  const auto is_own = [&](const ApiKey& key) {
    if (key.tenant_id == tenant->id) return true;
    const TenantPtr owner = ids_.find(key.tenant_id);
    return owner != nullptr && owner->status == Status::deleted && owner->slug == slug;
  };
  ImportedKeys imported;
  std::set<std::string, std::less<>> named;
  std::vector<ApiKey> missing;
  std::vector<ApiKey> changed;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ApiKey& key = keys[i];
    const ApiKeyPtr known = keys_.find(key.id);
    const bool other = known != nullptr && (!is_own(*known) || known->hash != key.hash);
    if (other || !named.insert(key.id).second) {
      return refuse(LifecycleErrorKind::invalid, "is the id of another key",
                    "/keys/" + std::to_string(i) + "/id");
    }
    if (known == nullptr) {
      key.tenant_id = tenant->id;
      missing.push_back(std::move(key));
      continue;
    }
    ++imported.kept;
    ApiKey again = *known;
    again.tenant_id = tenant->id;
    again.revoked = known->revoked || key.revoked;
    if (again.revoked != known->revoked) ++imported.revoked;
    if (again.revoked != known->revoked || known->tenant_id != tenant->id)
      changed.push_back(std::move(again));
  }
  const std::vector<ApiKeyPtr> there = keys_of(tenant->id);
  for (const ApiKeyPtr& key : there) {
    if (!revoke_others || key->revoked || named.contains(key->id)) continue;
    ++imported.revoked;
    changed.push_back(*key);
    changed.back().revoked = true;
  }
  const auto taken_over = static_cast<std::size_t>(std::ranges::count_if(
      changed, [&](const ApiKey& key) { return keys_.find(key.id)->tenant_id != tenant->id; }));
  if (there.size() + missing.size() + taken_over > most_keys) {
    return refuse(LifecycleErrorKind::invalid, "the tenant would have more than 1000 keys",
                  "/keys");
  }
  imported.created = missing.size();
  Transaction transaction(database_);
  for (const ApiKey& key : missing) insert_key(database_, key);
  for (const ApiKey& key : changed) {
    database_.prepare("UPDATE api_key SET tenant=?,revoked=? WHERE id=?")
        .text(key.tenant_id)
        .integer(key.revoked ? 1 : 0)
        .text(key.id)
        .run();
  }
  std::vector<ApiKeyPtr> published;
  published.reserve(missing.size() + changed.size());
  for (auto* each : {&missing, &changed}) {
    for (ApiKey& key : *each) published.push_back(std::make_shared<const ApiKey>(std::move(key)));
  }
  if (!transaction.commit()) return tl::unexpected(disk_error());
  insist([&] {
    for (const ApiKeyPtr& key : published) keys_.set(key->id, key);
    for (std::size_t i = imported.created; listener_.revoked && i < published.size(); ++i) {
      if (published[i]->revoked) listener_.revoked(*published[i]);
    }
  });
  return imported;
}

Outcome<void> Registry::revoke_key(std::string_view slug, std::string_view key_id) {
  const std::scoped_lock lock(write_);
  const auto tenant = living(slug);
  if (!tenant) return tl::unexpected(tenant.error());
  const ApiKeyPtr known = keys_.find(key_id);
  if (known == nullptr || known->tenant_id != tenant->id || known->revoked) {
    return refuse(LifecycleErrorKind::unknown_key);
  }
  ApiKey revoked = *known;
  revoked.revoked = true;
  const auto published = std::make_shared<const ApiKey>(std::move(revoked));
  Transaction transaction(database_);
  database_.prepare("UPDATE api_key SET revoked=1 WHERE id=?").text(key_id).run();
  if (!transaction.commit()) return tl::unexpected(disk_error());
  insist([&] {
    keys_.set(key_id, published);
    if (listener_.revoked) listener_.revoked(*published);
  });
  return {};
}

Outcome<std::vector<ApiKeyPtr>> Registry::keys(std::string_view slug) const {
  const TenantPtr tenant = by_slug(slug);
  if (tenant == nullptr) return refuse(LifecycleErrorKind::unknown_tenant);
  if (tenant->status == Status::deleted) return refuse(LifecycleErrorKind::deleted);
  return keys_of(tenant->id);
}

std::vector<ApiKeyPtr> Registry::keys_of(std::string_view tenant_id) const {
  std::vector<ApiKeyPtr> found;
  keys_.each([&](const std::string&, const ApiKeyPtr& key) {
    if (key->tenant_id == tenant_id) found.push_back(key);
  });
  std::sort(found.begin(), found.end(), [](const ApiKeyPtr& a, const ApiKeyPtr& b) {
    return std::tie(a->created_ms, a->id) < std::tie(b->created_ms, b->id);
  });
  return found;
}

}  // namespace caisson::tenancy
