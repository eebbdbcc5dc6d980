// LC: tenants that come, go and come back.

#include <algorithm>
#include <filesystem>
#include <thread>

#include <boost/json.hpp>

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/targets.h"
#include "conformance/scan/files.h"
#include "conformance/stack/local.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

/// A tenant made for the run, and one that must not notice anything.
struct Scene {
  Actor thrown;
  const Actor* bystander = nullptr;
};

Scene scene(const Arena& arena, const std::string& suffix) {
  auto thrown = make_tenant(arena, suffix);
  if (!thrown) throw std::runtime_error(thrown.error().text());
  const Actor* bystander = pooled_actor(arena);
  if (bystander == nullptr) throw std::runtime_error("no pooled tenant to stand by");
  return {std::move(*thrown), bystander};
}

void keep(Examination& e, std::vector<Cell>& cells) {
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

Result<HttpResponse> order(const Examination& e, const std::string& method, const std::string& what,
                           const std::string& body = {}) {
  return e.arena()
      .operator_of(*e.attacker().instance)
      .call(method, "/v1/tenants/" + e.attacker().slug + what, body);
}

void must(Examination& e, const std::string& step, const Result<HttpResponse>& answer, int status) {
  e.expect(step, answer && answer->status == status, std::to_string(status),
           answer ? answer->summary() : answer.error().text(), Verdict::inconclusive);
}

void suspension(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "suspend");
  Examination e(arena, s.thrown, *s.bystander);
  e.begin();
  const Deadline deadline = within(seconds(10));
  auto live = HttpConnection::open(*s.thrown.instance->data, deadline);
  if (!live) return e.inconclusive(live.error().text());
  const HttpRequest request = arena.request_of(
      s.thrown, "GET", "/v1/records/" + s.thrown.collection + "/" + s.thrown.records.front());
  must(e, "own request before the suspension", live->exchange(request, deadline), 200);
  must(e, "suspend", order(e, "POST", "/suspend"), 200);
  const auto on_live = live->exchange(request, deadline);
  e.expect("the live connection after the suspension",
           on_live && on_live->summary() == "403 tenant-suspended", "403 tenant-suspended",
           on_live ? on_live->summary() : on_live.error().text(),
           on_live && on_live->status == 200 ? Verdict::leak : Verdict::inconclusive);
  e.attack({.step = "a new connection with the live credential",
            .request = request,
            .refusals = {"403 tenant-suspended"}});
  if (arena.has_tokens()) {
    HttpRequest by_token = request;
    by_token.headers.front().second = "Bearer " + arena.token({.tenant = s.thrown.slug});
    e.attack({.step = "a token of the suspended tenant",
              .request = by_token,
              .refusals = {"403 tenant-suspended"}});
  }
  must(e, "resume", order(e, "POST", "/resume"), 200);
  e.own("own request after it was resumed", request);
  keep(e, cells);
}

