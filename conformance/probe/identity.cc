// ID: who the caller is, and for whom it may speak.

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/smuggling.h"
#include "conformance/probe/targets.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {
namespace {

using std::chrono::seconds;

/// What the attacker is after: being the victim, and reading its record.
std::vector<std::string> prizes(const Examination& e) {
  return {"/v1/whoami", "/v1/records/" + e.victim().collection + "/" + e.victim().records.front()};
}

HttpRequest with_credential(const std::string& credential, const std::string& target,
                            const std::string& host) {
  return {.target = target, .host = host, .headers = {{"Authorization", "Bearer " + credential}}};
}

/// Shows a forged credential to the victim's own instance and through the edge: refused for one of
/// the `causes`, as one answer serves them all.
void forged(Examination& e, const std::string& what, const std::string& credential,
            const std::vector<std::string>& causes) {
  e.arena().remember_secret(credential);
  for (const std::string& target : prizes(e)) {
    e.attack({.step = what + " on " + target,
              .request = with_credential(credential, target, e.victim().host),
              .at = e.victim().instance,
              .refusals = {"401 invalid-credential"},
              .causes = causes});
  }
  if (e.arena().stack().edge() == nullptr) return;
  e.attack({.step = what + " through the edge",
            .request = with_credential(credential, "/v1/whoami", e.victim().host),
            .way = Way::edge,
            .refusals = {"401 invalid-credential"},
            .causes = causes});
}

constexpr const char* unsigned_by_us = "the signature is not of an accepted key";
constexpr const char* brings_its_own = "the header brings a key or an extension of its own";
constexpr const char* out_of_time = "it has expired or does not hold yet";

void header_of_victim(Examination& e) {
  for (const std::string& target : prizes(e)) {
    for (const RunningInstance* at : {e.attacker().instance, e.victim().instance}) {
      HttpRequest request = e.arena().request_of(e.attacker(), "GET", target);
      request.host = "localhost";
      request.headers.emplace_back("Caisson-Tenant", e.victim().slug);
      e.attack({.step = "header Caisson-Tenant of " + e.victim().slug + " on " + target + " at " +
                        at->name,
                .request = request,
                .at = at,
                .refusals = e.refusals_at(at)});
    }
    if (e.arena().stack().edge() == nullptr) continue;
    HttpRequest request = e.arena().request_of(e.attacker(), "GET", target);
    request.headers.emplace_back("Caisson-Tenant", e.victim().slug);
    e.attack({.step = "the same through the edge at the attacker's own host",
              .request = request,
              .way = Way::edge,
              // Where the header names nobody the edge drops it, and the attacker stays itself.
              .refusals = {e.arena().plan().auth.by_header ? "403 tenant-mismatch" : "200"}});
  }
}

void repeated_headers(Examination& e) {
  const std::string own = e.attacker().slug;
  const std::string other = e.victim().slug;
  const std::vector<std::pair<std::string, Headers>> shapes{
      {"own, then the victim's", {{"Caisson-Tenant", own}, {"Caisson-Tenant", other}}},
      {"the victim's, then own", {{"Caisson-Tenant", other}, {"Caisson-Tenant", own}}},
      {"two spellings", {{"caisson-tenant", own}, {"CAISSON-TENANT", other}}},
      {"comma-joined", {{"Caisson-Tenant", own + "," + other}}},
      {"comma and blank", {{"Caisson-Tenant", other + ", " + own}}},
      {"underscore", {{"Caisson_Tenant", other}}},
      {"underscore beside the right one", {{"Caisson-Tenant", own}, {"Caisson_Tenant", other}}},
  };
  for (const auto& [name, headers] : shapes) {
    for (const std::string& target : prizes(e)) {
      HttpRequest request = e.arena().request_of(e.attacker(), "GET", target);
      request.host = "localhost";
      request.headers.insert(request.headers.end(), headers.begin(), headers.end());
      e.attack({.step = "tenant headers, " + name + ", on " + target,
                .request = request,
                .refusals = {"400 ambiguous-tenant"}});
    }
  }
}

void host_of_victim(Examination& e) {
  for (const std::string& target : prizes(e)) {
    for (const RunningInstance* at : {e.attacker().instance, e.victim().instance}) {
      HttpRequest request = e.arena().request_of(e.attacker(), "GET", target);
      request.host = e.victim().host;
      e.attack({.step = "Host of " + e.victim().slug + " on " + target + " at " + at->name,
                .request = request,
                .at = at,
                .refusals = e.refusals_at(at)});
    }
    if (e.arena().stack().edge() != nullptr) {
      HttpRequest request = e.arena().request_of(e.attacker(), "GET", target);
      request.host = e.victim().host;
      e.attack({.step = "Host of " + e.victim().slug + " through the edge on " + target,
                .request = request,
                .way = Way::edge,
                .refusals = e.refusals_at(e.victim().instance)});
    }
    HttpRequest absolute =
        e.arena().request_of(e.attacker(), "GET", "http://" + e.victim().host + target);
    e.attack({.step = "absolute-form target of " + e.victim().slug,
              .request = absolute,
              .refusals = {"400 malformed-request"}});
    HttpRequest forwarded = e.arena().request_of(e.attacker(), "GET", "/v1/whoami");
    forwarded.headers.emplace_back("X-Forwarded-Host", e.victim().host);
    forwarded.headers.emplace_back("Forwarded", "host=" + e.victim().host);
    e.own("forwarded host of " + e.victim().slug + " is not believed", forwarded);
  }
}

void tenant_elsewhere(Examination& e) {
  const std::string& other = e.victim().slug;
  for (const std::string& target :
       {"/v1/whoami?tenant=" + other, "/v1/whoami?tid=" + e.victim().id,
        "/v1/records/" + e.victim().collection + "?tenant=" + other + "&limit=100",
        "/v1/tenants/" + other + "/records/" + e.victim().collection, "/" + other + "/v1/whoami",
        "/v1/" + other + "/records", "/v1/records/" + other + "/" + e.victim().records.front()}) {
    // Ignoring the parameter is as good as refusing it, as long as the attacker stays itself.
    e.attack(
        {.step = "tenant in " + target,
         .request = e.arena().request_of(e.attacker(), "GET", target),
         .refusals = {"200", "400 invalid-parameter", "404 not-found", std::string(no_route)}});
  }
  HttpRequest body =
      e.arena().request_of(e.attacker(), "GET", "/v1/whoami", R"({"tenant":")" + other + "\"}");
  e.attack({.step = "tenant in the body of a GET",
            .request = body,
            .refusals = {"200", "400 malformed-request", "400 invalid-parameter"}});
}

