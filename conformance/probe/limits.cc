// NN8 to NN14: the limits of the plan. A tenant passes when it was driven to its limit and met the
// refusal, while another was served; what the operator API says is in force is looked at besides.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>

#include <boost/json.hpp>

#include "base/random.h"
#include "conformance/probe/driven.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/wire/web_socket.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;

using std::chrono::milliseconds;
using std::chrono::seconds;

/// One limit of the language, as the runtime's configuration and the operator API name it.
struct Limit {
  std::string_view name;
  std::optional<double> (*of)(const plan::Limits&) = nullptr;
  double reach = 0;           ///< largest figure that the harness drives to
  std::string_view reason{};  ///< why it drives no further
};

template <auto member>
std::optional<double> figure(const plan::Limits& limits) {
  const auto& limit = limits.*member;
  return limit ? std::optional(static_cast<double>(limit->value)) : std::nullopt;
}

/// Requests that go through at once: a burst that is not named is a second of the rate
/// (docs/runtime.md).
std::int64_t quota(const plan::Limits& limits) {
  return limits.burst ? limits.burst->value
                      : static_cast<std::int64_t>(std::ceil(limits.requests_per_second->value));
}

std::optional<double> rate_of(const plan::Limits& limits) {
  if (!limits.requests_per_second) return std::nullopt;
  return std::max(limits.requests_per_second->value, static_cast<double>(quota(limits)) / 8);
}

constexpr Limit rate{"requests-per-second", rate_of, 1500, "more than the harness sends"};
constexpr Limit concurrent{"concurrent", figure<&plan::Limits::concurrent>, 200,
                           "more connections than the harness opens"};
constexpr Limit body{"body", figure<&plan::Limits::body_bytes>, 64 << 20,
                     "more than the harness sends in one request"};
constexpr Limit storage{"storage", figure<&plan::Limits::storage_bytes>, 128 << 20,
                        "more than the harness writes"};
constexpr Limit sockets{"sockets", figure<&plan::Limits::sockets>, 250,
                        "more connections than the harness opens"};
constexpr Limit queue{"queue", figure<&plan::Limits::queue_messages>};
constexpr Limit egress_connections{"egress-connections", figure<&plan::Limits::egress_connections>};

/// What the plan says of a tenant under test; null for one that the run made itself.
const plan::TenantPlacement* planned(const Arena& arena, const Actor& actor) {
  const auto& tenants = arena.plan().tenants;
  const auto found = std::ranges::find(tenants, actor.slug, &plan::TenantPlacement::slug);
  return actor.synthetic || found == tenants.end() ? nullptr : &*found;
}

const Actor& bystander_of(const Arena& arena, const Actor& actor) {
  const Actor* best = nullptr;
  for (const Actor& other : arena.actors()) {
    if (&other == &actor) continue;
    if (best == nullptr || other.instance == actor.instance) best = &other;
  }
  if (best == nullptr) throw std::runtime_error("no other tenant to stand by");
  return *best;
}

/// Puts the limits of the plan back in force for as long as it lives: the run had lifted the rate.
class InForce {
 public:
  InForce(const Arena& arena, const Actor& actor) : arena_(arena), actor_(actor) {
    set(actor.rate_json);
  }
  InForce(const InForce&) = delete;
  InForce& operator=(const InForce&) = delete;
  ~InForce() { set(actor_.lifted_limits); }

  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void set(const std::string& limits) {
    if (actor_.lifted_limits.empty()) return;
    const auto done = arena_.operator_of(*actor_.instance).set_limits(actor_.slug, limits);
    if (!done) failure_ = done.error().text();
  }

  const Arena& arena_;
  const Actor& actor_;
  std::string failure_;
};

std::string bytes_of(const Arena& arena, const Actor& actor, std::string method, std::string target,
                     std::string text = {}) {
  return arena.request_of(actor, std::move(method), std::move(target), std::move(text)).bytes();
}

