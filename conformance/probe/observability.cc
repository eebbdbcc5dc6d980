// OB: what metrics, logs, errors and the audit log tell, and to whom.

#include <filesystem>
#include <sstream>

#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/files.h"
#include "base/percent.h"
#include "base/random.h"
#include "conformance/probe/applies.h"
#include "conformance/probe/disguise.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/targets.h"
#include "conformance/stack/process.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

void metrics(Examination& e) {
  const Arena& arena = e.arena();
  for (const std::string target : {"/metrics", "/v1/metrics", "/metrics?tenant=all"}) {
    for (const Way way : {Way::direct, Way::edge}) {
      if (way == Way::edge && arena.stack().edge() == nullptr) continue;
      const auto answer =
          e.attack({.step = "GET " + target + (way == Way::edge ? " through the edge" : ""),
                    .request = arena.request_of(e.attacker(), "GET", target),
                    .way = way,
                    .refusals = {std::string(no_route), "404"}});
      if (!answer) continue;
      const bool told = answer->body.find("\"" + e.victim().slug + "\"") != std::string::npos;
      e.expect("label of " + e.victim().slug + " in " + target, !told, "absent",
               told ? "tenant=\"" + e.victim().slug + "\"" : "absent");
    }
  }
}

void queries(Examination& e) {
  const Arena& arena = e.arena();
  for (const std::string& target :
       {"/v1/audit?tenant=" + e.victim().slug, "/v1/audit?newest=1&tenant=" + e.victim().slug,
        std::string("/v1/logs"), std::string("/v1/logs/export"),
        "/v1/tenants/" + e.victim().slug + "/audit", std::string("/debug/pprof/"),
        std::string("/v1/status")}) {
    e.attack({.step = "GET " + target,
              .request = arena.request_of(e.attacker(), "GET", target),
              .refusals = {std::string(no_route)}});
  }
}

/// Inner workings that have no place in an answer.
std::string inner_workings(const std::string& body, const std::string& state) {
  for (const std::string_view sign :
       {"sqlite", "SQLITE", "SQLSTATE", "constraint failed", "no such table", "near \"",
        "std::", "terminate called", ".cc:", ".h:", "Traceback", "at 0x", "backtrace",
        "postgres://", "store.db", "/tenants/", "errno", "exception"}) {
    if (body.find(sign) != std::string::npos) return std::string(sign);
  }
  if (!state.empty() && body.find(state) != std::string::npos) return "a path of the server";
  return {};
}

void error_texts(Examination& e) {
  const Arena& arena = e.arena();
  const std::string collection = "/v1/records/" + e.attacker().collection;
  const auto post = [&](const std::string& target, const std::string& body) {
    return arena.request_of(e.attacker(), "POST", target, body);
  };
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  const std::string huge = R"({"n":)" + std::string(400, '9') + "}";
  std::vector<std::pair<std::string, HttpRequest>> tries{
      {"broken JSON", post(collection, "{")},
      {"deep JSON", post(collection, R"({"a":)" + deep + "}")},
      {"huge number", post(collection, huge)},
      {"invalid UTF-8", post(collection, "{\"a\":\"\xff\xfe\"}")},
      {"NUL in a string", post(collection, R"({"a":"\u0000"})")},
      {"array instead of object", post(collection, "[1,2]")},
      {"duplicate members", post(collection, R"({"a":1,"a":2})")},
      {"unknown batch operation", post("/v1/batch", R"({"operations":[{"op":"explode"}]})")},
      {"batch without operations", post("/v1/batch", "{}")},
      {"odd filter", arena.request_of(e.attacker(), "GET", collection + "?filter=a:xx:1")},
      {"odd order", arena.request_of(e.attacker(), "GET", collection + "?order=nothing")},
      {"odd limit", arena.request_of(e.attacker(), "GET", collection + "?limit=-1")},
      {"odd cursor", arena.request_of(e.attacker(), "GET", collection + "?cursor=AAAA")},
      {"odd collection", arena.request_of(e.attacker(), "GET", "/v1/records/UPPER")},
      {"odd id", arena.request_of(e.attacker(), "GET", collection + "/not-a-uuid")},
      {"odd method", arena.request_of(e.attacker(), "BREW", collection)},
      {"long path", arena.request_of(e.attacker(), "GET", "/v1/records/" + std::string(4000, 'a'))},
      {"broken store",
       arena.request_of(e.attacker(), "GET",
                        collection + "?filter=" + percent_encoded("a.b[0].\"") + ":eq:1")}};
  HttpRequest plain = post(collection, "x=1");
  plain.headers.back().second = "application/x-www-form-urlencoded";
  tries.emplace_back("a form", plain);
  for (auto& [name, request] : tries) {
    const auto answer = arena.send(&e.attacker(), request, Way::direct);
    if (!answer) {
      e.inconclusive(name + ": no answer: " + answer.error().text());
      continue;
    }
    e.received(name, answer->raw);
    if (answer->status < 400) continue;  // no error, nothing to tell
    const std::string told = inner_workings(answer->body, arena.stack().state.string());
    e.expect(name + ": text of the " + answer->summary(), told.empty(), "nothing of the inside",
             told.empty() ? "nothing" : "'" + told + "'");
    const bool problem = answer->field("content-type").starts_with("application/problem+json");
    e.expect(name + ": form of the error", problem, "RFC 9457",
             std::string(answer->field("content-type")), Verdict::inconclusive);
  }
}