/// Sightings of what the tenant stored, below the data directory of its instance. Access logs may
/// name its requests. A file that cannot be read may hold anything.
std::string remains_of(Examination& e, const Actor& gone) {
  const Scanner own(gone.canaries);
  const FileScan files = scan_files(own, gone.instance->data_directory);
  e.arena().count_scanned(files.bytes);
  if (!files.unread.empty()) e.inconclusive(files.unread.front().string() + " cannot be read");
  std::string out;
  for (const auto& hit : files.hits) {
    const Canary& canary = gone.canaries[hit.sighting.canary];
    const std::string text = canary.sink + " canary in " +
                             hit.file.lexically_relative(gone.instance->data_directory).string();
    if (out.find(text) == std::string::npos) out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

void deletion(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "delete");
  Examination e(arena, s.thrown, *s.bystander);
  e.begin();
  const auto& data = s.thrown.instance->data_directory;
  const bool looks = !needs_data_directories(arena).has_value();
  // The file planted beside the data is the harness's own.
  std::error_code error;
  std::filesystem::remove(data / ("caisson-" + arena.run() + "-" + s.thrown.slug), error);
  static_cast<void>(arena.operator_of(*s.thrown.instance).snapshot(s.thrown.slug));
  if (looks) {
    const std::string before = remains_of(e, s.thrown);
    e.expect("canaries on disk before the deletion", !before.empty(), "some",
             before.empty() ? "none" : "some", Verdict::invalid);
  }
  must(e, "delete", order(e, "DELETE", ""), 204);
  e.attack({.step = "the credential of the deleted tenant",
            .request = arena.request_of(s.thrown, "GET", "/v1/records/" + s.thrown.collection),
            .refusals = {"401 invalid-credential", "403 tenant-deleted", "404 unknown-tenant"}});
  if (looks) {
    const std::string left = remains_of(e, s.thrown);
    e.expect("canaries on disk after the deletion", left.empty(), "none",
             left.empty() ? "none" : left);
  } else {
    e.inconclusive("the disk cannot be searched from here");
  }
  if (const auto& listener = s.thrown.instance->metrics) {
    const auto metrics = exchange(*listener, {.target = "/metrics", .host = listener->authority()},
                                  within(std::chrono::seconds(10)));
    const bool counted =
        metrics && metrics->body.find("tenant=\"" + s.thrown.slug + "\"") != std::string::npos;
    e.expect("metrics of the deleted tenant", metrics && metrics->status == 200 && !counted, "gone",
             counted ? "still there" : "gone", Verdict::inconclusive);
  }
  keep(e, cells);
}

/// Deletes a tenant and makes another of the same slug: `newcomer` has the credential of the
/// second.
Result<Actor> recreate(Examination& e, const Actor& former) {
  must(e, "delete", order(e, "DELETE", ""), 204);
  Actor newcomer{.slug = former.slug,
                 .tier = former.tier,
                 .isolation = former.isolation,
                 .host = former.host,
                 .instance = former.instance,
                 .synthetic = true};
  auto id = e.arena()
                .operator_of(*former.instance)
                .create({.slug = former.slug,
                         .tier = former.tier,
                         .limits_json = R"({"requests-per-second":100000,"burst":100000})"});
  if (!id) return tl::unexpected(id.error());
  newcomer.id = std::move(*id);
  if (auto equipped = equip(e.arena(), newcomer); !equipped)
    return tl::unexpected(equipped.error());
  return newcomer;
}

void recreation(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "again");
  Examination watch(arena, s.thrown, *s.bystander);
  watch.begin();
  const auto newcomer = recreate(watch, s.thrown);
  keep(watch, cells);
  if (!newcomer) throw std::runtime_error(newcomer.error().text());
  Examination e(arena, *newcomer, *s.bystander);
  e.begin();
  const Scanner former(s.thrown.canaries);
  for (const std::string& target :
       {std::string("/v1/records"), "/v1/records/" + s.thrown.collection + "?limit=1000"}) {
    const auto listed =
        e.own("GET " + target + " as the new tenant", arena.request_of(*newcomer, "GET", target));
    const bool nothing = listed && former.scan(listed->body).empty();
    e.expect("what the former tenant stored", nothing, "nothing",
             nothing  ? "nothing"
             : listed ? "its canary"
                      : "no answer",
             listed ? Verdict::leak : Verdict::inconclusive);
  }
  for (const std::string& id : s.thrown.records) {
    const auto answer = arena.send(
        &*newcomer,
        arena.request_of(*newcomer, "GET", "/v1/records/" + s.thrown.collection + "/" + id),
        Way::direct);
    e.expect_of("a record of the former tenant", answer,
                answer && answer->summary() == "404 not-found", "404 not-found");
  }
  keep(e, cells);
}

void old_credential(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "heir");
  const std::string token = arena.token({.tenant = s.thrown.slug});
  Examination watch(arena, s.thrown, *s.bystander);
  watch.begin();
  // Tokens carry whole seconds: the second tenant must be younger than the token's.
  if (!token.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const auto newcomer = recreate(watch, s.thrown);
  keep(watch, cells);
  if (!newcomer) throw std::runtime_error(newcomer.error().text());
  Examination e(arena, s.thrown, *newcomer);
  e.begin();
  const std::string target = "/v1/records/" + newcomer->collection;
  if (!s.thrown.by_token) {
    e.attack({.step = "the former tenant's key",
              .request = arena.request_of(s.thrown, "GET", target),
              .refusals = {"401 invalid-credential"},
              .causes = {"no such key", "the key was revoked"}});
  }
  if (!token.empty()) {
    HttpRequest request = arena.request_of(s.thrown, "GET", target);
    request.headers.front().second = "Bearer " + token;
    e.attack({.step = "a token made for the former tenant",
              .request = request,
              .refusals = {"401 invalid-credential"},
              .causes = {"it was issued before this tenant had the slug"}});
  }
  keep(e, cells);
}

void foreign_backup(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "restore");
  Examination e(arena, s.thrown, *s.bystander);
  e.begin();
  const OperatorApi api = arena.operator_of(*s.thrown.instance);
  const auto snapshot = take_snapshot(arena, *s.bystander);
  const auto own = api.snapshot(s.thrown.slug);
  if (!snapshot || !own) {
    e.inconclusive("no snapshot could be made: " +
                   (snapshot ? own.error().text() : snapshot.error().text()));
    return keep(e, cells);
  }
  const auto foreign = order(e, "POST", "/restore", R"({"snapshot":")" + *snapshot + "\"}");
  e.expect("restore of a snapshot of " + s.bystander->slug,
           foreign && foreign->summary() == "409 foreign-snapshot", "409 foreign-snapshot",
           foreign ? foreign->summary() : foreign.error().text(),
           foreign && foreign->status < 300 ? Verdict::leak : Verdict::inconclusive);
  const auto wrong =
      order(e, "POST", "/restore", R"({"snapshot":")" + *snapshot + R"(","from":"nobody"})");
  e.expect_of("restore that names another owner", wrong, wrong && wrong->status >= 400, "refused");
  e.own("what the tenant has afterwards",
        arena.request_of(s.thrown, "GET", "/v1/records/" + s.thrown.collection + "?limit=1000"));
  const auto back = order(e, "POST", "/restore", R"({"snapshot":")" + *own + "\"}");
  e.expect("restore of its own snapshot", back && back->status / 100 == 2, "2xx",
           back ? back->summary() : back.error().text(), Verdict::inconclusive);
  e.own("its own records after that",
        arena.request_of(s.thrown, "GET",
                         "/v1/records/" + s.thrown.collection + "/" + s.thrown.records.front()));
  keep(e, cells);
}

