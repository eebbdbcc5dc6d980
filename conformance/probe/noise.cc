// NN: one tenant's load felt by another.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <thread>

#include "base/random.h"
#include "conformance/probe/applies.h"
#include "conformance/probe/neighbour.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"

namespace caisson::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* small_limits = R"({"requests-per-second":20,"burst":20})";
/// Loud and quiet have the same, so that one bucket for both is empty for both.
constexpr const char* equal_limits = R"({"requests-per-second":50,"burst":50})";
constexpr double equal_rate = 50;

std::int64_t p95_of(std::vector<std::int64_t> micros) {
  if (micros.empty()) return 0;
  std::ranges::sort(micros);
  return micros[micros.size() * 95 / 100];
}

std::int64_t least_of(const std::vector<std::int64_t>& micros) {
  return micros.empty() ? 0 : *std::ranges::min_element(micros);
}

/// What the quiet tenant sees while something goes on.
struct Quiet {
  std::vector<std::int64_t> micros;
  std::vector<std::int64_t> nobodys;  ///< of requests that are no tenant's, one beside each
  std::size_t failures = 0;
  std::size_t nobodys_failures = 0;
  std::size_t throttled = 0;

  [[nodiscard]] std::int64_t p95() const { return p95_of(micros); }
};

Quiet measure(const Arena& arena, const Actor& quiet, int requests) {
  Quiet seen;
  const std::string target = "/v1/records/" + quiet.collection + "/" + quiet.records.front();
  for (int i = 0; i < requests; ++i) {
    if (quiet.pace) quiet.pace->wait();
    const auto answer =
        arena.send(&quiet, arena.request_of(quiet, "GET", target), Way::direct, nullptr, true);
    if (!answer || answer->status >= 500) {
      ++seen.failures;
    } else if (answer->status == 429) {
      ++seen.throttled;
    } else {
      seen.micros.push_back(answer->micros);
    }
    HttpRequest nobodys;
    nobodys.target = "/livez";
    const auto alive = arena.send(nullptr, nobodys, Way::direct, quiet.instance);
    if (alive && alive->status < 500) {
      seen.nobodys.push_back(alive->micros);
    } else {
      ++seen.nobodys_failures;
    }
  }
  return seen;
}

std::int64_t slo_us(const Arena& arena) {
  const std::int64_t planned = arena.plan().conformance.p95_ms;
  return (planned > 0 ? planned : 500) * 1000;
}

void judge_quiet(Examination& e, const std::string& during, const Quiet& before,
                 const Quiet& seen) {
  e.expect("429 of the quiet tenant " + during, seen.throttled == 0, "none",
           std::to_string(seen.throttled));
  // What fails without any noise, or for nobody's requests as well, is the machine's.
  const bool everybodys = before.failures + before.nobodys_failures + seen.nobodys_failures > 0;
  e.expect("failed requests of the quiet tenant " + during, seen.failures == 0, "none",
           std::to_string(seen.failures) + (everybodys ? "; requests of no tenant failed too" : ""),
           everybodys ? Verdict::inconclusive : Verdict::leak);
  const std::int64_t bound = std::max(slo_us(e.arena()), before.p95() * 2);
  e.expect("p95 of the quiet tenant " + during, !seen.micros.empty() && seen.p95() <= bound,
           "at most " + std::to_string(bound / 1000) + " ms",
           std::to_string(seen.p95() / 1000) + "." + std::to_string(seen.p95() / 100 % 10) + " ms",
           Verdict::inconclusive);
}

