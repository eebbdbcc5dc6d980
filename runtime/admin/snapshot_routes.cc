#include "runtime/admin/call.h"

namespace caisson::admin {
namespace {

namespace json = boost::json;
using context::ObjectReader;

json::object snapshot_json(const Call& call, const storage::Snapshot& snapshot) {
  json::object object{{"id", snapshot.id},
                      {"tenant", call.slug},
                      {"bytes", snapshot.bytes},
                      {"sha256", snapshot.sha256},
                      {"created", time_json(snapshot.created_ms)}};
  // Files that were brought here; what restores them has to say so.
  if (snapshot.tenant_id != call.tenant_id) object["from"] = snapshot.tenant_id;
  return object;
}

}  // namespace

Answer list_snapshots(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto snapshots = call.services.tenants.snapshots(call.slug);
  if (!snapshots) return refuse(call, snapshots.error());
  json::array list;
  for (const storage::Snapshot& snapshot : *snapshots)
    list.emplace_back(snapshot_json(call, snapshot));
  return json_answer(200, {{"snapshots", std::move(list)}});
}

Answer create_snapshot(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  const auto snapshot = call.services.tenants.snapshot(call.slug);
  if (!snapshot) return refuse(call, snapshot.error());
  call.note = snapshot->id;
  return json_answer(201, snapshot_json(call, *snapshot));
}

Answer delete_snapshot(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  call.note = call.id;
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  if (const auto removed = call.services.tenants.remove_snapshot(call.slug, call.id); !removed) {
    return refuse(call, removed.error());
  }
  return http::Response{.status = 204};
}

Answer restore_snapshot(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto body = read_body(call);
  if (!body) return tl::unexpected(body.error());
  ObjectReader::Faults faults;
  std::string snapshot;
  std::optional<std::string> from;
  {
    ObjectReader object(*body, "", faults);
    snapshot = object.required_text("snapshot");
    if (object.has("from")) from = object.required_text("from");
  }
  if (!faults.empty()) return refuse_body(std::move(faults));
  call.note = from ? snapshot + " of " + *from : snapshot;
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  if (const auto restored =
          call.services.tenants.restore(call.slug, snapshot, from, call.request_id);
      !restored) {
    return refuse(call, restored.error());
  }
  return json_answer(200, {{"tenant", call.slug}, {"snapshot", snapshot}});
}

}  // namespace caisson::admin
