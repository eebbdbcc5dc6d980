#include "conformance/probe/examination.h"

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "conformance/report/figures.h"
#include "conformance/stack/interrupt.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {
namespace {

constexpr std::size_t excerpt_size = 2048;
constexpr std::size_t max_evidence = 60;

std::string excerpt(std::string text) {
  if (text.size() > excerpt_size) {
    text.resize(excerpt_size);
    text += "\n... (cut)";
  }
  return text;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : " or ") + text;
  return out;
}

/// Refusals that the runtime must write into its audit log (docs/runtime.md).
bool belongs_into_audit(const HttpResponse& response) {
  return response.status == 401 || response.status == 403 || response.status == 429 ||
         response.problem() == "unknown-tenant";
}

}  // namespace

std::string answer_of(const HttpResponse& response) {
  auto said = response.summary();
  if (said != "404 not-found") return said;
  const auto detail = json_string(response.body, "detail");
  const bool routed =
      detail != "there is nothing at this path" && detail != "there is no such route";
  return routed ? said : std::string(no_route);
}

bool unserved(const HttpResponse& response) {
  return response.status == 429 || (response.status >= 502 && response.status <= 504);
}

std::string indistinct(const HttpResponse& response, std::string_view id) {
  static const std::set<std::string, std::less<>> varying{"date", "caisson-request-id", "ratelimit",
                                                          "ratelimit-policy", "retry-after"};
  std::string out = std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.headers) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (varying.contains(lower)) continue;
    out.append(lower).append(": ").append(value).append("\n");
  }
  std::string body = response.body;
  replace_all(body, response.field("caisson-request-id"), "<request id>");
  out += "\n" + body;
  replace_all(out, id, "<id>");
  return out;
}

Examination::Examination(const Arena& arena, const Actor& attacker, const Actor& victim)
    : arena_(arena), attacker_(attacker), victim_(victim) {
  cell_.accessor = attacker.slug;
  cell_.owner = victim.slug;
  cell_.verdict = Verdict::pass;
  control_.accessor = victim.slug;
  control_.owner = victim.slug;
  control_.verdict = Verdict::not_applicable;
  control_.control = true;
}

std::vector<std::string> Examination::refusals_at(const RunningInstance* at) const {
  if (at == nullptr || at == attacker_.instance) return {"403 tenant-mismatch"};
  if (!attacker_.by_token) return {"401 invalid-credential"};
  return {"403 tenant-mismatch", "404 unknown-tenant"};
}

void Examination::note(Evidence evidence) {
  // What an interrupted run did not get to see is no finding.
  if (interrupted()) evidence.verdict = std::min(evidence.verdict, Verdict::inconclusive);
  if (evidence.verdict != Verdict::pass) {
    // The reason of a cell is that of the first of its heaviest findings.
    if (cell_.reason.empty() || evidence.verdict > cell_.verdict) {
      cell_.reason = arena_.redact(evidence.step + ": expected " + evidence.expected +
                                   ", observed " + evidence.observed);
    }
    cell_.verdict = merge(cell_.verdict, evidence.verdict);
  } else if (cell_.evidence.size() >= max_evidence) {
    return;
  }
  evidence.step = arena_.redact(std::move(evidence.step));
  evidence.observed = arena_.redact(std::move(evidence.observed));
  evidence.sent = excerpt(arena_.redact(std::move(evidence.sent)));
  // What leaks from a deployment that is in use is its customers' and has no place in a report.
  if (!arena_.stack().attached.empty()) {
    evidence.received.resize(
        std::min(evidence.received.find("\r\n\r\n"), evidence.received.size()));
  }
  evidence.received = excerpt(arena_.redact(std::move(evidence.received)));
  cell_.evidence.push_back(std::move(evidence));
}