/// A loud tenant (small limits) against a quiet one (none), both made for the run.
template <class Act>
void against_quiet(const Arena& arena, std::vector<Cell>& cells, const std::string& suffix,
                   const std::string& limits, Act act, const std::string& quiet_limits = {}) {
  const auto loud = make_tenant(arena, suffix + "-loud", limits);
  auto quiet = make_tenant(arena, suffix + "-quiet", quiet_limits);
  if (!loud) throw std::runtime_error(loud.error().text());
  if (!quiet) throw std::runtime_error(quiet.error().text());
  // A tenant with limits keeps to them.
  if (!quiet_limits.empty()) quiet->pace = std::make_shared<Pace>(40, 1);
  Examination e(arena, *loud, *quiet);
  e.begin();
  act(e, *loud, *quiet);
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

constexpr std::size_t few = 3;

/// Requests of the loud tenant from so many threads for a while; returns how many got 429, of
/// `sent` that were answered.
std::size_t flood(const Arena& arena, const Actor& loud, const std::atomic<bool>& stop,
                  const std::vector<Headers>& disguises, std::size_t& sent,
                  std::size_t askers = few) {
  std::atomic<std::size_t> refused{0};
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < askers; ++number) {
    threads.emplace_back([&, number] {
      for (std::size_t i = number; !stop && i < 20'000; ++i) {
        HttpRequest request = arena.request_of(loud, "GET", "/v1/whoami");
        if (!disguises.empty()) {
          const Headers& extra = disguises[i % disguises.size()];
          request.headers.insert(request.headers.end(), extra.begin(), extra.end());
        }
        const auto answer = arena.send(&loud, request, Way::direct, nullptr, true);
        if (!answer) continue;  // nobody let it through
        ++total;
        if (answer->status == 429 && !answer->field("retry-after").empty()) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  sent = total;
  return refused;
}

/// How late the machine wakes a thread that sleeps, measured for as long as it lives.
class Pulse {
 public:
  Pulse() : thread_([this] { beat(); }) {}
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse() { stop(); }

  /// The 95th percentile in microseconds.
  [[nodiscard]] std::int64_t late() {
    stop();
    return p95_of(seen_);
  }

 private:
  void beat() {
    using Clock = std::chrono::steady_clock;
    constexpr auto nap = milliseconds(1);
    while (!stop_) {
      const auto start = Clock::now();
      std::this_thread::sleep_for(nap);
      seen_.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start - nap)
              .count());
    }
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::vector<std::int64_t> seen_;
  std::atomic<bool> stop_{false};
  std::thread thread_;  // last: it uses the others
};

/// Floods as the loud tenant while the quiet one asks as before. A pass needs one round in which
/// the quiet one was served as fast; noise of the machine only ever makes it slower.
void flooding(const Arena& arena, std::vector<Cell>& cells) {
  const auto act = [&](Examination& e, const Actor& loud, const Actor& quiet) {
    constexpr int rounds = 3;
    constexpr int requests = 60;
    NeighbourJudgement found;
    for (int round = 1; round <= rounds; ++round) {
      NeighbourFigures figures{.ratio = arena.plan().conformance.quiet_neighbour_ratio};
      Quiet before;
      {
        Pulse pulse;
        before = measure(arena, quiet, requests);
        figures.late_at_rest = pulse.late();
      }
      std::atomic<bool> stop{false};
      std::size_t sent = 0;
      std::size_t refused = 0;
      const auto started = std::chrono::steady_clock::now();
      // As far away as it is, well above what the loud tenant may.
      const std::size_t askers = askers_for(4 * equal_rate, least_of(before.nobodys));
      std::thread noise([&] { refused = flood(arena, loud, stop, {}, sent, askers); });
      Pulse pulse;
      const Quiet during = measure(arena, quiet, requests);
      figures.late_during = pulse.late();
      stop = true;
      noise.join();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
      const Quiet after = measure(arena, quiet, requests);
      figures.before = before.p95();
      figures.during = during.p95();
      figures.after = after.p95();
      figures.nobodys_at_rest = std::max(p95_of(before.nobodys), p95_of(after.nobodys));
      figures.nobodys_least = std::min(least_of(before.nobodys), least_of(after.nobodys));
      figures.nobodys_during = p95_of(during.nobodys);
      if (round == 1) {
        judge_quiet(e, "during the flood", before, during);
        e.expect("429 with Retry-After for the loud tenant", refused > 0, "some of many",
                 std::to_string(refused) + " of " + std::to_string(sent),
                 judge_flood(equal_rate, equal_rate, took.count(), sent, refused));
      }
      const auto judged = judge(figures);
      if (round == 1 || judged.verdict < found.verdict) found = judged;
      if (found.verdict == Verdict::pass) break;
    }
    e.expect("growth of the quiet tenant's latency beside the flood",
             found.verdict == Verdict::pass, found.bound, found.observed, found.verdict);
  };
  against_quiet(arena, cells, "nn1", equal_limits, act, equal_limits);
}

void idle_sockets(const Arena& arena, std::vector<Cell>& cells) {
  against_quiet(
      arena, cells, "nn2", "", [&](Examination& e, const Actor& loud, const Actor& quiet) {
        const Quiet before = measure(arena, quiet, 30);
        std::vector<Connection> open;
        for (int i = 0; i < 200; ++i) {
          auto connection = Connection::open(*loud.instance->data, within(seconds(2)));
          if (!connection) break;
          // Half of them start a request and never end it.
          if (i % 2 == 0)
            static_cast<void>(
                connection->send("GET /v1/whoami HTTP/1.1\r\nHost: ", within(seconds(1))));
          open.push_back(std::move(*connection));
        }
        e.expect("slow and idle connections", open.size() == 200, "200 open",
                 std::to_string(open.size()), Verdict::inconclusive);
        judge_quiet(e, "beside them", before, measure(arena, quiet, 60));
      });
}

void process_limits(Examination& e) {
  const RunningInstance& instance = *e.attacker().instance;
  std::ifstream in("/proc/" + std::to_string(instance.process.pid) + "/limits");
  std::string core;
  std::string files;
  std::string processes;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("Max core")) core = line;
    if (line.starts_with("Max open files")) files = line;
    if (line.starts_with("Max processes")) processes = line;
  }
  e.expect(instance.name + ": open files",
           !files.empty() && files.find("unlimited") == std::string::npos, "limited", files);
  if (instance.user && e.arena().stack().hardening.users == Hardening::Users::own) {
    e.expect(instance.name + ": processes",
             !processes.empty() && processes.find("unlimited") == std::string::npos, "limited",
             processes);
  }
}

void full_storage(const Arena& arena, std::vector<Cell>& cells) {
  against_quiet(
      arena, cells, "nn5", R"({"storage":524288})",
      [&](Examination& e, const Actor& loud, const Actor& quiet) {
        const std::string body = R"({"filler":")" + random_hex(16'000) + "\"}";
        std::string last;
        int writes = 0;
        for (; writes < 100; ++writes) {
          const auto answer = arena.send(
              &loud, arena.request_of(loud, "POST", "/v1/records/" + loud.collection, body),
              Way::direct);
          last = answer ? answer->summary() : answer.error().text();
          if (!answer || answer->status != 201) break;
        }
        e.expect("writes beyond the storage quota", last == "507 storage-full", "507 storage-full",
                 last + " after " + std::to_string(writes) + " writes");
        const auto other =
            arena.send(&quiet,
                       arena.request_of(quiet, "POST", "/v1/records/" + quiet.collection + "-more",
                                        R"({"x":1})"),
                       Way::direct);
        e.expect_of("a write of the quiet tenant", other, other && other->status == 201, "201");
        e.ignore_state();
      });
}

