#include "conformance/probe/arena.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>
#include <thread>

#include "base/files.h"
#include "base/time.h"
#include "conformance/stack/interrupt.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {
namespace {

/// Actors of one kind are interchangeable for pairing: pooled tenants, and tenants with an instance
/// alone.
bool is_alone(const Actor& actor) {
  return actor.instance != nullptr && actor.instance->tenant.has_value();
}

/// A refusal is in the log, or in a count of it, as soon as somebody reads (docs/runtime.md).
constexpr auto patience = std::chrono::seconds(2);

/// Unix time in milliseconds at which a runtime made a request id (UUIDv7); nothing for another id.
std::optional<std::int64_t> made_at(const std::string& request_id) {
  if (request_id.size() != 36 || request_id[14] != '7') return std::nullopt;
  const std::string digits = request_id.substr(0, 8) + request_id.substr(9, 4);
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return ms;
}

/// What a record says of a refusal that it should not; empty for nothing.
std::string wrong_with(const AuditRecord& record, const Refused& refused) {
  const auto colon = record.reason.find(": ");
  // An answer to HEAD does not say which it is.
  const bool is_told = !refused.problem.empty();
  if (is_told && record.reason.substr(0, colon) != refused.problem)
    return "reason " + record.reason;
  if (!refused.causes.empty() &&
      (colon == std::string::npos ||
       std::ranges::find(refused.causes, record.reason.substr(colon + 2)) == refused.causes.end()))
    return "reason " + record.reason;
  if (record.outcome != "refused") return "outcome " + record.outcome;
  // Whoever asks for another tenant's has shown who it is.
  if (refused.problem == "tenant-mismatch" && !record.actor.starts_with("api-key:") &&
      !record.actor.starts_with("token:"))
    return "actor " + record.actor;
  if (!refused.tenant.empty() && !record.tenant.empty() && record.tenant != refused.tenant)
    return "another tenant";
  return {};
}

/// Whether a count can stand for a refusal: it says the same, with room left, and of a time at
/// which the request was being answered, which takes ten seconds at most.
bool covers(const AuditRecord& record, const Refused& refused) {
  const auto made = made_at(refused.request_id);
  return made && record.count > 0 && !refused.problem.empty() &&
         wrong_with(record, refused).empty() && record.to >= rfc3339(*made) &&
         record.from <= rfc3339(*made + 10'000);
}

}  // namespace

Arena::Arena(const plan::Plan& plan, const RunningStack& stack, std::string run, int level,
             Journal& journal)
    : plan_(plan),
      stack_(stack),
      run_(std::move(run)),
      level_(level),
      journal_(journal),
      scanner_(std::make_unique<Scanner>(std::vector<Canary>{})),
      audit_(std::make_unique<AuditCache>()) {
  for (const auto& [name, value] : stack.secrets) {
    if (value.size() >= 16) secrets_.push_back(value);
  }
  for (const auto& instance : stack.instances) {
    if (!instance.operator_token.empty()) secrets_.push_back(instance.operator_token);
  }
}

void Arena::enrol(std::vector<Actor> actors) {
  actors_ = std::move(actors);
  std::vector<Canary> canaries;
  for (const Actor& actor : actors_) {
    canaries.insert(canaries.end(), actor.canaries.begin(), actor.canaries.end());
    remember_secret(actor.credential);
  }
  for (const auto& [name, value] : stack_.secrets) {
    // The public key of tokens is no secret.
    if (value.size() >= 16 && name != plan_.auth.key_secret) {
      canaries.push_back(secret_canary("the stack", name, value));
    }
  }
  scanner_ = std::make_unique<Scanner>(std::move(canaries));
}

Result<void> Arena::skip_refusals() {
  for (const RunningInstance& instance : stack_.instances) {
    if (instance.role != "runtime" || !instance.operator_api) continue;
    const auto newest = operator_of(instance).newest_refusal();
    if (!newest) return tl::unexpected(newest.error());
    audit_->last_seq[instance.name] = *newest;
  }
  return {};
}

std::vector<std::pair<const Actor*, const Actor*>> Arena::pairs() const {
  std::vector<const Actor*> pooled;
  std::vector<const Actor*> alone;
  for (const Actor& actor : actors_) (is_alone(actor) ? alone : pooled).push_back(&actor);
  std::vector<std::pair<const Actor*, const Actor*>> out;
  if (pooled.size() > 1) out.emplace_back(pooled[0], pooled[1]);
  if (!pooled.empty() && !alone.empty()) {
    out.emplace_back(pooled[0], alone[0]);
    out.emplace_back(alone[0], pooled[0]);
  }
  if (alone.size() > 1) out.emplace_back(alone[0], alone[1]);
  return out;
}

OperatorApi Arena::operator_of(const RunningInstance& instance) const {
  return {instance.operator_api.value_or(Endpoint{}), instance.operator_token};
}

const RunningInstance* Arena::shared_instance() const {
  const auto found = std::ranges::find_if(stack_.instances, [](const RunningInstance& instance) {
    return instance.role == "runtime" && !instance.tenant;
  });
  return found == stack_.instances.end() ? nullptr : &*found;
}

HttpRequest Arena::request_of(const Actor& actor, std::string method, std::string target,
                              std::string body) const {
  HttpRequest request{.method = std::move(method),
                      .target = std::move(target),
                      .host = actor.host,
                      .headers = {{"Authorization", "Bearer " + actor.credential}},
                      .body = std::move(body)};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

Result<HttpResponse> Arena::send(const Actor* actor, HttpRequest request, Way way,
                                 const RunningInstance* at, bool keep_429) const {
  if (at == nullptr && actor != nullptr) at = actor->instance;
  const RunningInstance* target = way == Way::edge ? stack_.edge() : at;
  if (target == nullptr || !target->data) return fail("there is no way to send this request");
  request.headers.emplace_back("Connection", "close");
  for (int attempt = 0;; ++attempt) {
    if (interrupted()) return fail("the run was interrupted");
    if (actor != nullptr && actor->pace && !keep_429) actor->pace->wait();
    auto response = exchange(*target->data, request, within(std::chrono::seconds(10)));
    if (response) count_scanned(response->raw.size());
    if (keep_429 || attempt == 5 || !response || response->status != 429) return response;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
}

std::string Arena::new_slug(const std::string& suffix) const {
  const std::scoped_lock lock(slugs_mutex_);
  const int number = ++slugs_[suffix];
  return "cz" + run_ + "-" + suffix + (number == 1 ? "" : "-" + std::to_string(number));
}

void Arena::read_refusals() const {
  for (const RunningInstance& instance : stack_.instances) {
    if (instance.role != "runtime" || !instance.operator_api) continue;
    std::uint64_t& last = audit_->last_seq[instance.name];
    const auto records = operator_of(instance).refusals_after(last);
    if (!records) continue;
    for (const AuditRecord& record : *records) {
      last = std::max(last, record.seq);
      if (record.count > 0) {
        audit_->counts.push_back(record);
      } else if (!record.request_id.empty()) {
        audit_->records.insert_or_assign(record.request_id, record);
      }
    }
  }
}

std::string Arena::wrong_in_audit(const Refused& refused) const {
  std::string missing = "a refusal is not in the audit log";
  if (refused.request_id.empty()) return missing;
  const std::scoped_lock lock(audit_->mutex);
  const auto begun = std::chrono::steady_clock::now();
  for (;;) {
    read_refusals();
    if (const auto own = audit_->records.find(refused.request_id); own != audit_->records.end()) {
      const auto wrong = wrong_with(own->second, refused);
      return wrong.empty()
                 ? wrong
                 : "the audit log has a refusal with " + wrong + ", not " + refused.problem +
                       (refused.causes.empty() ? "" : ": " + refused.causes.front());
    }
    const auto count = std::ranges::find_if(
        audit_->counts, [&](const AuditRecord& record) { return covers(record, refused); });
    if (count != audit_->counts.end()) {
      --count->count;
      audit_->records.emplace(refused.request_id, *count);
      return {};
    }
    if (interrupted() || std::chrono::steady_clock::now() > begun + patience) return missing;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Arena::remember_secret(const std::string& secret) const {
  const std::scoped_lock lock(secrets_mutex_);
  if (secret.size() >= 16) secrets_.push_back(secret);
}

std::string Arena::redact(std::string text) const {
  const std::scoped_lock lock(secrets_mutex_);
  for (const std::string& secret : secrets_) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "[secret]");
    }
  }
  return text;
}

std::string Arena::token_header() const {
  const auto key = SigningKey::from_pem(stack_.signing_key);
  const std::string algorithm(key ? name_of(key->algorithm()) : "HS256");
  return R"({"alg":")" + algorithm + R"(","typ":"JWT")";
}

std::string Arena::token_claims(const TokenParts& parts) const {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  return R"({"iss":")" + (parts.issuer.empty() ? plan_.auth.issuer : parts.issuer) +
         R"(","aud":")" + (parts.audience.empty() ? plan_.auth.audience : parts.audience) +
         R"(","sub":"caisson-conform","iat":)" +
         std::to_string(std::min(now, now + parts.expires_in) - 1) + R"(,"exp":)" +
         std::to_string(now + parts.expires_in) + ",\"" + plan_.auth.tenant_claim + "\":\"" +
         parts.tenant + "\"" + parts.claims_extra + "}";
}

std::string Arena::token(const TokenParts& parts) const {
  if (!has_tokens()) return {};
  const std::string header = token_header() + parts.header_extra + "}";
  const std::string claims = token_claims(parts);
  const auto key = SigningKey::from_pem(stack_.signing_key);
  std::string made = key ? sign_token(header, claims, *key).value_or("")
                         : sign_token_hs256(header, claims, stack_.signing_key);
  remember_secret(made);
  return made;
}

}  // namespace caisson::conformance
