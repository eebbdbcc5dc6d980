// Data of one tenant on its way out and in: pages of a snapshot, which are what an import takes.

#include <future>

#include "runtime/admin/call.h"
#include "runtime/ingress/problem_response.h"
#include "runtime/modules/transfer.h"

namespace caisson::admin {
namespace {

namespace json = boost::json;
using observe::Code;

constexpr auto import_patience = std::chrono::seconds(30);

}  // namespace

Answer export_records(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto query = read_query(call, {"after", "limit"});
  if (!query) return tl::unexpected(query.error());
  const auto limit = read_limit(*query, 1000);
  if (!limit) return tl::unexpected(limit.error());
  const std::string place = query->text("after");
  const auto after = modules::ExportPlace::parse(place);
  if (!place.empty() && !after) {
    return refuse(Code::invalid_parameter, "'after' must be the 'next' of the page before");
  }
  call.note = std::string(call.id);
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  modules::ExportPage page;
  // The first page pays for reading the whole file once more.
  const auto read = call.services.tenants.read_snapshot(
      call.slug, call.id, !after, [&](storage::TenantStore& store) {
        page = modules::export_records(store, after, static_cast<std::int64_t>(*limit));
      });
  if (!read) return refuse(call, read.error());
  http::Response response = json_answer(200, {});
  // Slugs and places have no character to escape; the records are JSON as they are.
  const std::string next = page.next ? '"' + page.next->text() + '"' : "null";
  response.body = R"({"tenant":")" + std::string(call.slug) + R"(","records":)" + page.records +
                  R"(,"next":)" + next + "}";
  return response;
}

Answer import_records(Call& call) {
  const auto tenant = tenant_of(call);
  if (!tenant) return tl::unexpected(tenant.error());
  const auto read = modules::read_import(call.request.body);
  if (!read) {
    const modules::RecordsAnswer& why = read.error();
    return tl::unexpected(observe::Problem{
        .code = observe::code_named(why.problem), .detail = why.detail, .errors = why.faults});
  }
  const modules::Import& import = *read;
  if (import.tenant != (import.from.empty() ? call.slug : std::string_view(import.from))) {
    return refuse(Code::foreign_snapshot, "the records are of tenant '" + import.tenant +
                                              "'; name that tenant in 'from' to import them here");
  }
  const bool removes = import.existing == modules::Existing::remove;
  if (removes) {
    if (const auto suspended = check_suspended(**tenant); !suspended)
      return tl::unexpected(suspended.error());
  }
  call.note = std::to_string(import.records.size()) + " records" +
              (import.from.empty() ? "" : " of " + import.from) +
              (removes ? ", in the place of all that were there" : "");
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  using Answered = tl::expected<modules::Imported, tenancy::Refusal>;
  std::promise<Answered> promise;
  auto answered = promise.get_future();
  bool active = false;
  call.services.tenants.submit(
      **tenant, storage::Access::write, std::chrono::steady_clock::now() + import_patience,
      [&](storage::TenantStore& store) {
        // The configuration may have made it active while this waited: nobody has written yet.
        const auto now = call.services.registry.by_id((*tenant)->id);
        active = removes && (!now || now->status != tenancy::Status::suspended);
        if (active) {
          store.abandon();
          return modules::Imported{};
        }
        modules::Imported imported = modules::import_records(store, import);
        if (!imported.conflict) storage::note_request(store, call.request_id);
        return imported;
      },
      [&promise](const Answered& answer) { promise.set_value(answer); });
  const Answered imported = answered.get();
  if (!imported) return tl::unexpected(ingress::refusal_problem(imported.error()));
  if (active) return tl::unexpected(not_suspended());
  if (imported->conflict) {
    return tl::unexpected(observe::Problem{
        .code = Code::conflict,
        .detail = "a record is there already, and nothing was imported; say 'existing': 'keep' or "
                  "'replace'",
        .errors = {{.pointer = "/records/" + std::to_string(*imported->conflict),
                    .detail = "is there already"}}});
  }
  return json_answer(200, {{"tenant", call.slug},
                           {"created", imported->created},
                           {"replaced", imported->replaced},
                           {"kept", imported->kept},
                           {"removed", imported->removed}});
}

}  // namespace caisson::admin
