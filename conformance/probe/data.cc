// DB: the records of one tenant in the hands of another.

#include <filesystem>

#include <boost/json.hpp>
#include <signal.h>
#include <unistd.h>

#include "base/percent.h"
#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/targets.h"
#include "conformance/stack/local.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

std::string path_of(const std::string& collection, const std::string& id) {
  return "/v1/records/" + collection + "/" + id;
}

void every_verb(Examination& e) {
  const Arena& arena = e.arena();
  const std::string id = e.victim().records.front();
  const std::string ghost = ghost_of(id);
  const std::string body = R"({"canary":"overwritten"})";
  const std::vector<std::pair<std::string, std::string>> verbs{
      {"GET", ""}, {"HEAD", ""}, {"PUT", body}, {"DELETE", ""}, {"PATCH", body}, {"POST", body}};
  for (const auto& [method, content] : verbs) {
    const bool known = method != "PATCH" && method != "POST";
    std::vector<std::string> refusals{known ? "404 not-found" : "405 method-not-allowed"};
    if (method == "HEAD") refusals = {"404"};
    for (const Way way : {Way::direct, Way::edge}) {
      if (way == Way::edge && arena.stack().edge() == nullptr) continue;
      e.attack({.step = method + " a record of " + e.victim().slug +
                        (way == Way::edge ? " through the edge" : ""),
                .request = arena.request_of(e.attacker(), method,
                                            path_of(e.victim().collection, id), content),
                .way = way,
                .refusals = refusals,
                .ghost = arena.request_of(e.attacker(), method,
                                          path_of(e.victim().collection, ghost), content),
                .id = id,
                .ghost_id = ghost});
    }
    if (e.same_instance()) continue;
    e.attack({.step = method + " the record at " + e.victim().instance->name,
              .request = arena.request_of(e.attacker(), method, path_of(e.victim().collection, id),
                                          content),
              .at = e.victim().instance,
              .refusals = method == "HEAD" ? std::vector<std::string>{"401", "403", "404"}
                                           : e.refusals_at(e.victim().instance)});
  }
}

std::int64_t records_in(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::value* list = error ? nullptr : value.find_pointer("/records", error);
  return list != nullptr && list->is_array() ? static_cast<std::int64_t>(list->get_array().size())
                                             : -1;
}

void lists(Examination& e) {
  const Arena& arena = e.arena();
  const std::string collection = "/v1/records/" + e.victim().collection;
  e.own("list collections", arena.request_of(e.attacker(), "GET", "/v1/records"));
  for (const std::string& query :
       {std::string("?limit=1000"), "?limit=1000&filter=owner:eq:" + e.victim().slug,
        std::string("?limit=1000&filter=canary:prefix:CAISSON"),
        std::string("?limit=1000&filter=canary:ne:nothing"),
        std::string("?limit=1000&order=-created"),
        std::string("?limit=1000&filter=number:ge:0&filter=number:le:9")}) {
    const auto listed =
        e.own("list " + query, arena.request_of(e.attacker(), "GET", collection + query));
    if (listed) {
      const auto found = records_in(listed->body);
      const auto most = static_cast<std::int64_t>(e.attacker().records.size());
      e.expect("number of records for " + query,
               found >= 0 && (arena.level() > 1 || found <= most) && found < 1000,
               "the attacker's own", std::to_string(found), Verdict::inconclusive);
    }
  }
  for (const std::string& target :
       {collection + "/count", collection + "/export", std::string("/v1/search?q=CAISSON"),
        std::string("/v1/export")}) {
    e.attack({.step = "GET " + target,
              .request = arena.request_of(e.attacker(), "GET", target),
              .refusals = {"404 not-found", std::string(no_route)}});
  }
}

void mixed_batch(Examination& e) {
  const Arena& arena = e.arena();
  const std::string mine = e.attacker().records.back();
  const std::string theirs = e.victim().records.front();
  const std::string ghost = ghost_of(theirs);
  const std::string collection = e.attacker().collection;
  const auto batch = [&](const std::string& op, const std::string& id) {
    const std::string value = op == "replace" ? R"(,"value":{"canary":"overwritten"})" : "";
    return R"({"operations":[{"op":"read","collection":")" + collection + R"(","id":")" + mine +
           R"("},{"op":")" + op + R"(","collection":")" + collection + R"(","id":")" + id + "\"" +
           value + "}]}";
  };
  for (const std::string op : {"read", "replace", "delete"}) {
    e.attack({.step = "batch of an own record and " + op + " of one of " + e.victim().slug,
              .request = arena.request_of(e.attacker(), "POST", "/v1/batch", batch(op, theirs)),
              .refusals = {"404 not-found"},
              .ghost = arena.request_of(e.attacker(), "POST", "/v1/batch", batch(op, ghost)),
              .id = theirs,
              .ghost_id = ghost});
  }
  e.own("its own record is still there",
        arena.request_of(e.attacker(), "GET", path_of(collection, mine)));
}

