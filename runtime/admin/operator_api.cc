#include "runtime/admin/operator_api.h"

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/hex.h"
#include "base/uuid.h"
#include "runtime/admin/call.h"
#include "runtime/admin/routes.h"
#include "runtime/context/strict_json.h"
#include "runtime/ingress/problem_response.h"
#include "runtime/ingress/signals.h"

namespace caisson::admin {
namespace {

using observe::Code;
using observe::Problem;

constexpr std::string_view import_action = "records.import";
constexpr Workers::Bounds quick_calls{.threads = 4, .waiting = 256};
constexpr Workers::Bounds lengthy_calls{.threads = 2, .waiting = 64};

/// The entry for a request; otherwise the methods that its path knows, empty for a path that is not
/// there.
struct Found {
  const Entry* entry = nullptr;
  PathParts captured;
  std::string allow;
};

Found find(const http::Request& request) {
  Found found;
  for (const Entry& entry : entries()) {
    const auto captured = match(entry.path, request.path);
    if (!captured) continue;
    if (entry.method == request.method) {
      found.entry = &entry;
      found.captured = *captured;
      return found;
    }
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += entry.method;
  }
  return found;
}

/// Compares digests, so that the time taken tells not even the token's length.
bool is_operator(const http::Request& request, const std::string& token) {
  const auto bearer = ingress::read_bearer(request);
  if (!bearer || !*bearer) return false;
  return equal_constant_time(hex(sha256(**bearer)), hex(sha256(token)));
}

/// The slug of the tenant that a call changes: of its path, or of its body when it makes one. Empty
/// when it names none.
std::string tenant_to_change(const http::Request& request, const std::string& slug) {
  if (!slug.empty() || request.body.empty()) return slug;
  const auto body = context::parse_strict(request.body);
  if (!body || !body->is_object()) return {};
  const boost::json::value* made = body->get_object().if_contains("slug");
  return made != nullptr && made->is_string() ? std::string(made->get_string()) : std::string();
}

/// What a call leaves in the audit log, durable before its answer leaves. False when the disk
/// refuses it.
bool record(const Call& call, const Answer& answer) {
  std::string reason = call.note;
  if (!answer) {
    if (!reason.empty()) reason += ": ";
    reason += info(answer.error().code).name;
  }
  observe::AuditEvent event = event_of(call);
  event.outcome = answer ? "ok" : "failed";
  event.reason = reason;
  observe::Audit& audit = call.services.audit;
  return call.intent == 0 ? audit.record(event) : audit.end(call.intent, event);
}

/// What the audit log is told of a call that ended with an exception after it had begun.
void record_unknown(const Call& call) {
  if (call.intent == 0) return;
  try {
    const std::string reason = call.note + (call.note.empty() ? "" : ": ") +
                               "unknown whether it was done: it was interrupted";
    observe::AuditEvent event = event_of(call);
    event.outcome = "unknown";
    event.reason = reason;
    static_cast<void>(call.services.audit.end(call.intent, event));
  } catch (const std::bad_alloc&) {
    return;  // the next start gives it an outcome
  }
}

}  // namespace

/// Keeps nothing of a request, so that one serves all of a kind.
class OperatorApi::Visitor final : public http::Visit {
 public:
  Visitor(OperatorApi& api, std::size_t most_body, std::string too_large)
      : api_(api), most_body_(most_body), too_large_(std::move(too_large)) {}

  /// Bytes that a body may have.
  [[nodiscard]] std::size_t most_body() const { return most_body_; }

  void run(http::Request&& request, http::Reply&& reply) override {
    api_.handle(std::move(request), std::move(reply));
  }
  std::optional<http::Response> refuse(const http::Refusal& refusal) override {
    if (observe::code_named(refusal.code) != Code::body_too_large) return {};
    api_.services_.metrics.refusal(Code::body_too_large);
    return ingress::problem_response({.code = Code::body_too_large, .detail = too_large_},
                                     new_uuid(api_.services_.clock.unix_ms()));
  }