/// A collection that is there for filling alone and is emptied at the end, also after a crash.
class Scratch {
 public:
  Scratch(const Arena& arena, const Actor& actor)
      : actor_(actor), name_(actor.collection + "-limit") {
    auto noted = arena.journal().will_create({.kind = "collection",
                                              .instance = actor.instance->name,
                                              .tenant = actor.slug,
                                              .name = name_});
    if (!noted) throw std::runtime_error(noted.error().text());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Fails when something is left in it.
  [[nodiscard]] Result<void> empty(std::size_t page) const {
    return empty_collection(*actor_.instance->data, actor_.credential, name_, page);
  }

 private:
  const Actor& actor_;
  std::string name_;
};

/// Judges how far the tenant was let.
void expect(Examination& e, const std::string& step, const Driven& driven) {
  const DrivenJudgement found = judge(driven);
  e.expect(step, found.verdict == Verdict::pass, found.bound, found.observed, found.verdict);
}

/// Sends requests, many on one connection, until one is refused or more went through than the
/// bucket can have held.
void drive_rate(Examination& e, const plan::Limits& limits) {
  using Clock = std::chrono::steady_clock;
  const Arena& arena = e.arena();
  const InForce in_force(arena, e.attacker());
  if (!in_force.failure().empty()) return e.inconclusive(in_force.failure());
  // Fewer than may run at once: that limit has a probe of its own.
  const std::int64_t at_once =
      limits.concurrent ? std::clamp<std::int64_t>(limits.concurrent->value / 2, 1, 20) : 20;
  const std::string request = bytes_of(arena, e.attacker(), "GET", "/v1/whoami");
  std::string many;
  for (std::int64_t i = 0; i < at_once; ++i) many += request;

  std::int64_t passed = 0;
  std::optional<HttpResponse> refused;
  std::optional<Clock::time_point> first_answer;
  DrivenSpan span;
  const auto driven = [&] {
    return driven_rate(passed, refused.has_value(), quota(limits),
                       limits.requests_per_second->value, span);
  };
  const auto started = Clock::now();
  while (!refused && passed <= driven().most && span.longest < seconds(20)) {
    const Deadline deadline = within(seconds(10));
    auto connection = HttpConnection::open(*e.attacker().instance->data, deadline);
    if (!connection) return e.inconclusive(connection.error().text());
    if (first_answer) span.shortest = Clock::now() - *first_answer;
    if (auto sent = connection->send(many, deadline); !sent)
      return e.inconclusive(sent.error().text());
    for (std::int64_t i = 0; i < at_once && !refused; ++i) {
      auto answer = connection->read(deadline);
      if (!answer) return e.inconclusive(answer.error().text());
      e.count();
      if (!first_answer) first_answer = Clock::now();
      if (answer->status == 200) {
        ++passed;
      } else {
        refused = std::move(*answer);
      }
    }
    span.longest = Clock::now() - started;
  }
  expect(e, "requests at a rate", driven());
  if (!refused) return;
  e.refusal("the request above the rate, after " + std::to_string(passed), *refused,
            "429 rate-limited");
  e.expect("Retry-After of the refusal", !refused->field("retry-after").empty(), "seconds to wait",
           std::string(refused->field("retry-after")), Verdict::inconclusive);
  const std::string policy = "\"tenant\";q=" + std::to_string(quota(limits)) + ";";
  const std::string told(refused->field("ratelimit-policy"));
  e.expect("RateLimit-Policy of the refusal", told.starts_with(policy), policy + "w=...", told,
           Verdict::inconclusive);
  e.expect("RateLimit of the refusal", !refused->field("ratelimit").empty(), "what is left",
           std::string(refused->field("ratelimit")), Verdict::inconclusive);
}

/// Begins requests until one is refused or more are at work than may be. Each is told to send its
/// body when it has its place, and keeps that until the body comes: nothing depends on how fast.
void drive_concurrent(Examination& e, const plan::Limits& limits) {
  const Arena& arena = e.arena();
  const Actor& attacker = e.attacker();
  const std::int64_t most = limits.concurrent->value;
  const Scratch scratch(arena, attacker);
  const std::string text = "{}";
  HttpRequest request = arena.request_of(attacker, "POST", "/v1/records/" + scratch.name(), text);
  request.headers.emplace_back("Expect", "100-continue");
  std::string head = request.bytes();
  head.resize(head.size() - text.size());

  const Deadline deadline = within(seconds(20));
  std::vector<HttpConnection> held;
  std::optional<HttpResponse> refused;
  while (!refused && std::ssize(held) <= most) {
    auto connection = HttpConnection::open(*attacker.instance->data, deadline);
    if (!connection) return e.inconclusive(connection.error().text());
    if (auto sent = connection->send(head, deadline); !sent)
      return e.inconclusive(sent.error().text());
    const auto status = connection->next_status(deadline);
    if (!status) return e.inconclusive(status.error().text());
    e.count();
    if (*status == 100) {
      held.push_back(std::move(*connection));
      continue;
    }
    auto answer = connection->read(deadline);
    if (!answer) return e.inconclusive(answer.error().text());
    refused = std::move(*answer);
  }
  expect(e, "requests at once", driven_concurrent(std::ssize(held), refused.has_value(), most));
  if (refused) {
    e.refusal("request " + std::to_string(held.size() + 1) + " at once", *refused,
              "429 too-many-concurrent");
    e.expect("Retry-After of the refusal", !refused->field("retry-after").empty(),
             "seconds to wait", std::string(refused->field("retry-after")), Verdict::inconclusive);
  }
  e.control();  // while all places of the other are taken
  std::size_t served = 0;
  for (HttpConnection& connection : held) {
    if (!connection.send(text, deadline)) continue;
    const auto answer = connection.read(deadline);
    if (answer && answer->status == 201) ++served;
  }
  e.expect("requests that had a place", served == held.size(),
           "all " + std::to_string(held.size()) + " answered 201", std::to_string(served) + " were",
           Verdict::inconclusive);
  if (auto gone = scratch.empty(1000); !gone) e.inconclusive(gone.error().text());
}

void drive_body(Examination& e, const plan::Limits& limits) {
  const Arena& arena = e.arena();
  const auto most = static_cast<std::size_t>(limits.body_bytes->value);
  const auto of_size = [](std::size_t size) {
    constexpr std::string_view frame = R"({"filler":""})";
    std::string text(size, 'x');
    if (size >= frame.size()) {
      text.replace(0, 11, R"({"filler":")");
      text.replace(size - 2, 2, "\"}");
    }
    return text;
  };
  // A batch without operations, which stores nothing: its size is looked at before what it says.
  const auto ask = [&](std::size_t size) {
    return arena.send(&e.attacker(),
                      arena.request_of(e.attacker(), "POST", "/v1/batch", of_size(size)),
                      Way::direct);
  };
  const auto within_limit = ask(most);
  e.expect("a body of " + std::to_string(most) + " bytes",
           within_limit && (within_limit->status == 400 || within_limit->status == 422),
           "read, and refused for what it says",
           within_limit ? within_limit->summary() : within_limit.error().text(),
           Verdict::inconclusive);
  const auto beyond = ask(most + 1);
  const std::string step = "a body of " + std::to_string(most + 1) + " bytes";
  if (!beyond) return e.inconclusive(step + ": " + beyond.error().text());
  e.count();
  // Whatever else refuses it, its size was let through.
  e.expect(step, beyond->summary() == "413 body-too-large", "413 body-too-large", beyond->summary(),
           beyond->status == 413 || unserved(*beyond) ? Verdict::inconclusive : Verdict::leak);
}

void drive_storage(Examination& e, const plan::Limits& limits) {
  const Arena& arena = e.arena();
  const Actor& attacker = e.attacker();
  const Scratch scratch(arena, attacker);
  const std::int64_t most = limits.storage_bytes->value;
  const std::int64_t one =
      std::min<std::int64_t>(limits.body_bytes ? limits.body_bytes->value - 64 : 900'000,
                             std::clamp<std::int64_t>(most / 16, 4096, 900'000));
  if (one < 64) return e.inconclusive("a body of this tenant is too small to fill a store with");
  const std::string text =
      R"({"filler":")" + random_hex(static_cast<std::size_t>(one) / 2 - 16) + "\"}";
  std::int64_t written = 0;
  std::int64_t writes = 0;
  std::string last;
  const Deadline deadline = within(seconds(40));
  while (written <= most && std::chrono::steady_clock::now() < deadline) {
    const auto answer = arena.send(
        &attacker, arena.request_of(attacker, "POST", "/v1/records/" + scratch.name(), text),
        Way::direct);
    last = answer ? answer->summary() : answer.error().text();
    e.count();
    if (!answer || answer->status != 201) break;
    written += static_cast<std::int64_t>(text.size());
    ++writes;
  }
  expect(e, "bytes in a store", driven_storage(written, writes, last == "507 storage-full", most));
  if (written <= most) {
    e.expect("the write beyond the storage", last == "507 storage-full", "507 storage-full", last,
             Verdict::inconclusive);
  }
  const auto read =
      arena.send(&attacker, arena.request_of(attacker, "GET", "/v1/records/" + attacker.collection),
                 Way::direct);
  e.expect("what it has can be read", read && read->status == 200, "200",
           read ? read->summary() : read.error().text(), Verdict::inconclusive);
  if (auto gone = scratch.empty(20); !gone) e.inconclusive(gone.error().text());
}

void drive_sockets(Examination& e, const plan::Limits& limits) {
  const Arena& arena = e.arena();
  const auto most = static_cast<std::size_t>(limits.sockets->value);
  const auto open = [&] {
    return WebSocket::open(*e.attacker().instance->data,
                           arena.request_of(e.attacker(), "GET", "/v1/watch"), within(seconds(10)));
  };
  const auto summary = [](const Result<WebSocket>& socket) {
    return socket ? socket->answer().summary() : socket.error().text();
  };
  std::vector<Result<WebSocket>> kept;
  for (std::size_t i = 0; i < most; ++i) {
    kept.push_back(open());
    e.count();
    if (kept.back() && kept.back()->opened()) continue;
    return e.expect("socket " + std::to_string(i + 1) + " of " + std::to_string(most), false, "101",
                    summary(kept.back()), Verdict::inconclusive);
  }
  const auto beyond = open();
  if (!beyond) return e.inconclusive(beyond.error().text());
  e.refusal("socket " + std::to_string(most + 1), beyond->answer(), "429 too-many-sockets");
  e.expect("Retry-After of the refusal",
           beyond->opened() || !beyond->answer().field("retry-after").empty(), "seconds to wait",
           std::string(beyond->answer().field("retry-after")), Verdict::inconclusive);
}

/// A figure as people write it: 262144, 0.5.
std::string plain(double figure) {
  std::array<char, 64> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), figure, std::chars_format::fixed);
  return {text.data(), end};
}