void unregistered_slug(Examination& e) {
  const std::string nobody = "nobody-" + e.arena().run();
  const std::string host = nobody + "." + e.arena().plan().domain.value;
  for (const std::string& target : prizes(e)) {
    HttpRequest by_host = e.arena().request_of(e.attacker(), "GET", target);
    by_host.host = host;
    e.attack({.step = "host of an unregistered tenant on " + target,
              .request = by_host,
              .refusals = {"403 tenant-mismatch"}});
    HttpRequest by_header = e.arena().request_of(e.attacker(), "GET", target);
    by_header.host = "localhost";
    by_header.headers.emplace_back("Caisson-Tenant", nobody);
    e.attack({.step = "header of an unregistered tenant on " + target,
              .request = by_header,
              .refusals = {"403 tenant-mismatch"}});
    HttpRequest foreign_host = e.arena().request_of(e.attacker(), "GET", target);
    foreign_host.host = "somewhere-else.example";
    e.attack({.step = "a host that is nobody's on " + target,
              .request = foreign_host,
              .refusals = {"403 tenant-mismatch"}});
    if (e.arena().has_tokens()) {
      e.attack(
          {.step = "token of an unregistered tenant on " + target,
           .request = with_credential(e.arena().token({.tenant = nobody}), target, "localhost"),
           .refusals = {"404 unknown-tenant"}});
    }
  }
}