void forged_lines(Examination& e) {
  const Arena& arena = e.arena();
  const std::string mark = "forged-" + random_hex(8);
  const std::string line = "\r\n{\"level\":\"info\",\"event\":\"" + mark + "\"}";
  const std::string encoded = percent_encoded(line);
  for (const std::string& target :
       {"/v1/records/" + e.attacker().collection + "?filter=a:eq:" + encoded, "/v1/" + encoded,
        "/v1/whoami?" + encoded}) {
    e.attack({.step = "an encoded line break in the target",
              .request = arena.request_of(e.attacker(), "GET", target),
              .refusals = {"200", "400 invalid-parameter", "404 not-found", std::string(no_route),
                           "400 malformed-request"}});
  }
  for (const char* field : {"User-Agent", "traceparent", "X-Forwarded-For", "Idempotency-Key"}) {
    HttpRequest request = arena.request_of(e.attacker(), "GET", "/v1/whoami");
    request.headers.emplace_back(field, "x" + line);
    const auto answer = arena.send(&e.attacker(), request, Way::direct);
    e.expect(std::string("a raw line break in ") + field, answer && answer->status == 400, "400",
             answer ? answer->summary() : answer.error().text(), Verdict::inconclusive);
    HttpRequest bare = arena.request_of(e.attacker(), "GET", "/v1/whoami");
    bare.headers.emplace_back(field, "x\n{\"event\":\"" + mark + "\"}");
    static_cast<void>(arena.send(&e.attacker(), bare, Way::direct));
  }
  const auto log = read_file(e.attacker().instance->log);
  if (!log) return e.inconclusive("the log cannot be read: " + log.error().text());
  std::istringstream lines(*log);
  std::size_t forged = 0;
  std::size_t broken = 0;
  std::size_t all = 0;
  for (std::string text; std::getline(lines, text);) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    ++all;
    if (error || !value.is_object()) {
      ++broken;
    } else if (json_string(text, "event") == mark) {
      ++forged;
    }
  }
  e.expect("lines of the log that the attacker wrote", forged == 0, "none",
           std::to_string(forged) + " of " + std::to_string(all));
  e.expect("lines of the log that are no JSON object", broken == 0 && all > 0, "none",
           std::to_string(broken) + " of " + std::to_string(all), Verdict::inconclusive);
}

void audit_log(Examination& e) {
  const Arena& arena = e.arena();
  const RunningInstance& instance = *e.victim().instance;
  // Up to 1.3 GB of logs are read and hashed.
  const auto verified =
      arena.operator_of(instance).call("POST", "/v1/audit/verify", {}, std::chrono::seconds(45));
  const bool answered = verified && verified->status == 200;
  e.expect("the hash chain of " + instance.name,
           answered && verified->body.find("\"valid\":true") != std::string::npos, "valid",
           answered   ? verified->body.substr(0, 200)
           : verified ? verified->summary()
                      : verified.error().text(),
           answered ? Verdict::leak : Verdict::inconclusive);
  e.attack({.step = "POST /v1/audit/verify as a tenant",
            .request = arena.request_of(e.attacker(), "POST", "/v1/audit/verify", "{}"),
            .refusals = {std::string(no_route)}});
  if (needs_data_directories(arena)) return;
  // A copy with one byte changed must be found out by the program that ships.
  const fs::path copy =
      arena.stack().state / ("journal/tampered-" + arena.run() + "-" + e.attacker().slug);
  const Creation traces{.kind = "file", .instance = instance.name, .name = copy.string()};
  if (auto noted = arena.journal().will_create(traces); !noted)
    return e.inconclusive(noted.error().text());
  std::error_code error;
  fs::copy(instance.data_directory / "audit", copy, fs::copy_options::recursive, error);
  const fs::path file = copy / "audit.ndjson";
  auto bytes = read_file(file);
  const auto program = find_program("caisson-runtime");
  if (!bytes || !program) {
    return e.inconclusive(bytes ? program.error().text() : bytes.error().text());
  }
  const auto verify = [&] {
    return run({program->string(), "audit", "verify", file.string()}, std::chrono::seconds(10));
  };
  const auto untouched = verify();
  const auto at = bytes->find("\"outcome\":\"");
  if (at != std::string::npos) (*bytes)[at + 11] ^= 1;
  const auto written = write_file(file, *bytes, 0600);
  const auto tampered = verify();
  fs::remove_all(copy, error);
  static_cast<void>(arena.journal().removed(traces));
  e.expect("a true copy", untouched && untouched->status == 0, "verifies",
           untouched ? "exit " + std::to_string(untouched->status) : untouched.error().text(),
           Verdict::inconclusive);
  e.expect("a copy with one byte changed", written && tampered && tampered->status == 1,
           "is found out (exit 1)",
           tampered ? "exit " + std::to_string(tampered->status) : tampered.error().text());
}

const std::vector<Probe> probes{
    {"OB1", "B's labels on metrics that a tenant can read", Resource::observability, 1, false,
     nullptr, metrics},
    {"OB3", "log and audit queries", Resource::observability, 1, false, nullptr, queries},
    {"OB4", "inner workings in error texts", Resource::observability, 1, true, nullptr,
     error_texts},
    {"OB6", "line breaks that forge a log line", Resource::observability, 1, false, needs_logs,
     forged_lines},
    {"OB7", "audit log unreadable and immutable", Resource::observability, 1, true, nullptr,
     audit_log},
};

}  // namespace

const std::vector<Probe>& observability_probes() { return probes; }

}  // namespace caisson::conformance