void cursor_and_etag(Examination& e) {
  const Arena& arena = e.arena();
  const std::string list = "/v1/records/" + e.victim().collection + "?limit=1";
  const auto page = arena.send(&e.victim(), arena.request_of(e.victim(), "GET", list), Way::direct);
  const std::string cursor = page ? json_string(page->body, "next") : "";
  if (cursor.empty()) return e.inconclusive(e.victim().slug + " got no cursor for its own list");
  e.attack({.step = "the cursor of " + e.victim().slug,
            .request =
                arena.request_of(e.attacker(), "GET", list + "&cursor=" + percent_encoded(cursor)),
            .refusals = {"400 invalid-parameter"}});

  const std::string theirs = path_of(e.victim().collection, e.victim().records.front());
  const auto record =
      arena.send(&e.victim(), arena.request_of(e.victim(), "GET", theirs), Way::direct);
  const std::string etag(record ? record->field("etag") : "");
  if (etag.empty()) return e.inconclusive(e.victim().slug + " got no ETag for its own record");
  for (const char* field : {"If-None-Match", "If-Match"}) {
    HttpRequest request = arena.request_of(e.attacker(), "GET", theirs);
    request.headers.emplace_back(field, etag);
    e.attack({.step = std::string(field) + " with the ETag of " + e.victim().slug,
              .request = request,
              .refusals = {"404 not-found"}});
  }
  HttpRequest put = arena.request_of(e.attacker(), "PUT", theirs, R"({"canary":"overwritten"})");
  put.headers.emplace_back("If-Match", etag);
  e.attack({.step = "PUT with If-Match of " + e.victim().slug,
            .request = put,
            .refusals = {"404 not-found"}});
}

void injection(Examination& e) {
  const Arena& arena = e.arena();
  const std::string collection = "/v1/records/" + e.attacker().collection;
  const std::vector<std::string> texts{"' OR '1'='1",
                                       "' OR 1=1 --",
                                       "x' UNION SELECT value FROM records --",
                                       "\"; DROP TABLE records; --",
                                       "%' OR '%'='",
                                       "'||(SELECT group_concat(value) FROM records)||'",
                                       std::string("a\0b", 3),
                                       "$.canary') OR 1=1 --"};
  for (const std::string& text : texts) {
    const std::string encoded = percent_encoded(text);
    for (const std::string& query : {"?filter=canary:eq:" + encoded, "?filter=" + encoded + ":eq:x",
                                     "?filter=canary:" + encoded + ":x", "?order=" + encoded,
                                     "?limit=" + encoded, "?cursor=" + encoded}) {
      e.attack({.step = "injection in " + query,
                .request = arena.request_of(e.attacker(), "GET", collection + query),
                .refusals = {"200", "400 invalid-parameter", "400 malformed-request"}});
    }
    e.attack({.step = "injection as collection",
              .request = arena.request_of(e.attacker(), "GET", "/v1/records/" + encoded),
              .refusals = {"404 not-found", std::string(no_route), "400 invalid-parameter",
                           "400 malformed-request"}});
    e.attack({.step = "injection as id",
              .request = arena.request_of(e.attacker(), "GET", collection + "/" + encoded),
              .refusals = {"404 not-found", std::string(no_route), "400 invalid-parameter",
                           "400 malformed-request"}});
  }
}

void attach(Examination& e) {
  const Arena& arena = e.arena();
  const std::string collection = "/v1/records/" + e.attacker().collection;
  std::string store = "tenants/" + e.victim().id + "/store.db";
  if (!e.victim().instance->data_directory.empty()) {
    store = (store_directory(*e.victim().instance, e.victim().id) / "store.db").string();
  }
  for (const std::string& text :
       {"'; ATTACH DATABASE '" + store + "' AS b; SELECT * FROM b.records; --",
        "x') UNION SELECT load_extension('" + store + "') --", "file:" + store + "?mode=ro",
        std::string("'; PRAGMA writable_schema=1; --"),
        "x' UNION SELECT readfile('" + store + "') --"}) {
    const std::string encoded = percent_encoded(text);
    e.attack({.step = "filter with " + text.substr(0, 24),
              .request = arena.request_of(e.attacker(), "GET",
                                          collection + "?filter=canary:eq:" + encoded),
              .refusals = {"200", "400 invalid-parameter"}});
    e.attack({.step = "field with " + text.substr(0, 24),
              .request = arena.request_of(e.attacker(), "GET",
                                          collection + "?filter=" + encoded + ":eq:x"),
              .refusals = {"200", "400 invalid-parameter"}});
    e.attack({.step = "collection with " + text.substr(0, 24),
              .request = arena.request_of(e.attacker(), "GET", "/v1/records/" + encoded),
              .refusals = {"404 not-found", std::string(no_route), "400 invalid-parameter"}});
  }
}