void no_context(Examination& e) {
  for (const std::string& target : prizes(e)) {
    for (const std::string& host : {e.victim().host, std::string("localhost")}) {
      const auto answer = e.attack({.step = "no credential at " + host + " on " + target,
                                    .request = {.target = target, .host = host},
                                    .at = e.victim().instance,
                                    .refusals = {"401 unauthenticated"}});
      if (answer) {
        e.expect("the refusal says how to authenticate", !answer->field("www-authenticate").empty(),
                 "WWW-Authenticate",
                 answer->field("www-authenticate").empty() ? "absent" : "present",
                 Verdict::inconclusive);
      }
    }
    HttpRequest header{
        .target = target, .host = "localhost", .headers = {{"Caisson-Tenant", e.victim().slug}}};
    e.attack({.step = "tenant header alone on " + target,
              .request = header,
              .at = e.victim().instance,
              .refusals = {"401 unauthenticated"}});
  }
  for (const char* value :
       {"Basic Z2xvYmV4OnNlY3JldA==", "Bearer", "Bearer  ", "bearer null", "Token x"}) {
    e.attack({.step = std::string("Authorization: ") + value,
              .request = {.target = "/v1/whoami",
                          .host = e.victim().host,
                          .headers = {{"Authorization", value}}},
              .at = e.victim().instance,
              .refusals = {"401 invalid-credential", "401 unauthenticated"}});
  }
}

void alg_none(Examination& e) {
  const std::string claims = e.arena().token_claims({.tenant = e.victim().slug});
  for (const std::string algorithm : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string header = R"({"alg":")" + algorithm + R"(","typ":"JWT"})";
    forged(e, "alg '" + algorithm + "' without a signature", unsigned_token(header, claims),
           {unsigned_by_us});
    forged(e, "alg '" + algorithm + "' with a made-up signature",
           unsigned_token(header, claims, "x"),
           {unsigned_by_us, "a part is no canonical base64url"});
  }
  forged(e, "no alg at all", unsigned_token(R"({"typ":"JWT"})", claims),
         {"the header names no algorithm"});
}

void key_confusion(Examination& e) {
  const std::string claims = e.arena().token_claims({.tenant = e.victim().slug});
  const auto key = SigningKey::from_pem(e.arena().stack().signing_key);
  if (!key) return e.inconclusive("the signing key of the stack cannot be read");
  std::string trimmed = key->public_pem();
  while (!trimmed.empty() && trimmed.back() == '\n') trimmed.pop_back();
  for (const auto& [name, secret] :
       {std::pair<std::string, std::string>{"as PEM", key->public_pem()},
        {"as PEM without the last line break", trimmed},
        {"as raw bytes", key->public_raw()}}) {
    if (secret.empty()) continue;
    forged(e, "HS256 under the public key " + name,
           sign_token_hs256(R"({"alg":"HS256","typ":"JWT"})", claims, secret), {unsigned_by_us});
  }
}

