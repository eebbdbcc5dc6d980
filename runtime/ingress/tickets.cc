#include "runtime/ingress/tickets.h"

#include <array>
#include <utility>

#include "api/operations.h"
#include "base/base64url.h"
#include "base/random.h"
#include "runtime/http/handshake.h"

namespace caisson::ingress {
namespace {

constexpr std::int64_t lifetime_ms = 30'000;
constexpr std::size_t most_tickets = 16'384;
constexpr int most_of_a_tenant = 64;

}  // namespace

tl::expected<Tickets::Issued, observe::Problem> Tickets::issue(
    const context::RequestContext& context, std::uint64_t generation) {
  std::array<unsigned char, 32> bytes;
  fill_random(bytes);
  Issued issued{
      .text = encode_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()}),
      .expires_ms = clock_.unix_ms() + lifetime_ms};
  const Digest digest = sha256(issued.text);
  const std::int64_t now_ns = clock_.steady_ns();
  const std::int64_t expires_ns = now_ns + lifetime_ms * 1'000'000;

  const std::lock_guard lock(mutex_);
  drop_expired(now_ns);
  int& waiting = waiting_[context.tenant().id];
  if (waiting >= most_of_a_tenant) {
    return tl::unexpected(observe::Problem{.code = observe::Code::rate_limited,
                                           .detail = "64 tickets of this tenant wait to be used",
                                           .retry_after_s = lifetime_ms / 1000});
  }
  if (entries_.size() >= most_tickets) {
    return tl::unexpected(observe::Problem{.code = observe::Code::overloaded,
                                           .detail = "too many tickets wait to be used"});
  }
  ++waiting;
  entries_.emplace(digest, Entry{.holder = {.caller = context.caller_ptr(),
                                            .tenant_id = context.tenant().id,
                                            .generation = generation},
                                 .expires_ns = expires_ns});
  by_age_.emplace_back(expires_ns, digest);
  return issued;
}

std::optional<Tickets::Holder> Tickets::redeem(std::string_view text) {
  const Digest digest = sha256(text);
  const std::int64_t now_ns = clock_.steady_ns();
  const std::lock_guard lock(mutex_);
  drop_expired(now_ns);
  const auto found = entries_.find(digest);
  if (found == entries_.end()) return std::nullopt;
  Holder holder = std::move(found->second.holder);
  found->second.holder.tenant_id = holder.tenant_id;  // what `erase` counts by
  erase(found);
  return holder;
}

void Tickets::drop_expired(std::int64_t now_ns) {
  while (!by_age_.empty() && by_age_.front().first <= now_ns) {
    if (const auto found = entries_.find(by_age_.front().second); found != entries_.end()) {
      erase(found);
    }
    by_age_.pop_front();
  }
}

void Tickets::erase(std::map<Digest, Entry>::iterator entry) {
  const auto waiting = waiting_.find(entry->second.holder.tenant_id);
  if (--waiting->second == 0) waiting_.erase(waiting);
  entries_.erase(entry);
}

tl::expected<std::optional<std::string_view>, std::string_view> read_ticket(
    const http::Request& request) {
  if (request.path != api::watch_path || !http::asks_to_upgrade(request)) return std::nullopt;
  const auto handshake = http::read_handshake(request);
  if (!handshake) return std::nullopt;  // it will be told after the credential is known
  std::optional<std::string_view> ticket;
  for (const std::string_view protocol : handshake->protocols) {
    if (!protocol.starts_with(api::ticket_protocol)) continue;
    if (ticket) return tl::unexpected(std::string_view("several tickets were sent"));
    ticket = protocol.substr(api::ticket_protocol.size());
  }
  return ticket;
}

}  // namespace caisson::ingress