/// What the operator API says is in force; of a rate the lifted one is not looked at.
void compare(Examination& e, const Limit& limit, const plan::Limits& limits) {
  boost::system::error_code error;
  const json::value found = json::parse(e.attacker().limits_json, error);
  const json::value* told =
      found.is_object() ? found.get_object().if_contains(limit.name) : nullptr;
  const double wanted = &limit == &rate ? limits.requests_per_second->value : *limit.of(limits);
  const bool same = told != nullptr && told->is_number() && told->to_number<double>() == wanted;
  e.expect("the figure that the operator API tells", same, plain(wanted),
           told == nullptr     ? "none"
           : told->is_number() ? plain(told->to_number<double>())
                               : json::serialize(*told));
}

using Drive = void (*)(Examination&, const plan::Limits&);

template <const Limit& limit, Drive drive>
void hit(const Arena& arena, std::vector<Cell>& cells) {
  std::set<std::string> filled;
  for (const Actor& actor : arena.actors()) {
    const auto* tenant = planned(arena, actor);
    if (tenant == nullptr || !limit.of(tenant->limits)) continue;
    const double value = *limit.of(tenant->limits);
    const auto leave = [&](const std::string& why) {
      cells.push_back({.accessor = actor.slug, .owner = actor.slug, .reason = why});
    };
    if (value > limit.reach) {
      leave(std::string(limit.name) + " is " + std::to_string(static_cast<std::int64_t>(value)) +
            ", " + std::string(limit.reason));
      continue;
    }
    // Filling a store takes its time, and says the same of every tenant of a tier.
    if (&limit == &storage && !filled.insert(tenant->tier + " " + std::to_string(value)).second) {
      leave("another tenant of tier " + tenant->tier + " was driven to the same limit");
      continue;
    }
    Examination e(arena, actor, bystander_of(arena, actor));
    e.begin();
    drive(e, tenant->limits);
    compare(e, limit, tenant->limits);
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

template <const Limit& limit>
std::optional<LeftOut> needs(const Arena& arena) {
  if (std::ranges::all_of(arena.actors(), &Actor::synthetic))
    return not_tested("the run uses tenants of its own, whose limits it made itself");
  const auto has = [&](const Actor& actor) {
    const auto* tenant = planned(arena, actor);
    return tenant != nullptr && limit.of(tenant->limits);
  };
  if (std::ranges::any_of(arena.actors(), has)) return std::nullopt;
  return "no tenant under test has the limit " + std::string(limit.name);
}

/// A limit that the language has and nothing enforces cannot be hit.
template <const Limit& limit>
std::optional<LeftOut> unenforced(const Arena& arena) {
  if (auto reason = needs<limit>(arena)) return reason;
  return "nothing enforces the limit " + std::string(limit.name) +
         " of the plan; `caisson generate` warns of it (W0301)";
}

const std::vector<Probe> probes{
    {"NN8", "limits.requests of the plan is hit", Resource::noise, 2, true, needs<rate>, nullptr,
     hit<rate, drive_rate>},
    {"NN9", "limits.concurrent of the plan is hit", Resource::noise, 2, true, needs<concurrent>,
     nullptr, hit<concurrent, drive_concurrent>},
    {"NN10", "limits.body of the plan is hit", Resource::noise, 2, true, needs<body>, nullptr,
     hit<body, drive_body>},
    {"NN11", "limits.storage of the plan is hit", Resource::noise, 2, true, needs<storage>, nullptr,
     hit<storage, drive_storage>},
    {"NN12", "limits.sockets of the plan is hit", Resource::noise, 2, true, needs<sockets>, nullptr,
     hit<sockets, drive_sockets>},
    {"NN13", "limits.queue of the plan is hit", Resource::noise, 2, true, unenforced<queue>},
    {"NN14", "limits.egress-connections of the plan is hit", Resource::noise, 2, true,
     unenforced<egress_connections>},
};

}  // namespace

const std::vector<Probe>& limit_probes() { return probes; }

}  // namespace caisson::conformance