void own_key_in_header(Examination& e) {
  const std::string claims = e.arena().token_claims({.tenant = e.victim().slug});
  for (const Algorithm algorithm : {Algorithm::ed_dsa, Algorithm::es256}) {
    const auto key = SigningKey::generate(algorithm);
    if (!key) return e.inconclusive("no key could be made");
    const std::string start = R"({"alg":")" + std::string(name_of(algorithm)) + R"(","typ":"JWT")";
    for (const auto& [name, extra] :
         {std::pair<std::string, std::string>{"jwk", ",\"jwk\":" + key->jwk()},
          {"jku", R"(,"jku":"http://127.0.0.1:1/keys.json")"},
          {"x5u", R"(,"x5u":"http://127.0.0.1:1/chain.pem")"},
          {"crit", R"(,"crit":["x"],"x":1)"},
          {"no hint", ""}}) {
      forged(e,
             std::string(name_of(algorithm)) + " under the attacker's own key, header with " + name,
             sign_token(start + extra + "}", claims, *key).value_or(""),
             {extra.empty() ? unsigned_by_us : brings_its_own});
    }
  }
}

void key_id_tricks(Examination& e) {
  const std::string claims = e.arena().token_claims({.tenant = e.victim().slug});
  for (const std::string kid :
       {R"(../../../../../../dev/null)", R"(/dev/null)", R"(' OR '1'='1)",
        R"(x' UNION SELECT 'secret' --)", R"(key\u0000.pem)", R"(|cat /etc/passwd)"}) {
    const std::string header = R"({"alg":"HS256","typ":"JWT","kid":")" + kid + "\"}";
    forged(e, "kid " + kid + " with the empty key", sign_token_hs256(header, claims, ""),
           {unsigned_by_us});
    forged(e, "kid " + kid + " with the key it selects", sign_token_hs256(header, claims, "secret"),
           {unsigned_by_us});
  }
}

void token_for_another(Examination& e) {
  const Arena& arena = e.arena();
  const std::string mine = e.attacker().slug;
  const std::string other = e.victim().slug;
  const std::string token = arena.token({.tenant = mine});
  const bool same = e.same_instance();
  const std::vector<std::string> mismatch =
      same ? std::vector<std::string>{"403 tenant-mismatch"}
           : std::vector<std::string>{"403 tenant-mismatch", "404 unknown-tenant"};
  for (const std::string& target : prizes(e)) {
    e.attack({.step = "own token at the host of " + other + " on " + target,
              .request = with_credential(token, target, e.victim().host),
              .at = e.victim().instance,
              .refusals = mismatch});
    HttpRequest header = with_credential(token, target, "localhost");
    header.headers.emplace_back("Caisson-Tenant", other);
    e.attack({.step = "own token with the header of " + other + " on " + target,
              .request = header,
              .at = e.victim().instance,
              .refusals = mismatch});
  }
  forged(e, "token of another issuer",
         arena.token({.tenant = other, .issuer = "https://issuer.example/"}), {"another issuer"});
  forged(e, "token for another audience", arena.token({.tenant = other, .audience = "another"}),
         {"another audience"});
  forged(e, "token that names two tenants",
         arena.token(
             {.tenant = mine,
              .claims_extra = ",\"" + arena.plan().auth.tenant_claim + "\":\"" + other + "\""}),
         {"a part is no JSON object with unique keys"});
}

void expired_or_revoked(Examination& e) {
  const Arena& arena = e.arena();
  if (arena.has_tokens()) {
    forged(e, "token that has expired",
           arena.token({.tenant = e.victim().slug,
                        .expires_in = -120 - arena.plan().auth.leeway_ms / 1000}),
           {out_of_time});
    forged(e, "token that never expires in time",
           arena.token({.tenant = e.victim().slug, .claims_extra = R"(,"nbf":99999999999)"}),
           {out_of_time});
  }
  if (!arena.plan().auth.api_keys) return;
  const std::string name = "caisson-" + arena.run();
  const OperatorApi api = arena.operator_of(*e.victim().instance);
  const auto key = api.make_key(e.victim().slug, name);
  if (!key) return e.inconclusive("no key could be made: " + key.error().text());
  arena.remember_secret(key->text);
  const auto before = arena.send(
      &e.victim(), with_credential(key->text, "/v1/whoami", e.victim().host), Way::direct);
  e.expect("the key works before it is revoked", before && before->status == 200, "200",
           before ? before->summary() : before.error().text(), Verdict::inconclusive);
  if (auto gone = api.delete_key(e.victim().slug, key->id); !gone) {
    return e.inconclusive("the key could not be revoked: " + gone.error().text());
  }
  forged(e, "API key that was revoked", key->text, {"the key was revoked"});
  std::string changed = key->text;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  forged(e, "API key with another last character", changed, {"no such key"});
}

void warm_cache(Examination& e) {
  for (int round = 0; round < 3; ++round) {
    e.own("own request, to warm every cache",
          e.arena().request_of(e.attacker(), "GET", "/v1/whoami"));
    for (const RunningInstance* at : {e.attacker().instance, e.victim().instance}) {
      HttpRequest request = e.arena().request_of(e.attacker(), "GET", prizes(e).back());
      request.host = e.victim().host;
      e.attack({.step = "warm credential at the host of " + e.victim().slug + " at " + at->name,
                .request = request,
                .at = at,
                .refusals = e.refusals_at(at)});
      request.host = "localhost";
      request.headers.emplace_back("Caisson-Tenant", e.victim().slug);
      e.attack({.step = "warm credential with the header of " + e.victim().slug + " at " + at->name,
                .request = request,
                .at = at,
                .refusals = e.refusals_at(at)});
    }
  }
}

void operator_routes(Examination& e) {
  const std::string& other = e.victim().slug;
  const std::vector<std::pair<std::string, std::string>> routes{
      {"GET", nobodys_tenants(e.arena())},
      {"GET", "/v1/tenants/" + other},
      {"POST", "/v1/tenants/" + other + "/suspend"},
      {"POST", "/v1/tenants/" + other + "/keys"},
      {"GET", "/v1/tenants/" + other + "/snapshots"},
      {"DELETE", "/v1/tenants/" + other},
      {"GET", "/v1/audit?tenant=" + other},
      {"GET", "/v1/status"}};
  for (const auto& [method, target] : routes) {
    HttpRequest request =
        e.arena().request_of(e.attacker(), method, target, method == "POST" ? "{}" : "");
    e.attack({.step = method + " " + target + " at the data listener",
              .request = request,
              .refusals = {std::string(no_route)}});
    RunningInstance listener = *e.victim().instance;
    listener.data = listener.operator_api;
    e.attack(
        {.step = method + " " + target + " at the operator listener with a tenant's credential",
         .request = request,
         .at = &listener,
         .refusals = {"401 invalid-credential", "401 unauthenticated"}});
  }
}

void mass_assignment(Examination& e) {
  const std::string& other = e.victim().slug;
  const std::string value = R"({"tenant":")" + other + R"(","tenant_id":")" + e.victim().id +
                            R"(","tid":")" + other + R"(","id":")" + e.victim().records.front() +
                            R"(","owner":")" + other + "\"}";
  const std::string collection = e.attacker().collection;
  e.attack(
      {.step = "create with the victim's tenant and id as members",
       .request = e.arena().request_of(e.attacker(), "POST", "/v1/records/" + collection, value),
       .refusals = {"201", "422 invalid-record", "400 invalid-json"}});
  for (const std::string& extra :
       {R"("tenant":")" + other + "\"", R"("tenant_id":")" + e.victim().id + "\"",
        R"("id":")" + e.victim().records.front() + "\""}) {
    const std::string body = R"({"operations":[{"op":"create","collection":")" + collection +
                             "\"," + extra + R"(,"value":{"x":1}}]})";
    e.attack({.step = "batch operation with " + extra.substr(0, extra.find(':')),
              .request = e.arena().request_of(e.attacker(), "POST", "/v1/batch", body),
              .refusals = {"200", "201", "400 invalid-json", "400 invalid-parameter",
                           "422 invalid-record"}});
  }
}

