// SC: what a tenant may learn of another without ever being given anything.

#include <algorithm>
#include <cmath>
#include <set>

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/targets.h"

namespace caisson::conformance {
namespace {

void oracle(Examination& e) {
  const Arena& arena = e.arena();
  for (const std::string& id : e.victim().records) {
    const std::string ghost = ghost_of(id);
    const std::string path = "/v1/records/" + e.victim().collection + "/";
    for (const std::string method : {"GET", "HEAD", "PUT", "DELETE"}) {
      const std::string body = method == "PUT" ? R"({"canary":"overwritten"})" : "";
      e.attack({.step = method + " an id of " + e.victim().slug,
                .request = arena.request_of(e.attacker(), method, path + id, body),
                .refusals = {method == "HEAD" ? "404" : "404 not-found"},
                .ghost = arena.request_of(e.attacker(), method, path + ghost, body),
                .id = id,
                .ghost_id = ghost});
    }
    HttpRequest conditional = arena.request_of(e.attacker(), "GET", path + id);
    conditional.headers.emplace_back("If-None-Match", "*");
    HttpRequest conditional_ghost = arena.request_of(e.attacker(), "GET", path + ghost);
    conditional_ghost.headers.emplace_back("If-None-Match", "*");
    e.attack({.step = "If-None-Match: * on an id of " + e.victim().slug,
              .request = conditional,
              .refusals = {"404 not-found"},
              .ghost = conditional_ghost,
              .id = id,
              .ghost_id = ghost});
  }
}

/// The probability that a measurement of `a` is larger than one of `b` (ties count half).
double superiority(const std::vector<std::int64_t>& a, std::vector<std::int64_t> b) {
  std::ranges::sort(b);
  double wins = 0;
  for (const std::int64_t x : a) {
    const auto low = std::ranges::lower_bound(b, x) - b.begin();
    const auto high = std::ranges::upper_bound(b, x) - b.begin();
    wins += static_cast<double>(low) + static_cast<double>(high - low) / 2;
  }
  return wins / (static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

void timing(const Arena& arena, std::vector<Cell>& cells) {
  static constexpr int samples = 300;
  const auto attacker = make_tenant(arena, "clock");
  const Actor* victim = pooled_actor(arena);
  if (!attacker || victim == nullptr) throw std::runtime_error("no tenants to measure with");
  Examination e(arena, *attacker, *victim);
  e.begin();
  const Deadline deadline = within(std::chrono::seconds(20));
  auto connection = HttpConnection::open(*attacker->instance->data, deadline);
  std::vector<std::int64_t> existing;
  std::vector<std::int64_t> ghosts;
  for (int i = 0; connection && i < samples; ++i) {
    const std::string id = victim->records[static_cast<std::size_t>(i) % victim->records.size()];
    for (const bool real : {i % 2 == 0, i % 2 != 0}) {
      const auto answer = connection->exchange(
          arena.request_of(*attacker, "GET",
                           "/v1/records/" + victim->collection + "/" + (real ? id : ghost_of(id))),
          deadline);
      if (!answer || answer->summary() != "404 not-found") {
        e.inconclusive("a request was answered with " +
                       (answer ? answer->summary() : answer.error().text()));
        break;
      }
      (real ? existing : ghosts).push_back(answer->micros);
    }
  }
  if (existing.size() == samples && ghosts.size() == samples) {
    const double effect = superiority(existing, ghosts);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "P(slower) = %.3f over %d pairs", effect, samples);
    // 0.5 is no difference; noise of 300 interleaved pairs stays within 0.45-0.55.
    const double distance = std::abs(effect - 0.5);
    e.expect("time of an id of " + victim->slug + " against one that never existed", distance < 0.1,
             "no difference", text.data(), distance > 0.25 ? Verdict::leak : Verdict::inconclusive);
  } else {
    e.inconclusive("the measurement broke off");
  }
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

void entropy(const Arena& arena, std::vector<Cell>& cells) {
  const auto maker = make_tenant(arena, "ids");
  if (!maker) throw std::runtime_error(maker.error().text());
  const Actor* victim = pooled_actor(arena);
  Examination e(arena, *maker, victim != nullptr ? *victim : *maker);
  e.begin();
  std::set<std::string> tails;
  std::size_t ones = 0;
  static constexpr std::size_t wanted = 64;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto made = arena.send(
        &*maker, arena.request_of(*maker, "POST", "/v1/records/" + maker->collection, R"({"x":1})"),
        Way::direct);
    const std::string id = made ? json_string(made->body, "id") : "";
    // UUIDv7 (RFC 9562): 48 bits of time, version 7, then random bits; the last 60 must not be
    // predictable.
    const bool shaped = id.size() == 36 && id[14] == '7' &&
                        std::string_view("89ab").find(id[19]) != std::string_view::npos;
    e.expect("id " + std::to_string(i + 1), shaped, "a UUIDv7",
             shaped ? "a UUIDv7" : "'" + id + "'", Verdict::inconclusive);
    if (!shaped) break;
    const std::string tail = id.substr(20, 3) + id.substr(24);
    tails.insert(tail);
    for (const char c : tail)
      ones += static_cast<std::size_t>(
          std::popcount(static_cast<unsigned>(std::stoi(std::string(1, c), nullptr, 16))));
  }
  const double share = static_cast<double>(ones) / static_cast<double>(wanted * 60);
  e.expect("random bits of " + std::to_string(wanted) + " ids",
           tails.size() == wanted && share > 0.45 && share < 0.55,
           "all different, half of the bits set",
           std::to_string(tails.size()) + " different, " +
               std::to_string(static_cast<int>(share * 1000)) + " per mille set");
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

void enumeration(Examination& e) {
  const Arena& arena = e.arena();
  const std::string nobody = "nobody-" + arena.run();
  const std::string nobody_host = nobody + "." + arena.plan().domain.value;
  // Without a credential, existing and unknown tenants must look the same everywhere.
  for (const Way way : {Way::direct, Way::edge}) {
    if (way == Way::edge && arena.stack().edge() == nullptr) continue;
    for (const std::string target : {"/v1/whoami", "/v1/records", "/v1/nothing", "/"}) {
      const auto known = arena.send(nullptr, {.target = target, .host = e.victim().host}, way,
                                    e.victim().instance);
      const auto unknown =
          arena.send(nullptr, {.target = target, .host = nobody_host}, way, e.victim().instance);
      if (!known || !unknown) {
        e.inconclusive("no answer to a caller without a credential");
        continue;
      }
      const bool equal = indistinct(*known, e.victim().slug) == indistinct(*unknown, nobody);
      const bool told = !unserved(*known) && !unserved(*unknown);
      e.expect("GET " + target + " at the host of " + e.victim().slug + " and at an unknown one" +
                   (way == Way::edge ? " through the edge" : ""),
               equal, "the same answer",
               equal ? known->summary() : known->summary() + " and " + unknown->summary(),
               told ? Verdict::leak : Verdict::inconclusive);
    }
  }
  // With a credential of one's own, another's host must look like nobody's.
  HttpRequest known = arena.request_of(e.attacker(), "GET", "/v1/whoami");
  known.host = e.victim().host;
  HttpRequest unknown = known;
  unknown.host = nobody_host;
  e.attack({.step = "own credential at the host of " + e.victim().slug + " and at an unknown one",
            .request = known,
            .refusals = {"403 tenant-mismatch"},
            .ghost = unknown,
            .id = e.victim().slug,
            .ghost_id = nobody});
  const auto planned =
      std::ranges::find(arena.plan().tenants, e.victim().slug, &plan::TenantPlacement::slug);
  if (planned == arena.plan().tenants.end()) return;
  for (const std::string& domain : planned->domains) {
    known.host = domain;
    unknown.host = nobody + ".example";
    e.attack({.step = "own credential at " + domain + ", which is " + e.victim().slug +
                      "'s, and at a domain that is nobody's",
              .request = known,
              .refusals = {"403 tenant-mismatch"},
              .ghost = unknown,
              .id = domain,
              .ghost_id = unknown.host});
  }
}

const std::vector<Probe> probes{
    {"SC1", "B's id against a never-existing id", Resource::side_channel, 1, false, nullptr,
     oracle},
    {"SC2", "the same, timing", Resource::side_channel, 2, true, needs_shared_instance, nullptr,
     timing},
    {"SC3", "id entropy", Resource::side_channel, 2, true, needs_shared_instance, nullptr, entropy},
    {"SC4", "slug enumeration", Resource::side_channel, 1, false, nullptr, enumeration},
};

}  // namespace

const std::vector<Probe>& side_channel_probes() { return probes; }

}  // namespace caisson::conformance
