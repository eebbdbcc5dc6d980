#include "runtime/policy/limiter.h"

#include <algorithm>
#include <cmath>

#include "runtime/observe/walls.h"
#include "runtime/policy/rate_fields.h"

namespace caisson::policy {
namespace {

/// The bucket of a tenant whose limits name a rate; a burst that is not named is one second of it.
std::optional<Rate> rate_of(const tenancy::Limits& limits) {
  if (!limits.requests_per_second) return std::nullopt;
  const double per_second = *limits.requests_per_second;
  const auto second = static_cast<std::int64_t>(std::ceil(std::min(per_second, 1e9)));
  return Rate::of(per_second, limits.burst.value_or(second));
}

}  // namespace

void Permit::append_fields(Fields& fields) const {
  if (rate_) append_rate_fields(fields, *rate_, level_);
}

Limiter::Limiter(const Clock& clock, std::size_t idle, std::int64_t sockets,
                 std::shared_ptr<observe::Budget> budget)
    : clock_(clock),
      idle_a_shard_(std::max<std::size_t>(1, idle / shard_count)),
      sockets_(std::max<std::int64_t>(1, sockets)),
      budget_(std::move(budget)) {}

Limiter::Shard& Limiter::shard_of(std::string_view tenant_id) {
  return shards_[Hash{}(tenant_id) >> 60U];
}

std::shared_ptr<Account> Limiter::account(std::string_view tenant_id, std::int64_t now_ns) {
  if (is_down(Wall::one_limiter)) tenant_id = "everybody";
  Shard& shard = shard_of(tenant_id);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.accounts.find(tenant_id); found != shard.accounts.end())
    return found->second;
  if (shard.accounts.size() >= std::max(shard.sweep_at, idle_a_shard_)) {
    std::erase_if(shard.accounts, [&](const auto& entry) {
      // Only this map holds it: nobody is about to use it.
      return entry.second.use_count() == 1 && entry.second->share.use_count() == 1 &&
             entry.second->bucket.full(now_ns);
    });
    // Sweeping again before the map has doubled would cost more than it frees.
    shard.sweep_at = shard.accounts.size() * 2;
  }
  auto made = std::make_shared<Account>(std::make_shared<observe::Share>(budget_));
  return shard.accounts.try_emplace(std::string(tenant_id), std::move(made)).first->second;
}

tl::expected<Permit, Excess> Limiter::admit(const tenancy::Tenant& tenant) {
  const std::int64_t now_ns = clock_.steady_ns();
  Permit permit(account(tenant.id, now_ns));
  const std::int64_t running = permit.account_->running.fetch_add(1, std::memory_order_relaxed) + 1;
  if (tenant.limits.concurrent && running > *tenant.limits.concurrent) {
    return tl::unexpected(
        Excess{.problem = {.code = observe::Code::too_many_concurrent,
                           .detail = "too many requests of this tenant are running",
                           .retry_after_s = 1},
               .fields = {}});
  }
  if (permit.share()->full()) {
    return tl::unexpected(
        Excess{.problem = {.code = observe::Code::overloaded,
                           .detail = "too many bytes of this tenant wait to be answered or read",
                           .retry_after_s = 1},
               .fields = {}});
  }
  permit.rate_ = rate_of(tenant.limits);
  if (!permit.rate_) return permit;
  permit.level_ = permit.account_->bucket.take(*permit.rate_, now_ns);
  if (permit.level_.taken) return permit;

  Excess excess{.problem = {.code = observe::Code::rate_limited,
                            .detail = "the tenant's request rate is used up",
                            .retry_after_s = static_cast<int>(seconds_up(permit.level_.next_ns))},
                .fields = {}};
  permit.append_fields(excess.fields);
  return tl::unexpected(std::move(excess));
}

void Limiter::changed(const tenancy::Tenant& tenant) {
  const std::optional<Rate> rate = rate_of(tenant.limits);
  if (!rate) return;
  Shard& shard = shard_of(tenant.id);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.accounts.find(tenant.id); found != shard.accounts.end())
    found->second->bucket.change(*rate, clock_.steady_ns());
}

tl::expected<SocketPermit, observe::Problem> Limiter::admit_socket(const tenancy::Tenant& tenant) {
  SocketPermit permit(account(tenant.id, clock_.steady_ns()), all_sockets_);
  const std::int64_t own = permit.account_->sockets.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::int64_t all = permit.all_->fetch_add(1, std::memory_order_relaxed) + 1;
  const std::int64_t most = tenant.limits.sockets.value_or(std::max<std::int64_t>(1, sockets_ / 4));
  if (own > most && !is_down(Wall::endless_sockets)) {
    return tl::unexpected(observe::Problem{
        .code = observe::Code::too_many_sockets,
        .detail = "the tenant may keep " + std::to_string(most) + " sockets open; close one",
        .retry_after_s = 1});
  }
  if (all > sockets_) {
    return tl::unexpected(
        observe::Problem{.code = observe::Code::overloaded, .detail = "too many sockets are open"});
  }
  return permit;
}

std::size_t Limiter::accounts() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    count += shard.accounts.size();
  }
  return count;
}

}  // namespace caisson::policy