const std::vector<Probe> probes{
    {"ID1", "A's credential with B's tenant header", Resource::identity, 1, false, nullptr,
     header_of_victim},
    {"ID2", "duplicate, comma-joined and underscore-spelled tenant headers", Resource::identity, 1,
     false, nullptr, repeated_headers},
    {"ID3", "Host or absolute-form target of B", Resource::identity, 1, false, nullptr,
     host_of_victim},
    {"ID5", "tenant in path, query or body other than the credential's", Resource::identity, 1,
     false, nullptr, tenant_elsewhere},
    {"ID6", "an unregistered slug is refused, not defaulted", Resource::identity, 1, false, nullptr,
     unregistered_slug},
    {"ID7", "no tenant, no request", Resource::identity, 1, false, nullptr, no_context},
    {"ID8", "alg none and its variants", Resource::identity, 1, false, needs_taken_tokens,
     alg_none},
    {"ID9", "HMAC under the public key", Resource::identity, 1, false, needs_public_key,
     key_confusion},
    {"ID10", "embedded jwk, jku, x5u and a key of one's own", Resource::identity, 1, false,
     needs_taken_tokens, own_key_in_header},
    {"ID11", "kid with traversal, SQL and NUL", Resource::identity, 1, false, needs_taken_tokens,
     key_id_tricks},
    {"ID13", "A's token with B's tenant, issuer or audience", Resource::identity, 1, false,
     needs_tokens, token_for_another},
    {"ID14", "expired and revoked credentials", Resource::identity, 1, true, nullptr,
     expired_or_revoked},
    {"ID15", "API key of A replayed as B on a warm cache", Resource::identity, 1, false,
     needs_api_keys, warm_cache},
    {"ID18", "tenant credentials on operator routes", Resource::identity, 1, false, nullptr,
     operator_routes},
    {"ID19", "mass-assigned tenant id", Resource::identity, 1, true, nullptr, mass_assignment},
    {"ID20", "smuggled or pipelined prefix lands on B", Resource::identity, 1, false, nullptr,
     smuggled_prefix},
};

}  // namespace

const std::vector<Probe>& identity_probes() { return probes; }

}  // namespace caisson::conformance