/// A tenant whose database file was swapped for a link to another's, while nobody had it open.
void linked_database(const Arena& arena, std::vector<Cell>& cells) {
  const auto thrown = make_tenant(arena, "link");
  if (!thrown) throw std::runtime_error(thrown.error().text());
  const Actor* victim = pooled_actor(arena);
  if (victim == nullptr) throw std::runtime_error("no pooled tenant to link to");
  Examination e(arena, *thrown, *victim);
  e.begin();

  const RunningInstance& instance = *thrown->instance;
  const std::vector<std::string> slugs{"../" + victim->slug, std::string(".."),
                                       std::string("a/b"),   "%2e%2e%2f" + victim->slug,
                                       victim->slug + "%00", "-",
                                       std::string(200, 'a')};
  for (const std::string& slug : slugs) {
    const json::object body{{"slug", slug}, {"tier", thrown->tier}};
    const auto answer =
        arena.operator_of(instance).call("POST", "/v1/tenants", json::serialize(body));
    e.expect_of("a tenant named '" + slug.substr(0, 40) + "'", answer,
                answer && answer->status >= 400 && answer->status < 500, "refused");
  }

  const fs::path mine = store_directory(instance, thrown->id);
  const fs::path theirs = store_directory(instance, victim->id);
  stop_local(arena.stack().state, instance.name, std::chrono::seconds(12));
  std::error_code error;
  for (const char* file : {"store.db", "store.db-wal", "store.db-shm"}) {
    fs::remove(mine / file, error);
    if (fs::exists(theirs / file)) fs::create_symlink(theirs / file, mine / file, error);
  }
  const auto again = restart(arena, instance);
  if (!again) throw std::runtime_error(again.error().text());
  e.attack({.step = "own record, with the own database linked to that of " + victim->slug,
            .request = arena.request_of(*thrown, "GET",
                                        path_of(victim->collection, victim->records.front())),
            .refusals = {"503 tenant-unavailable"}});
  e.attack({.step = "list, with the own database linked to that of " + victim->slug,
            .request = arena.request_of(*thrown, "GET", "/v1/records/" + victim->collection),
            .refusals = {"503 tenant-unavailable"}});
  for (const char* file : {"store.db", "store.db-wal", "store.db-shm"})
    fs::remove(mine / file, error);
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

std::optional<LeftOut> no_relations(const Arena& /*arena*/) {
  return "records have no parents: the data API has no relations";
}

const std::vector<Probe> probes{
    {"DB1", "every route and verb with B's id", Resource::records, 1, false, nullptr, every_verb},
    {"DB2", "list, search, count, export", Resource::records, 1, false, nullptr, lists},
    {"DB3", "child pointing at B's parent", Resource::records, 1, false, no_relations},
    {"DB4", "mixed-id batch", Resource::records, 1, false, nullptr, mixed_batch},
    {"DB5", "B's cursor or ETag", Resource::records, 1, false, nullptr, cursor_and_etag},
    {"DB6", "superuser, BYPASSRLS or owner role", Resource::records, 1, false, needs_postgres},
    {"DB7", "every tenant table has FORCE RLS and a policy", Resource::records, 1, false,
     needs_postgres},
    {"DB8", "unset context gives zero rows", Resource::records, 1, false, needs_postgres},
    {"DB9", "forged-tenant write", Resource::records, 1, false, needs_postgres},
    {"DB10", "views and SECURITY DEFINER", Resource::records, 1, false, needs_postgres},
    {"DB11", "SET ROLE, TRUNCATE", Resource::records, 1, false, needs_postgres},
    {"DB13", "injection in each filter", Resource::records, 1, false, nullptr, injection},
    {"DB14", "search_path, qualified names", Resource::records, 1, false, needs_postgres},
    {"DB15", "ATTACH, load_extension, file: URI", Resource::records, 1, false, nullptr, attach},
    {"DB16", "slug traversal and symlinked database", Resource::records, 2, true, needs_local,
     nullptr, linked_database},
};

}  // namespace

const std::vector<Probe>& data_probes() { return probes; }

}  // namespace caisson::conformance