void half_provisioned(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "half");
  Examination e(arena, s.thrown, *s.bystander);
  e.begin();
  const RunningInstance& instance = *s.thrown.instance;
  const OperatorApi api = arena.operator_of(instance);
  const std::string slug = s.thrown.slug + "-broken";
  if (auto noted = arena.journal().will_create(
          {.kind = "tenant", .instance = instance.name, .tenant = slug, .name = slug});
      !noted) {
    return e.inconclusive(noted.error().text());
  }
  for (const std::string& rest :
       {std::string(R"("tier":"no-such-tier")"),
        std::string(R"("limits":{"requests-per-second":-1})"), std::string(R"("unknown":1)"),
        std::string(R"("domains":["not a domain"])"),
        R"("domains":[")" + s.bystander->host + "\"]"}) {
    const auto answer = api.call("POST", "/v1/tenants", R"({"slug":")" + slug + "\"," + rest + "}");
    e.expect("create with " + rest, answer && answer->status >= 400 && answer->status < 500,
             "refused", answer ? answer->summary() : answer.error().text(), Verdict::inconclusive);
    const auto found = api.call("GET", "/v1/tenants/" + slug);
    e.expect("the tenant after that", found && found->status == 404, "404",
             found ? found->summary() : found.error().text(), Verdict::inconclusive);
    if (found && found->status == 200) static_cast<void>(api.remove(slug));
  }
  const auto twice =
      api.call("POST", "/v1/tenants",
               R"({"slug":")" + s.bystander->slug + R"(","tier":")" + s.thrown.tier + "\"}");
  e.expect("create with the slug of " + s.bystander->slug,
           twice && twice->summary() == "409 conflict", "409 conflict",
           twice ? twice->summary() : twice.error().text(),
           twice && twice->status < 300 ? Verdict::leak : Verdict::inconclusive);

  if (arena.stack().target == "local") {
    // The process dies while tenants are being made: afterwards each is whole or not there.
    std::vector<std::string> slugs;
    std::thread maker([&] {
      for (int i = 0; i < 40; ++i) {
        slugs.push_back(slug + std::to_string(i));
        const Creation creation{.kind = "tenant",
                                .instance = instance.name,
                                .tenant = slugs.back(),
                                .name = slugs.back()};
        if (!arena.journal().will_create(creation)) return;
        if (!api.create({.slug = slugs.back(), .tier = s.thrown.tier})) return;
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    stop_local(arena.stack().state, instance.name, std::chrono::milliseconds(0));
    maker.join();
    const auto again = restart(arena, instance);
    if (!again) throw std::runtime_error(again.error().text());
    for (const std::string& made : slugs) {
      const auto found = api.call("GET", "/v1/tenants/" + made);
      if (found && found->status == 404) continue;
      const auto key = api.make_key(made, "caisson-" + arena.run());
      HttpRequest whoami{
          .target = "/v1/records",
          .host = made + "." + arena.plan().domain.value,
          .headers = {{"Authorization", "Bearer " + (key ? key->text : std::string())}}};
      const auto works = arena.send(&s.thrown, whoami, Way::direct);
      e.expect("tenant " + made + " after the process was killed", works && works->status == 200,
               "whole or not there", works ? works->summary() : works.error().text(),
               Verdict::inconclusive);
      if (auto gone = api.remove(made); !gone) e.inconclusive(gone.error().text());
    }
  }
  keep(e, cells);
}

const std::vector<Probe> probes{
    {"LC1", "suspend stops live credentials and connections", Resource::lifecycle, 2, true,
     needs_shared_instance, nullptr, suspension},
    {"LC2", "delete: canary nowhere", Resource::lifecycle, 2, true, needs_immediate_deletion,
     nullptr, deletion},
    {"LC3", "a recreated slug inherits nothing", Resource::lifecycle, 2, true,
     needs_immediate_deletion, nullptr, recreation},
    {"LC4", "old credential against the recreated tenant", Resource::lifecycle, 2, true,
     needs_immediate_deletion, nullptr, old_credential},
    {"LC6", "B's backup into A", Resource::lifecycle, 2, true, needs_shared_instance, nullptr,
     foreign_backup},
    {"LC8", "half-provisioned tenant", Resource::lifecycle, 2, true, needs_shared_instance, nullptr,
     half_provisioned},
};

}  // namespace

const std::vector<Probe>& lifecycle_probes() { return probes; }

}  // namespace caisson::conformance
