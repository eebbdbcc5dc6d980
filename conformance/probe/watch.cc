// WF: the change feed. Who watches sees the changes of its own tenant, for as long as it may.

#include <algorithm>
#include <stdexcept>

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/targets.h"
#include "conformance/wire/web_socket.h"

namespace caisson::conformance {
namespace {

using std::chrono::seconds;

HttpRequest watch_request(const Arena& arena, const Actor& actor) {
  return arena.request_of(actor, "GET", "/v1/watch");
}

Result<WebSocket> open_at(const Actor& actor, HttpRequest request) {
  if (actor.pace) actor.pace->wait();
  return WebSocket::open(*actor.instance->data, std::move(request), within(seconds(10)));
}

std::string summary_of(const Result<WebSocket>& socket) {
  return socket ? socket->answer().summary() : socket.error().text();
}

/// A handshake that must be refused, and be in the audit log.
void refused(Examination& e, const std::string& step, const HttpRequest& request,
             const std::vector<std::string>& refusals) {
  const auto socket = open_at(e.attacker(), request);
  const std::string observed = summary_of(socket);
  const bool expected = std::ranges::find(refusals, observed) != refusals.end();
  const bool opened = socket && socket->opened();
  e.expect(step, expected, refusals.front(), observed + (opened ? ", accepted" : ""),
           opened ? Verdict::leak : Verdict::inconclusive);
  if (!expected) return;
  const HttpResponse& answer = socket->answer();
  const auto wrong =
      e.arena().wrong_in_audit({.request_id = std::string(answer.field("caisson-request-id")),
                                .problem = std::string(answer.problem()),
                                .tenant = e.attacker().slug});
  e.expect(step + ", audit log", wrong.empty(), "recorded",
           wrong.empty() ? "looked up by request id" : wrong, Verdict::inconclusive);
}

/// Writes a record; its id, or nothing.
std::string write_record(const Arena& arena, const Actor& actor, const std::string& body) {
  const auto made =
      arena.send(&actor, arena.request_of(actor, "POST", "/v1/records/" + actor.collection, body),
                 Way::direct);
  return made && made->status == 201 ? json_string(made->body, "id") : std::string();
}

/// The victim writes, then the attacker: its feed must bring its own change and not the one before.
void foreign_changes(Examination& e) {
  const Arena& arena = e.arena();
  e.ignore_state();  // the victim writes in this probe
  auto socket = open_at(e.attacker(), watch_request(arena, e.attacker()));
  if (!socket || !socket->opened()) return e.inconclusive("no watch: " + summary_of(socket));
  const std::string theirs =
      write_record(arena, e.victim(), R"({"note":")" + e.victim().canaries.front().text + "\"}");
  const std::string mine = write_record(arena, e.attacker(), R"({"note":"watched"})");
  if (theirs.empty() || mine.empty()) return e.inconclusive("the records could not be written");
  const Deadline deadline = within(seconds(10));
  std::string seen;
  bool came = false;
  while (!came) {
    const auto frame = socket->read(deadline);
    if (!frame) return e.inconclusive("the own change did not come: " + frame.error().text());
    if (frame->kind == WebSocket::Frame::Kind::close) {
      return e.inconclusive("the watch ended with " + std::to_string(frame->code));
    }
    seen += frame->payload + "\n";
    came = json_string(frame->payload, "id") == mine;
  }
  const bool foreign = seen.find(theirs) != std::string::npos;
  e.expect("the feed after a change of " + e.victim().slug, !foreign, "the own change alone",
           foreign ? "a change of " + e.victim().slug : "the own change alone");
  e.received("the feed", seen);
  socket->close(deadline);
  // What was written here is taken away again, so that later probes find the state they expect.
  for (const auto& [actor, id] : {std::pair(&e.victim(), theirs), std::pair(&e.attacker(), mine)}) {
    static_cast<void>(arena.send(
        actor, arena.request_of(*actor, "DELETE", "/v1/records/" + actor->collection + "/" + id),
        Way::direct));
  }
}

void foreign_pages(Examination& e) {
  const Arena& arena = e.arena();
  HttpRequest own = watch_request(arena, e.attacker());
  own.headers.emplace_back("Origin", "https://" + e.attacker().host);
  const auto opened = open_at(e.attacker(), own);
  e.expect("a page of the own host", opened && opened->opened(), "101", summary_of(opened),
           Verdict::inconclusive);
  HttpRequest page = watch_request(arena, e.attacker());
  page.headers.emplace_back("Origin", "https://" + e.victim().host);
  refused(e, "a page of " + e.victim().slug, page, {"403 foreign-origin"});
  HttpRequest named = watch_request(arena, e.attacker());
  named.headers.emplace_back("Caisson-Tenant", e.victim().slug);
  refused(e, "the own credential with the header of " + e.victim().slug, named,
          {"403 tenant-mismatch", "400 ambiguous-tenant"});
  if (!e.same_instance()) return;
  HttpRequest hosted = watch_request(arena, e.attacker());
  hosted.host = e.victim().host;
  refused(e, "the own credential at the host of " + e.victim().slug, hosted,
          {"403 tenant-mismatch", "400 ambiguous-tenant"});
}

void keep(Examination& e, std::vector<Cell>& cells) {
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

struct Scene {
  Actor watching;
  const Actor* bystander = nullptr;
};

Scene scene(const Arena& arena, const std::string& suffix, const std::string& limits = {}) {
  auto made = make_tenant(arena, suffix, limits);
  if (!made) throw std::runtime_error(made.error().text());
  const Actor* bystander = pooled_actor(arena);
  if (bystander == nullptr) throw std::runtime_error("no pooled tenant to stand by");
  return {.watching = std::move(*made), .bystander = bystander};
}

/// A watch that lives on a credential or a tenant that is no longer good.
void lost_ground(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "watch");
  Examination e(arena, s.watching, *s.bystander);
  e.begin();
  const OperatorApi api = arena.operator_of(*s.watching.instance);
  const auto ends = [&](const std::string& step, std::uint16_t code, const auto& order) {
    const auto key = api.make_key(s.watching.slug, "caisson-" + arena.run() + "-watch");
    if (!key) return e.inconclusive(key.error().text());
    arena.remember_secret(key->text);
    HttpRequest request = watch_request(arena, s.watching);
    request.headers.front().second = "Bearer " + key->text;
    auto socket = open_at(s.watching, request);
    if (!socket || !socket->opened()) return e.inconclusive("no watch: " + summary_of(socket));
    const auto position = socket->read(within(seconds(10)));
    if (!position) return e.inconclusive(position.error().text());
    if (auto done = order(*key); !done) return e.inconclusive(done.error().text());
    const std::uint16_t observed = socket->close_code(within(seconds(5)));
    e.expect("the watch after " + step, observed == code, "closed with " + std::to_string(code),
             observed == 0 ? "still open" : "closed with " + std::to_string(observed),
             observed == 0 ? Verdict::leak : Verdict::inconclusive);
  };
  ends("its key was revoked", 4401,
       [&](const OperatorApi::Key& key) { return api.delete_key(s.watching.slug, key.id); });
  const auto order = [&](const std::string& what) -> Result<void> {
    const auto answer = api.require("POST", "/v1/tenants/" + s.watching.slug + what);
    if (!answer) return tl::unexpected(answer.error());
    return {};
  };
  ends("its tenant was suspended", 4403,
       [&](const OperatorApi::Key&) { return order("/suspend"); });
  if (auto resumed = order("/resume"); !resumed) e.inconclusive(resumed.error().text());
  e.own("own request after it was resumed", arena.request_of(s.watching, "GET", "/v1/records"));
  keep(e, cells);
}

void too_many(const Arena& arena, std::vector<Cell>& cells) {
  const Scene s = scene(arena, "sockets", R"({"sockets":2})");
  Examination e(arena, s.watching, *s.bystander);
  e.begin();
  std::vector<Result<WebSocket>> kept;
  for (int i = 0; i < 2; ++i) {
    kept.push_back(open_at(s.watching, watch_request(arena, s.watching)));
    e.expect("a socket within the limit", kept.back() && kept.back()->opened(), "101",
             summary_of(kept.back()), Verdict::inconclusive);
  }
  refused(e, "one more than the limit", watch_request(arena, s.watching), {"429 too-many-sockets"});
  const auto other = open_at(*s.bystander, watch_request(arena, *s.bystander));
  e.expect("a socket of " + s.bystander->slug, other && other->opened(), "101", summary_of(other),
           Verdict::inconclusive);
  keep(e, cells);
}

const std::vector<Probe> probes{
    {"WF1", "B's change in A's feed", Resource::records, 2, true, nullptr, foreign_changes},
    {"WF2", "a watch ends with its credential and its tenant", Resource::lifecycle, 2, true,
     needs_shared_instance, nullptr, lost_ground},
    {"WF3", "a watch for a page or with the signals of B", Resource::identity, 2, true, nullptr,
     foreign_pages},
    {"WF4", "the limit of sockets holds", Resource::noise, 2, true, needs_shared_instance, nullptr,
     too_many},
};

}  // namespace

const std::vector<Probe>& watch_probes() { return probes; }

}  // namespace caisson::conformance
