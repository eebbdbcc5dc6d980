// CA: what one tenant's requests leave behind for the next one.

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"

namespace caisson::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void same_key(Examination& e) {
  const Arena& arena = e.arena();
  e.ignore_state();  // the victim writes in this probe
  const std::string key =
      "caisson-" + arena.run() + "-" + e.attacker().slug + "-" + e.victim().slug;
  const std::string target = "/v1/records/" + e.victim().collection;
  const auto with_key = [&](const Actor& actor, const std::string& body) {
    HttpRequest request = arena.request_of(actor, "POST", target, body);
    request.headers.emplace_back("Idempotency-Key", key);
    return request;
  };
  const auto theirs =
      arena.send(&e.victim(), with_key(e.victim(), R"({"note":"the same"})"), Way::direct);
  if (!theirs || theirs->status != 201)
    return e.inconclusive(e.victim().slug + " could not write with a key");
  const std::string their_id = json_string(theirs->body, "id");
  for (const std::string body : {R"({"note":"the same"})", R"({"note":"another"})"}) {
    const auto mine =
        e.own("POST with the key of " + e.victim().slug, with_key(e.attacker(), body));
    if (!mine) return;
    const bool replayed =
        !mine->field("idempotency-replayed").empty() && body.find("same") != std::string::npos;
    e.expect("the answer", !replayed && json_string(mine->body, "id") != their_id,
             "a record of its own", replayed ? "the victim's answer again" : mine->summary(),
             unserved(*mine) ? Verdict::inconclusive : Verdict::leak);
    break;  // the second body is for a key that is now the attacker's own
  }
  const auto again =
      arena.send(&e.victim(), with_key(e.victim(), R"({"note":"the same"})"), Way::direct);
  e.expect("the victim repeats its request", again && json_string(again->body, "id") == their_id,
           "its own first answer", again ? again->summary() : again.error().text(),
           again && !unserved(*again) ? Verdict::leak : Verdict::inconclusive);
}

void same_url(Examination& e) {
  const Arena& arena = e.arena();
  const std::string target =
      "/v1/records/" + e.victim().collection + "/" + e.victim().records.front();
  for (int round = 0; round < 3; ++round) {
    const auto warm =
        arena.send(&e.victim(), arena.request_of(e.victim(), "GET", target), Way::edge);
    if (!warm || warm->status != 200)
      return e.inconclusive("the victim was not served through the edge");
    HttpRequest request = arena.request_of(e.attacker(), "GET", target);
    request.host = e.victim().host;
    e.attack({.step = "the URL that " + e.victim().slug + " has just fetched",
              .request = request,
              .way = Way::edge,
              .refusals = e.refusals_at(e.victim().instance)});
    const auto nobody = arena.send(nullptr, {.target = target, .host = e.victim().host}, Way::edge);
    e.expect("the same URL without a credential", nobody && nobody->status == 401, "401",
             nobody ? nobody->summary() : nobody.error().text(),
             nobody && nobody->status == 200 ? Verdict::leak : Verdict::inconclusive);
    if (nobody) e.received("the same URL without a credential", nobody->raw);
  }
}

/// Alternates both tenants on one connection, with failures in between, as a proxy's pool does.
void reused_connection(Examination& e) {
  if (!e.same_instance()) return e.skip("no connection is shared by two instances");
  const Arena& arena = e.arena();
  const Deadline deadline = within(seconds(10));
  auto connection = HttpConnection::open(*e.attacker().instance->data, deadline);
  if (!connection) return e.inconclusive("no connection: " + connection.error().text());
  const std::string collection = "/v1/records/" + e.attacker().collection;
  const std::vector<HttpRequest> failures{
      arena.request_of(e.attacker(), "GET", "/v1/nothing"),
      arena.request_of(e.attacker(), "POST", collection, "{not json"),
      arena.request_of(e.attacker(), "GET", collection + "?limit=x"),
      arena.request_of(e.attacker(), "GET", collection + "/" + e.victim().records.front())};
  for (const HttpRequest& failure : failures) {
    if (e.victim().pace) e.victim().pace->wait();
    const auto theirs =
        connection->exchange(arena.request_of(e.victim(), "GET", "/v1/whoami"), deadline);
    e.expect_own("request of " + e.victim().slug + " on the shared connection", e.victim(), theirs);
    if (e.attacker().pace) e.attacker().pace->wait();
    const auto failed = connection->exchange(failure, deadline);
    if (!failed) return e.inconclusive("the connection broke: " + failed.error().text());
    e.received("failing request of " + e.attacker().slug + " right after", failed->raw);
    if (failed->closes) {
      connection = HttpConnection::open(*e.attacker().instance->data, deadline);
      if (!connection) return e.inconclusive("no connection: " + connection.error().text());
    }
    if (e.attacker().pace) e.attacker().pace->wait();
    const auto own =
        connection->exchange(arena.request_of(e.attacker(), "GET", "/v1/whoami"), deadline);
    e.expect_own("own request after the failure", e.attacker(), own);
  }
}

void cancelled(Examination& e) {
  const Arena& arena = e.arena();
  const RunningInstance& at =
      arena.stack().edge() != nullptr ? *arena.stack().edge() : *e.attacker().instance;
  const Way way = arena.stack().edge() != nullptr ? Way::edge : Way::direct;
  for (int round = 0; round < 10; ++round) {
    if (e.victim().pace) e.victim().pace->wait();
    auto connection = Connection::open(*at.data, within(seconds(2)));
    if (!connection) return e.inconclusive("no connection: " + connection.error().text());
    // The victim asks for its records and goes away before the answer comes.
    static_cast<void>(connection->send(
        arena.request_of(e.victim(), "GET", "/v1/records/" + e.victim().collection + "?limit=1000")
            .bytes(),
        within(seconds(2))));
    connection = Connection::open(*at.data, within(seconds(2)));
    if (!connection) return e.inconclusive("no connection: " + connection.error().text());
    const auto own = e.own("own request after a cancelled one of " + e.victim().slug,
                           arena.request_of(e.attacker(), "GET", "/v1/whoami"), way);
    if (own) e.expect_own("the answer", e.attacker(), *own);
  }
}

const std::vector<Probe> probes{
    {"CA1", "same idempotency key, two tenants", Resource::cache, 1, true, nullptr, same_key},
    {"CA2", "same URL, two identities through the edge", Resource::cache, 1, false, needs_edge,
     same_url},
    {"CA3", "pool of one, alternating", Resource::cache, 1, false, needs_postgres},
    {"CA4", "error, then reuse of the connection", Resource::cache, 1, false, nullptr,
     reused_connection},
    {"CA5", "cancelled requests", Resource::cache, 1, false, nullptr, cancelled},
    {"CA8", "transaction pooler", Resource::cache, 1, false, needs_postgres},
};

}  // namespace

const std::vector<Probe>& cache_probes() { return probes; }

}  // namespace caisson::conformance
