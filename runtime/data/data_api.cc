#include "runtime/data/data_api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <utility>

#include "base/json_text.h"
#include "base/uuid.h"
#include "runtime/ingress/problem_response.h"
#include "runtime/ingress/signals.h"
#include "runtime/observe/trace_context.h"
#include "runtime/observe/walls.h"

namespace caisson::data {
namespace {

using observe::Code;
using observe::Problem;

/// The beginning of an answer that belongs to a tenant.
http::Response tenant_response(int status, const std::string& request_id) {
  return {.status = status,
          .fields = {{"Caisson-Request-Id", request_id}, {"Cache-Control", "no-store"}}};
}

http::Response text(int status, std::string body) {
  return {.status = status, .fields = {{"Content-Type", "text/plain"}}, .body = std::move(body)};
}

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

/// Fields that the records module reads; more than one of a kind would leave it to chance which
/// counts.
constexpr std::array<std::string_view, 4> single_fields{"Content-Type", "If-Match", "If-None-Match",
                                                        "Idempotency-Key"};

/// Who sent the request: the peer, or whom a trusted proxy names last in X-Forwarded-For.
std::string_view client_of(const http::Request& request,
                           const std::vector<context::Network>& trusted) {
  const bool through_proxy =
      std::any_of(trusted.begin(), trusted.end(),
                  [&](const context::Network& network) { return network.contains(request.peer); });
  std::string_view forwarded = request.field("X-Forwarded-For");
  if (!through_proxy || forwarded.empty()) return request.peer;
  forwarded.remove_prefix(forwarded.find_last_of(", \t") + 1);
  return context::is_address(forwarded) ? forwarded : std::string_view(request.peer);
}

std::optional<std::string_view> optional_field(const http::Request& request,
                                               std::string_view name) {
  const std::string_view value = request.field(name);
  if (value.data() == nullptr) return {};
  return value;
}

/// Bytes that an answer may well have, by what is asked: lists and batches answer with many
/// records, everything else with one, which is rarely large.
std::size_t expected_answer(const http::Request& head) {
  constexpr std::size_t many = std::size_t{4} << 20;
  constexpr std::size_t one = std::size_t{4} << 10;
  const auto call = api::resolve(head.method, head.path);
  if (!call || call->operation == nullptr) return one;
  const auto id = call->operation->id;
  const bool large = id == api::OperationId::list_records || id == api::OperationId::run_batch;
  return large ? many : one;
}

http::Response whoami(const context::RequestContext& context) {
  std::string body = R"({"tenant":)";
  append_json_string(body, context.tenant().slug);
  body += R"(,"subject":)";
  append_json_string(body, context.caller().subject);
  body += R"(,"credential":)";
  append_json_string(body, context::name(context.caller().credential));
  body += R"(,"scopes":[)";
  for (const auto& scope : context.caller().scopes) {
    if (body.back() != '[') body += ',';
    append_json_string(body, scope);
  }
  body += R"(],"request_id":)";
  append_json_string(body, context.request_id());
  body += '}';
  http::Response response = tenant_response(200, context.request_id());
  response.fields.emplace_back("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace

struct DataApi::Exchange {
  std::string id{};
  std::int64_t started_ns = 0;
  http::Request request{};  ///< once it is whole
  http::Reply reply{};
  std::optional<context::RequestContext> context{};  ///< once the gate has let it in
  std::shared_ptr<policy::Permit> permit{};          ///< until the answer takes it along
  std::shared_ptr<observe::Share> share{};           ///< pays for the answer
  std::size_t expected = 0;                          ///< bytes that the answer may well have
  observe::Charge answer{};                          ///< the answer's bytes
  tenancy::TenantPtr tenant{};                       ///< whose request it is, once that is known
};

/// A request that was let in, as the server sees it.
class DataApi::Guest final : public http::Visit {
 public:
  Guest(const DataApi& api, ExchangePtr exchange) : api_(api), exchange_(std::move(exchange)) {}

  void run(http::Request&& request, http::Reply&& reply) override {
    exchange_->request = std::move(request);
    exchange_->reply = std::move(reply);
    // The time for the answer runs from here: how long the body took is bounded by itself.
    exchange_->context->set_deadline(
        std::chrono::steady_clock::now() +
        std::chrono::milliseconds(api_.services_.configuration.limits.request_timeout_ms));
    const ExchangePtr exchange = std::exchange(exchange_, nullptr);
    // The body took its time, and much may have changed meanwhile.
    if (!exchange->request.body.empty()) {
      const auto& context = *exchange->context;
      if (const auto problem = api_.services_.gate.withdrawn(context, exchange->request))
        return api_.finish(*exchange, api_.services_.gate.refuse(context, *problem));
    }
    api_.route(exchange);
  }
  std::optional<http::Response> refuse(const http::Refusal& refusal) override {
    const Problem problem{.code = observe::code_named(refusal.code),
                          .detail = std::string(refusal.detail)};
    return api_.dress(*exchange_, {}, api_.services_.gate.refuse(*exchange_->context, problem));
  }

 private:
  const DataApi& api_;
  ExchangePtr exchange_;
};

http::Admission DataApi::admit(const http::Request& head) {
  const auto exchange = std::make_shared<Exchange>(Exchange{
      .id = new_uuid(services_.clock.unix_ms()), .started_ns = services_.clock.steady_ns()});
  if (auto response = answer_without_tenant(head)) {
    response->fields.emplace_back("Caisson-Request-Id", exchange->id);
    // Whoever asks for health is no client: nothing is counted, or an idle deployment would look
    // busy.
    log(*exchange, head, response->status, services_.clock.steady_ns() - exchange->started_ns);
    return {.answer = std::move(*response)};
  }
  if (is_down(Wall::operator_everywhere) && head.path.starts_with("/v1/tenants")) {
    return services_.operator_api(head);
  }
  auto admitted = services_.gate.admit(head, exchange->id);
  if (!admitted) {
    exchange->tenant = std::move(admitted.error().tenant);
    return {.answer = dress(*exchange, head, std::move(admitted.error().response))};
  }
  exchange->tenant = admitted->context.tenant_ptr();
  exchange->share = admitted->permit.share();
  exchange->expected = expected_answer(head);
  const std::size_t most_body = admitted->most_body();
  exchange->context = std::move(admitted->context);
  exchange->permit = std::make_shared<policy::Permit>(std::move(admitted->permit));
  if (auto refused = refuse_by_head(head, *exchange->context)) {
    return {.answer = dress(*exchange, head, *std::move(refused))};
  }
  return {.visit = std::make_shared<Guest>(*this, exchange),
          .most_body = most_body,
          .share = exchange->share,
          .expected = exchange->expected};
}

std::optional<http::Response> DataApi::answer_without_tenant(const http::Request& request) const {
  if (!is_read(request.method)) return {};
  if (request.path == "/livez" || request.path == "/v1/ping") return text(200, "ok\n");
  if (request.path == "/readyz") return working_ ? text(200, "ok\n") : text(503, "not ready\n");
  if (request.path == "/ask") {
    constexpr std::string_view key = "domain=";
    const bool known =
        request.query.starts_with(key) && is_known_domain(request.query.substr(key.size()));
    return text(known ? 200 : 404, known ? "ok\n" : "unknown\n");
  }
  if (is_down(Wall::public_tenant_labels) && request.path == "/metrics") {
    return text(200, services_.metrics.scrape());
  }
  return {};
}

/// Whether a certificate may be issued for `domain`: only for what an active tenant answers at.
bool DataApi::is_known_domain(std::string_view domain) const {
  const auto signal = ingress::read_host(domain, services_.configuration.domain);
  tenancy::TenantPtr tenant;
  if (signal.kind == ingress::HostSignal::Kind::slug) {
    tenant = services_.directory.by_slug(signal.name);
  } else if (signal.kind == ingress::HostSignal::Kind::own_domain) {
    tenant = services_.directory.by_domain(signal.name);
  }
  return tenant && tenant->status == tenancy::Status::active && !tenant->synthetic();
}

/// What the head alone decides: whether there is such a resource and operation, and whether the
/// caller may use it. Nobody sends a body to be told.
std::optional<http::Response> DataApi::refuse_by_head(
    const http::Request& head, const context::RequestContext& context) const {
  const auto call = api::resolve(head.method, head.path);
  if (!call) {
    return services_.gate.refuse(
        context, {.code = Code::not_found, .detail = "there is nothing at this path"});
  }
  if (call->operation == nullptr) {
    const std::string allowed = api::allowed_methods(call->path);
    http::Response refused = services_.gate.refuse(
        context, {.code = Code::method_not_allowed, .detail = "this resource answers " + allowed});
    refused.fields.emplace_back("Allow", allowed);
    return refused;
  }
  const std::string_view scope = api::missing_scope(*call->operation, context.caller().scopes);
  if (!scope.empty()) {
    return services_.gate.refuse(
        context, {.code = Code::insufficient_scope,
                  .detail = "the credential lacks the scope " + std::string(scope)});
  }
  for (const std::string_view name : single_fields) {
    if (head.count(name) > 1) {
      return services_.gate.refuse(context,
                                   {.code = Code::invalid_parameter,
                                    .detail = "the field " + std::string(name) + " is repeated"});
    }
  }
  return {};
}

void DataApi::route(const ExchangePtr& exchange) const {
  const http::Request& request = exchange->request;
  const context::RequestContext& context = *exchange->context;
  const auto call =
      api::resolve(request.method, request.path);  // the head was let in: there is one
  switch (call->operation->id) {
    case api::OperationId::who_am_i:
      return finish(*exchange, whoami(context));
    case api::OperationId::watch_changes:
      return finish(*exchange, services_.watch.open(request, context));
    case api::OperationId::issue_ticket:
      return finish(*exchange, services_.watch.issue_ticket(context));
    default:
      break;
  }
  run_records(exchange, *call);
}

void DataApi::run_records(const ExchangePtr& exchange, const api::Call& call) const {
  const context::RequestContext& context = *exchange->context;
  http::Request& request = exchange->request;
  const modules::RecordsRequest asked{
      .method = request.method == "HEAD" ? "GET" : request.method,
      .path = request.path,
      .call = call,
      .query = request.query,
      .body = request.body,
      .content_type = request.field("Content-Type"),
      .if_match = optional_field(request, "If-Match"),
      .if_none_match = optional_field(request, "If-None-Match"),
      .idempotency_key = optional_field(request, "Idempotency-Key"),
      .scopes = context.caller().scopes,
      .now_ms = services_.clock.unix_ms(),
  };
  const storage::Access access = modules::Records::access(asked);
  exchange->answer = observe::Charge(exchange->share, observe::Use::answer);
  if (request.charge.bytes() == 0 && access != storage::Access::glance) {
    request.charge = observe::Charge(exchange->share);  // it is going to wait
    request.charge.set(request.head.size());
  }
  services_.tenants.submit(
      context.tenant(), access, context.deadline(),
      [this, asked, exchange](storage::TenantStore& store) {
        return answer_within_bounds(asked, *exchange, store);
      },
      [this, exchange](tl::expected<modules::RecordsAnswer, tenancy::Refusal> answer) {
        try {
          finish(*exchange, answer_to_record(*exchange->context, std::move(answer)));
        } catch (const std::bad_alloc&) {
          exchange->reply = {};  // the server answers in its place
        }
      });
}

/// Nothing is done for a tenant that was suspended while the job waited. It is asked here, where no
/// other thread has the store: whoever suspends a tenant waits for it after that, and what has been
/// written by then is in every later snapshot.
///
/// Nothing is done whose answer would find no place, as far as that can be told; what cannot be
/// answered after all is undone: before the commit there is still the choice.
modules::RecordsAnswer DataApi::answer_within_bounds(const modules::RecordsRequest& asked,
                                                     Exchange& exchange,
                                                     storage::TenantStore& store) const {
  try {
    if (auto problem = services_.gate.withdrawn(*exchange.context)) {
      store.abandon();
      return {.problem = std::string(observe::info(problem->code).name),
              .detail = std::move(problem->detail)};
    }
    // Whoever keeps less than one such answer may try: it need not be that large.
    const bool little = exchange.share->used() < exchange.expected;
    if (exchange.answer.resize(exchange.expected) || (little && exchange.answer.resize(1))) {
      auto answer = services_.records.handle(asked, store);
      if (exchange.answer.resize(answer.body.capacity())) return answer;
    }
    // NOLINTNEXTLINE(bugprone-empty-catch): as if its place had been refused
  } catch (const std::bad_alloc&) {
  }
  exchange.answer.set(0);
  store.abandon();
  return {.problem = std::string(observe::info(Code::overloaded).name),
          .detail = "too many bytes of this tenant wait to be answered or read"};
}

// ---- answers ----

http::Response DataApi::refuse(const http::Refusal& refusal) const {
  const Problem problem{.code = observe::code_named(refusal.code),
                        .detail = std::string(refusal.detail)};
  const std::string id = new_uuid(services_.clock.unix_ms());
  http::Response response = ingress::problem_response(problem, id);
  services_.metrics.refusal(problem.code);
  services_.metrics.request({}, response.status, 0);
  services_.log.debug("refused", {{"request_id", id},
                                  {"client", refusal.peer},
                                  {"status", std::int64_t{response.status}},
                                  {"reason", refusal.code},
                                  {"detail", refusal.detail}});
  return response;
}

http::Response DataApi::answer_to_record(
    const context::RequestContext& context,
    tl::expected<modules::RecordsAnswer, tenancy::Refusal> answer) const {
  if (!answer) return services_.gate.refuse(context, ingress::refusal_problem(answer.error()));
  if (!answer->problem.empty()) {
    return services_.gate.refuse(context, {.code = observe::code_named(answer->problem),
                                           .detail = std::move(answer->detail),
                                           .errors = std::move(answer->faults)});
  }
  http::Response response = tenant_response(answer->status, context.request_id());
  if (!answer->body.empty()) response.fields.emplace_back("Content-Type", "application/json");
  if (!answer->etag.empty()) response.fields.emplace_back("ETag", answer->etag);
  if (!answer->location.empty()) response.fields.emplace_back("Location", answer->location);
  if (answer->replayed) response.fields.emplace_back("Idempotency-Replayed", "true");
  response.body = std::move(answer->body);
  return response;
}

/// Sends the answer; the request's bytes are free from here on.
void DataApi::finish(Exchange& exchange, http::Response response) const {
  exchange.answer.set(exchange.answer.share() ? response.body.capacity() : 0);
  response.charge = std::move(exchange.answer);
  response = dress(exchange, exchange.request, std::move(response));
  exchange.request = {};
  exchange.reply(std::move(response));
}

/// Counts and logs. The answer takes the permit along: the tenant's place is free again when it is
/// sent.
http::Response DataApi::dress(Exchange& exchange, const http::Request& head,
                              http::Response response) const {
  if (exchange.permit) exchange.permit->append_fields(response.fields);
  const std::int64_t took_ns = services_.clock.steady_ns() - exchange.started_ns;
  // What a test asks is nobody's use, and no error of the service.
  if (!exchange.tenant || !exchange.tenant->synthetic()) {
    services_.metrics.request(
        exchange.tenant ? std::string_view(exchange.tenant->slug) : std::string_view(),
        response.status, took_ns);
  }
  log(exchange, head, response.status, took_ns);
  response.lease = std::move(exchange.permit);
  return response;
}

void DataApi::log(const Exchange& exchange, const http::Request& request, int status,
                  std::int64_t took_ns) const {
  const observe::Level level = status >= 500 ? observe::Level::warn : observe::Level::debug;
  if (!services_.log.enabled(level)) return;
  std::string actor;
  if (exchange.context) actor = text(context::actor_of(exchange.context->caller()));
  const auto trace = observe::read_trace(request.field("traceparent"), request.field("tracestate"));
  services_.log.write(level, "request",
                      {{"request_id", exchange.id},
                       {"tenant", exchange.tenant ? std::string_view(exchange.tenant->slug) : ""},
                       {"actor", actor},
                       {"method", request.method},
                       {"path", request.path},
                       {"status", std::int64_t{status}},
                       {"took_us", took_ns / 1000},
                       {"client", client_of(request, services_.configuration.trusted_proxies)},
                       {"trace_id", trace ? trace->trace_id : std::string_view()},
                       {"parent_id", trace ? trace->parent_id : std::string_view()},
                       {"tracestate", trace ? trace->state : std::string_view()}});
}

}  // namespace caisson::data