std::string Examination::foreign_in(std::string_view bytes) const {
  std::string out;
  for (const Sighting& seen : arena_.scanner().scan(bytes)) {
    const Canary& canary = arena_.scanner().canaries()[seen.canary];
    if (canary.tenant == attacker_.slug) continue;
    const std::string text = canary.sink + " canary of " + canary.tenant + " (" + seen.form + ")";
    if (out.find(text) == std::string::npos) out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

std::string Examination::shown(const std::string& tenant) const {
  const auto is_it = [&](const Actor& actor) { return actor.slug == tenant || actor.id == tenant; };
  if (arena_.stack().attached.empty() || std::ranges::any_of(arena_.actors(), is_it)) return tenant;
  return "a tenant that was not made for the run";
}

void Examination::judge(const Attack& attack, const HttpResponse& response) {
  Evidence evidence{.step = attack.step,
                    .expected = joined(attack.refusals),
                    .observed = answer_of(response),
                    .sent = attack.request.bytes(),
                    .received = response.raw};
  const std::string foreign = foreign_in(response.raw + response.body);
  const bool refused_as_expected =
      std::ranges::find(attack.refusals, answer_of(response)) != attack.refusals.end();
  const std::string acted_as = response.status == 200 ? json_string(response.body, "tenant") : "";
  if (!foreign.empty()) {
    evidence.observed += " with " + foreign;
    evidence.verdict = Verdict::leak;
  } else if (!acted_as.empty() && acted_as != attacker_.slug && acted_as != attacker_.id) {
    evidence.observed += ", accepted as " + shown(acted_as);
    evidence.verdict = Verdict::leak;
  } else if (response.status / 100 == 2 && !refused_as_expected) {
    evidence.observed += ", accepted";
    evidence.verdict = attack.success_is_leak ? Verdict::leak : Verdict::inconclusive;
  } else if (!refused_as_expected) {
    evidence.observed += ", refused for another reason";
    evidence.verdict = Verdict::inconclusive;
  }
  note(std::move(evidence));
  if (belongs_into_audit(response)) {
    must_be_audited_.push_back({.request_id = std::string(response.field("caisson-request-id")),
                                .problem = response.problem(),
                                .causes = attack.causes,
                                .tenant = attacker_.slug});
  }
}

void Examination::compare_with_ghost(const Attack& attack, const HttpResponse& response) {
  const auto ghost = arena_.send(&attacker_, *attack.ghost, attack.way, attack.at);
  if (!ghost) {
    inconclusive(attack.step + ": no answer for an id that never existed: " + ghost.error().text());
    return;
  }
  ++cell_.observations;
  const bool equal = indistinct(response, attack.id) == indistinct(*ghost, attack.ghost_id);
  const bool told = !unserved(response) && !unserved(*ghost);
  note({.step = attack.step + ", against an id that never existed",
        .expected = "the same answer",
        .observed = equal
                        ? "the same answer"
                        : "the answers differ: " + response.summary() + " and " + ghost->summary(),
        .sent = attack.ghost->bytes(),
        .received = ghost->raw,
        .verdict = equal  ? Verdict::pass
                   : told ? Verdict::leak
                          : Verdict::inconclusive});
}

std::optional<HttpResponse> Examination::attack(const Attack& attack) {
  auto response = arena_.send(&attacker_, attack.request, attack.way, attack.at);
  if (!response) {
    inconclusive(attack.step + ": no answer: " + response.error().text());
    return std::nullopt;
  }
  ++cell_.observations;
  judge(attack, *response);
  if (attack.ghost) compare_with_ghost(attack, *response);
  return std::move(*response);
}

std::optional<HttpResponse> Examination::own(const std::string& step, const HttpRequest& request,
                                             Way way) {
  auto response = arena_.send(&attacker_, request, way);
  if (!response) {
    inconclusive(step + ": no answer: " + response.error().text());
    return std::nullopt;
  }
  ++cell_.observations;
  const std::string foreign = foreign_in(response->raw + response->body);
  Evidence evidence{.step = step,
                    .expected = "2xx, and nothing foreign",
                    .observed = response->summary(),
                    .sent = request.bytes(),
                    .received = response->raw};
  const std::string acted_as = json_string(response->body, "tenant");
  if (!foreign.empty()) {
    evidence.observed += " with " + foreign;
    evidence.verdict = Verdict::leak;
  } else if (!acted_as.empty() && acted_as != attacker_.slug && acted_as != attacker_.id) {
    evidence.observed += ", accepted as " + shown(acted_as);
    evidence.verdict = Verdict::leak;
  } else if (response->status / 100 != 2) {
    evidence.verdict = Verdict::inconclusive;
  }
  note(std::move(evidence));
  return std::move(*response);
}

void Examination::refusal(const std::string& step, const HttpResponse& response,
                          const std::string& expected) {
  ++cell_.observations;
  const bool accepted = response.status < 300;
  const bool right = answer_of(response) == expected;
  note({.step = step,
        .expected = expected,
        .observed = answer_of(response) + (accepted ? ", accepted" : ""),
        .received = response.raw,
        .verdict = right      ? Verdict::pass
                   : accepted ? Verdict::leak
                              : Verdict::inconclusive});
  if (right && belongs_into_audit(response)) {
    must_be_audited_.push_back({.request_id = std::string(response.field("caisson-request-id")),
                                .problem = response.problem()});
  }
}

void Examination::received(const std::string& step, std::string_view bytes) {
  ++cell_.observations;
  arena_.count_scanned(bytes.size());
  const std::string foreign = foreign_in(bytes);
  note({.step = step,
        .expected = "no canary of others",
        .observed = foreign.empty() ? "none in " + people_bytes(bytes.size()) : foreign,
        .verdict = foreign.empty() ? Verdict::pass : Verdict::leak});
}

void Examination::expect(const std::string& step, bool holds, const std::string& expected,
                         const std::string& observed, Verdict otherwise) {
  ++cell_.observations;
  note({.step = step,
        .expected = expected,
        .observed = observed,
        .verdict = holds ? Verdict::pass : otherwise});
}

void Examination::expect_of(const std::string& step, const Result<HttpResponse>& answer, bool holds,
                            const std::string& expected) {
  expect(step, answer && holds, expected, answer ? answer->summary() : answer.error().text(),
         answer ? Verdict::leak : Verdict::inconclusive);
}

void Examination::expect_own(const std::string& step, const Actor& actor,
                             const Result<HttpResponse>& answer) {
  const bool own = answer && json_string(answer->body, "tenant") == actor.slug;
  expect(step, own, "its own answer", answer ? answer->summary() : answer.error().text(),
         answer && !unserved(*answer) ? Verdict::leak : Verdict::inconclusive);
}

void Examination::leak(const std::string& step, const std::string& expected,
                       const std::string& observed) {
  expect(step, false, expected, observed, Verdict::leak);
}

void Examination::inconclusive(const std::string& reason) {
  note({.step = "the harness",
        .expected = "a conclusive observation",
        .observed = reason,
        .verdict = Verdict::inconclusive});
}

void Examination::skip(const std::string& reason) {
  skipped_ = true;
  cell_.verdict = Verdict::not_applicable;
  cell_.reason = reason;
}

std::string Examination::state() const {
  std::string seen;
  for (const std::string& target :
       {std::string("/v1/records"), "/v1/records/" + victim_.collection + "?limit=1000&order=id"}) {
    const auto response =
        arena_.send(&victim_, arena_.request_of(victim_, "GET", target), Way::direct);
    if (!response || response->status != 200) return {};
    seen += response->body + "\n";
  }
  return sha256_hex(seen);
}

bool Examination::control() {
  ++control_.observations;
  const std::string target = "/v1/records/" + victim_.collection + "/" + victim_.records.front();
  const auto response =
      arena_.send(&victim_, arena_.request_of(victim_, "GET", target), Way::direct);
  const bool served = response && response->status == 200 &&
                      response->body.find(victim_.canary("row").text) != std::string::npos;
  control_.verdict = merge(control_.verdict, served ? Verdict::pass : Verdict::inconclusive);
  if (!served) {
    const std::string why = response ? response->summary() : response.error().text();
    control_.reason = "its own request did not succeed: " + why;
    inconclusive("positive control: " + victim_.slug + "'s own request did not succeed (" + why +
                 ")");
  }
  return served;
}

void Examination::begin() {
  control();
  if (check_state_) state_before_ = state();
}

void Examination::finish() {
  if (skipped_) return;
  control();
  if (check_state_) {
    const std::string after = state();
    if (state_before_.empty() || after.empty()) {
      inconclusive("the state of " + victim_.slug + " could not be read");
    } else {
      const bool same = after == state_before_;
      cell_.aftermath = !same && cell_.verdict < Verdict::leak;
      note({.step = "state of " + victim_.slug,
            .expected = "unchanged",
            .observed = same ? "unchanged (sha-256 " + after.substr(0, 16) + ")" : "changed",
            .verdict = same ? Verdict::pass : Verdict::leak});
    }
  }
  std::string wrong;
  for (const Refused& refused : must_be_audited_) {
    wrong = arena_.wrong_in_audit(refused);
    if (!wrong.empty()) break;  // one is enough, and each costs its waiting time
  }
  if (!wrong.empty()) {
    inconclusive(wrong);
  } else if (!must_be_audited_.empty()) {
    note({.step = "audit log",
          .expected = "every refusal recorded",
          .observed = std::to_string(must_be_audited_.size()) + " of " +
                      std::to_string(must_be_audited_.size()) +
                      " found, by request id or in a count"});
  }
  // Controls, states and records of the audit log are no attacks.
  if (cell_.verdict == Verdict::pass && cell_.observations == 0)
    inconclusive("nothing was attacked");
}

}  // namespace caisson::conformance