void disguised_flood(const Arena& arena, std::vector<Cell>& cells) {
  against_quiet(
      arena, cells, "nn6", small_limits,
      [&](Examination& e, const Actor& loud, const Actor& /*quiet*/) {
        std::vector<Headers> disguises;
        for (int i = 1; i < 60; ++i) {
          const std::string address = "203.0.113." + std::to_string(i);
          disguises.push_back({{"X-Forwarded-For", address}});
          disguises.push_back({{"X-Real-IP", address}});
          disguises.push_back({{"Forwarded", "for=" + address}});
          disguises.push_back(
              {{"X-RateLimit-Key", std::to_string(i)}, {"CF-Connecting-IP", address}});
        }
        std::atomic<bool> stop{false};
        std::size_t sent = 0;
        std::size_t refused = 0;
        const auto started = std::chrono::steady_clock::now();
        std::thread noise([&] { refused = flood(arena, loud, stop, disguises, sent); });
        std::this_thread::sleep_for(milliseconds(800));
        stop = true;
        noise.join();
        const double took =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        const auto most = static_cast<std::size_t>(20 + 20 * (took + 1));
        e.expect("requests that got through under changing addresses",
                 sent - refused <= most && sent > most, "at most " + std::to_string(most),
                 std::to_string(sent - refused) + " of " + std::to_string(sent),
                 sent > most ? Verdict::leak : Verdict::inconclusive);
      });
}

void costly_requests(const Arena& arena, std::vector<Cell>& cells) {
  against_quiet(
      arena, cells, "nn7", "", [&](Examination& e, const Actor& loud, const Actor& quiet) {
        const Quiet before = measure(arena, quiet, 30);
        std::string many_filters = "/v1/records/" + loud.collection + "?limit=1000";
        for (int i = 0; i < 300; ++i) many_filters += "&filter=canary:ge:a";
        std::string operations = R"({"operations":[)";
        for (int i = 0; i < 1001; ++i)
          operations +=
              std::string(i == 0 ? "" : ",") + R"({"op":"read","collection":"a","id":"x"})";
        operations += "]}";
        const std::string nested =
            R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
        const std::string huge = R"({"a":")" + std::string(3 << 20, 'x') + "\"}";
        const std::vector<std::pair<std::string, HttpRequest>> tries{
            {"300 filters", arena.request_of(loud, "GET", many_filters)},
            {"1,001 operations", arena.request_of(loud, "POST", "/v1/batch", operations)},
            {"100,000 levels of JSON",
             arena.request_of(loud, "POST", "/v1/records/" + loud.collection, nested)},
            {"a body of 3 MiB",
             arena.request_of(loud, "POST", "/v1/records/" + loud.collection, huge)}};
        for (const auto& [name, request] : tries) {
          const auto answer = arena.send(&loud, request, Way::direct);
          // A peer that closes while we still send has refused as well.
          const bool refused = !answer || (answer->status >= 400 && answer->status < 500);
          e.expect(name, refused, "refused", answer ? answer->summary() : "connection closed",
                   Verdict::inconclusive);
        }
        judge_quiet(e, "after costly requests", before, measure(arena, quiet, 60));
      });
}

const std::vector<Probe> probes{
    {"NN1", "flood: A gets 429, B is served as before", Resource::noise, 2, true,
     needs_shared_instance, nullptr, flooding},
    {"NN2", "slow and idle sockets", Resource::noise, 2, true, needs_shared_instance, nullptr,
     idle_sockets},
    {"NN3", "pool exhaustion", Resource::noise, 2, true, needs_postgres},
    {"NN4", "open files and processes are limited", Resource::noise, 1, false, needs_processes,
     process_limits},
    {"NN5", "disk: the storage quota holds", Resource::noise, 2, true, needs_shared_instance,
     nullptr, full_storage},
    {"NN6", "header-spoofed quota key", Resource::noise, 2, true, needs_shared_instance, nullptr,
     disguised_flood},
    {"NN7", "costly query or body", Resource::noise, 2, true, needs_shared_instance, nullptr,
     costly_requests},
};

}  // namespace

const std::vector<Probe>& noise_probes() { return probes; }

}  // namespace caisson::conformance
