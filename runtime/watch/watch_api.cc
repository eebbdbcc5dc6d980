#include "runtime/watch/watch_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/operations.h"
#include "api/schemas.h"
#include "base/time.h"
#include "runtime/http/handshake.h"
#include "runtime/observe/walls.h"

namespace caisson::watch {
namespace {

using context::RequestContext;
using observe::Code;
using observe::Problem;

/// What the query asks for; `defects` says what it may not ask for.
struct Asked {
  std::vector<std::string> collections;
  std::optional<std::uint64_t> after;
  observe::Faults defects;
};

Asked read_query(std::string_view query) {
  Asked asked;
  const auto refuse = [&asked](std::string_view name, std::string_view detail) {
    asked.defects.note(name, detail);
  };
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    if (name == "collection") {
      // A collection's name has no character that would have to be encoded.
      if (!api::is_collection(value)) refuse(name, api::collection.hint);
      asked.collections.emplace_back(value);
    } else if (name == "after") {
      std::int64_t after = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), after);
      const bool number = error == std::errc{} && end == value.data() + value.size();
      if (!number || after < api::sequence.minimum || after > api::sequence.maximum) {
        refuse(name, "must be the sequence of a message");
      }
      if (asked.after) refuse(name, "is repeated");
      asked.after = static_cast<std::uint64_t>(after);
    } else {
      refuse(name, "is no parameter of a watch: collection, after");
    }
  }
  if (asked.collections.size() > api::most_watched_collections) {
    refuse("collection", "at most 32 collections can be named; name none to watch all");
  }
  return asked;
}

/// The host of an origin (RFC 6454): `https://host` or `http://host`, with or without a port.
std::optional<std::string_view> host_of(std::string_view origin) {
  if (origin.starts_with("https://")) {
    origin.remove_prefix(8);
  } else if (origin.starts_with("http://")) {
    origin.remove_prefix(7);
  } else {
    return {};
  }
  const std::size_t colon = std::min(origin.find(':'), origin.size());
  const std::string_view port = origin.substr(std::min(colon + 1, origin.size()));
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return {};
  if (colon < origin.size() && port.empty()) return {};
  return origin.substr(0, colon);
}

http::SocketClose was_deleted() {
  return {.code = close_code::deleted, .reason = "the tenant was deleted"};
}

}  // namespace

http::Response WatchApi::issue_ticket(const RequestContext& context) const {
  const auto issued = services_.tickets.issue(context, generation());
  if (!issued) return services_.gate.refuse(context, issued.error());
  return {.status = 201,
          .fields = {{"Content-Type", "application/json"},
                     {"Caisson-Request-Id", context.request_id()},
                     {"Cache-Control", "no-store"}},
          .body = R"({"ticket":")" + issued->text + R"(","expires":")" +
                  rfc3339(issued->expires_ms) + "\"}"};
}

http::Response WatchApi::open(const http::Request& request, const RequestContext& context) const {
  const auto refuse = [&](const Problem& problem) {
    return services_.gate.refuse(context, problem);
  };
  const auto handshake = http::read_handshake(request);
  if (!handshake) {
    const http::Refused& why = handshake.error();
    http::Response refused =
        refuse({.code = observe::code_named(why.code), .detail = std::string(why.detail)});
    if (refused.status == 426) {
      refused.fields.emplace_back("Connection", "Upgrade");
      refused.fields.emplace_back("Upgrade", "websocket");
      refused.fields.emplace_back("Sec-WebSocket-Version", "13");
    }
    return refused;
  }
  if (auto foreign = check_origin(request, context.tenant())) return refuse(*foreign);
  const bool offers =
      std::ranges::find(handshake->protocols, api::watch_protocol) != handshake->protocols.end();
  if (!handshake->protocols.empty() && !offers) {
    return refuse({.code = Code::invalid_parameter,
                   .detail = "offer the protocol " + std::string(api::watch_protocol)});
  }
  Asked asked = read_query(request.query);
  if (!asked.defects.empty()) {
    return refuse({.code = Code::invalid_parameter,
                   .detail = "the query has invalid parameters",
                   .errors = std::move(asked.defects)});
  }
  auto permit = services_.limiter.admit_socket(context.tenant());
  if (!permit) return refuse(permit.error());
  const auto watcher = services_.feeds.watch({.tenant = context.tenant_ptr(),
                                              .caller = context.caller_ptr(),
                                              .generation = generation(),
                                              .request_id = context.request_id(),
                                              .collections = std::move(asked.collections),
                                              .after = asked.after,
                                              .permit = std::move(*permit)});
  // What was ended between the request's admission and here would otherwise be missed.
  if (const auto tenant = services_.directory.by_id(context.tenant().id)) {
    changed(*tenant);
  } else {
    services_.feeds.end(context.tenant().id, was_deleted());  // it was a synthetic one
  }
  if (context.caller().credential == context::Credential::api_key) {
    const auto key = services_.directory.key(context.caller().subject);
    if (key && key->revoked) revoked(*key);
  }
  http::Response response =
      http::accept_socket(*handshake, watcher, offers ? api::watch_protocol : std::string_view());
  response.fields.emplace_back("Caisson-Request-Id", context.request_id());
  return response;
}

/// A browser says which page opens the socket, and sends along what it has for our host: a page of
/// another origin must not use that.
std::optional<Problem> WatchApi::check_origin(const http::Request& request,
                                              const tenancy::Tenant& tenant) const {
  if (request.count("Origin") == 0 || is_down(Wall::any_origin)) return {};
  const auto host = host_of(request.field("Origin"));
  const auto& domain = services_.configuration.domain;
  const bool own = host && (*host == tenant.slug + "." + domain ||
                            std::ranges::find(tenant.domains, *host) != tenant.domains.end());
  if (own) return {};
  return Problem{.code = Code::foreign_origin,
                 .detail = "a page may watch only from the tenant's own host or domains"};
}

std::uint64_t WatchApi::generation() const {
  return services_.tokens == nullptr ? 0 : services_.tokens->generation();
}

void WatchApi::changed(const tenancy::Tenant& tenant) const {
  if (tenant.status == tenancy::Status::suspended) {
    services_.feeds.end(tenant.id,
                        {.code = close_code::suspended, .reason = "the tenant was suspended"});
  } else if (tenant.status == tenancy::Status::deleted) {
    services_.feeds.end(tenant.id, was_deleted());
  }
}

void WatchApi::revoked(const tenancy::ApiKey& key) const {
  services_.feeds.end(key.tenant_id,
                      {.code = close_code::credential, .reason = "the credential was revoked"},
                      [&key](const Terms& terms) {
                        return terms.caller->credential == context::Credential::api_key &&
                               terms.caller->subject == key.id;
                      });
}

void WatchApi::sweep() {
  services_.feeds.sweep();
  const std::uint64_t now = generation();
  if (std::exchange(swept_generation_, now) == now) return;
  services_.feeds.end_all(
      {.code = close_code::credential, .reason = "the keys of tokens have changed; connect again"},
      [now](const Terms& terms) {
        return terms.caller->credential == context::Credential::token && terms.generation != now;
      });
}

}  // namespace caisson::watch