 private:
  OperatorApi& api_;
  const std::size_t most_body_;
  const std::string too_large_;
};

OperatorApi::OperatorApi(Services services)
    : services_(std::move(services)),
      caller_(std::make_shared<Visitor>(
          *this, services_.most_body,
          "a call may have " + std::to_string(services_.most_body) + " bytes")),
      importer_(std::make_shared<Visitor>(
          *this, services_.most_import,
          "nothing was imported: this process takes " + std::to_string(services_.most_import) +
              " bytes at once, and the page has a larger record; give the process more memory "
              "until all is imported, or its largest tier a 'body' as large as where the record "
              "comes from")),
      started_ns_(services_.clock.steady_ns()),
      workers_(quick_calls, lengthy_calls) {}

http::Admission OperatorApi::admit(const http::Request& head) {
  if (auto stranger = refuse_stranger(head)) return {.answer = std::move(*stranger)};
  const Found found = find(head);
  const bool imports = found.entry != nullptr && found.entry->action == import_action;
  const auto& visitor = imports ? importer_ : caller_;
  return {.visit = visitor, .most_body = visitor->most_body()};
}

void OperatorApi::handle(http::Request&& request, http::Reply&& reply) {
  auto asked = read(request);
  if (!asked) return reply(std::move(asked.error()));
  struct Waiting {
    http::Request request;
    http::Reply reply;
    Asked asked;
  };
  const bool lengthy = asked->entry->lengthy;
  const bool changes = !asked->entry->action.empty();
  std::string turn = changes ? tenant_to_change(request, asked->slug) : std::string();
  const auto waiting = std::make_shared<Waiting>(
      Waiting{.request = std::move(request), .reply = std::move(reply), .asked = *asked});
  const bool taken = workers_.submit(lengthy ? Workers::Lane::lengthy : Workers::Lane::quick,
                                     std::move(turn), [this, waiting] {
                                       try {
                                         waiting->reply(perform(waiting->request, waiting->asked));
                                       } catch (const std::bad_alloc&) {
                                         waiting->reply = {};  // the server answers in its place
                                       }
                                     });
  if (taken) return;
  waiting->reply(ingress::problem_response(
      {.code = Code::overloaded, .detail = "too many operator calls are waiting"},
      waiting->asked.request_id));
}

std::optional<http::Response> OperatorApi::refuse_stranger(const http::Request& head) const {
  const bool open = head.method == "GET" && head.path == "/livez";
  if (open || is_operator(head, services_.configuration.operator_token)) return {};
  const std::string request_id = new_uuid(services_.clock.unix_ms());
  const bool sent = head.count("authorization") > 0;
  const Problem problem{.code = sent ? Code::invalid_credential : Code::unauthenticated,
                        .detail = "the operator API answers to the operator's bearer token alone"};
  services_.metrics.refusal(problem.code);
  services_.audit.refuse({.action = "operator.refuse",
                          .request_id = request_id,
                          .outcome = "refused",
                          .reason = info(problem.code).name});
  return ingress::problem_response(problem, request_id);
}

http::Response OperatorApi::answer(const http::Request& request) {
  auto asked = read(request);
  return asked ? perform(request, *asked) : std::move(asked.error());
}

tl::expected<OperatorApi::Asked, http::Response> OperatorApi::read(
    const http::Request& request) const {
  Asked asked{.request_id = new_uuid(services_.clock.unix_ms()), .slug = {}, .id = {}};
  const auto refused = [&](const Problem& problem) {
    return tl::unexpected(ingress::problem_response(problem, asked.request_id));
  };
  if (request.method == "GET" && request.path == "/livez") {
    return tl::unexpected(
        http::Response{.status = 200, .fields = {{"Content-Type", "text/plain"}}, .body = "ok\n"});
  }
  if (auto stranger = refuse_stranger(request)) return tl::unexpected(std::move(*stranger));
  const Found found = find(request);
  if (found.entry == nullptr) {
    if (found.allow.empty())
      return refused({.code = Code::not_found, .detail = "there is no such route"});
    auto response =
        refused({.code = Code::method_not_allowed, .detail = "allowed: " + found.allow});
    response.value().fields.emplace_back("Allow", found.allow);
    return response;
  }
  asked.entry = found.entry;
  asked.slug = found.captured[0];
  asked.id = found.captured[1];
  return asked;
}

http::Response OperatorApi::perform(const http::Request& request, const Asked& asked) {
  const std::string& request_id = asked.request_id;
  const std::string_view action = asked.entry->action;
  if (!action.empty() && !services_.audit.can_record())
    return ingress::problem_response(unrecorded(), request_id);

  Call call{.services = services_,
            .request = request,
            .action = action,
            .request_id = request_id,
            .slug = asked.slug,
            .id = asked.id,
            .uptime_ms = (services_.clock.steady_ns() - started_ns_) / 1'000'000,
            .tenant = {},
            .tenant_id = {},
            .note = {}};
  Answer answer;
  try {
    answer = asked.entry->route(call);
  } catch (...) {
    record_unknown(call);
    throw;
  }
  if (!action.empty() && !record(call, answer)) {
    services_.log.error("an operator call was done and its audit record is not durable yet",
                        {{"action", action}, {"request_id", request_id}});
  }
  services_.log.info("operator call",
                     {{"method", request.method},
                      {"path", request.path},
                      {"status", answer ? answer->status : info(answer.error().code).status},
                      {"request_id", request_id}});
  if (!answer) return ingress::problem_response(answer.error(), request_id);
  answer->fields.emplace_back("Caisson-Request-Id", request_id);
  return std::move(*answer);
}

}  // namespace caisson::admin
