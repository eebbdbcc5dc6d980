#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "base/time.h"
#include "runtime/observe/budget.h"
#include "runtime/observe/problem.h"
#include "runtime/policy/token_bucket.h"
#include "runtime/tenancy/tenant.h"

namespace caisson::policy {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// What the limiter remembers of one tenant.
struct Account {
  explicit Account(std::shared_ptr<observe::Share> bytes) : share(std::move(bytes)) {}

  TokenBucket bucket;
  const std::shared_ptr<observe::Share> share;  ///< bytes of its requests and answers
  std::atomic<std::int64_t> running{0};  ///< admitted requests whose answers are not sent yet
  std::atomic<std::int64_t> sockets{0};  ///< open WebSockets
};

/// Leave to run one request. The tenant's place is free again when it is destroyed, wherever that
/// is.
class Permit {
 public:
  Permit(Permit&& other) noexcept = default;
  Permit& operator=(Permit&& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(rate_, other.rate_);
    std::swap(level_, other.level_);
    return *this;
  }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() {
    if (account_) account_->running.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Appends `RateLimit` and `RateLimit-Policy`, when the tenant has a rate limit.
  void append_fields(Fields& fields) const;

  /// Pays for the bytes of the request and of its answer.
  [[nodiscard]] const std::shared_ptr<observe::Share>& share() const { return account_->share; }

 private:
  friend class Limiter;
  explicit Permit(std::shared_ptr<Account> account) noexcept : account_(std::move(account)) {}

  std::shared_ptr<Account> account_;
  std::optional<Rate> rate_;
  Level level_;
};

/// Leave to keep one WebSocket open. Its places, the tenant's and the server's, are free again when
/// it is destroyed.
class SocketPermit {
 public:
  SocketPermit(SocketPermit&& other) noexcept = default;
  SocketPermit& operator=(SocketPermit&&) = delete;
  SocketPermit(const SocketPermit&) = delete;
  SocketPermit& operator=(const SocketPermit&) = delete;
  ~SocketPermit() {
    if (account_) account_->sockets.fetch_sub(1, std::memory_order_relaxed);
    if (all_) all_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  friend class Limiter;
  SocketPermit(std::shared_ptr<Account> account,
               std::shared_ptr<std::atomic<std::int64_t>> all) noexcept
      : account_(std::move(account)), all_(std::move(all)) {}

  std::shared_ptr<Account> account_;
  std::shared_ptr<std::atomic<std::int64_t>> all_;
};

/// Why a request has to wait: the problem, and the rate fields of the answer.
struct Excess {
  observe::Problem problem;
  Fields fields;
};

/// Limits of rate, concurrency and memory, tenant by tenant. Safe to use from every thread. It
/// remembers a tenant while that has requests running, bytes taken or a bucket that is not full,
/// and of the idle ones at most `idle`.
class Limiter {
 public:
  explicit Limiter(const Clock& clock, std::size_t idle = 65'536, std::int64_t sockets = 4096,
                   std::shared_ptr<observe::Budget> budget =
                       std::make_shared<observe::Budget>(std::size_t{256} << 20));

  [[nodiscard]] tl::expected<Permit, Excess> admit(const tenancy::Tenant& tenant);

  /// Makes changed limits of a tenant hold from now on: tokens come back at the new rate from here.
  void changed(const tenancy::Tenant& tenant);

  /// At most `sockets` of all tenants; a tenant without a limit of its own gets a quarter of them.
  [[nodiscard]] tl::expected<SocketPermit, observe::Problem> admit_socket(
      const tenancy::Tenant& tenant);

  /// How many of all tenants may be open.
  [[nodiscard]] std::size_t socket_limit() const { return static_cast<std::size_t>(sockets_); }

  /// Tenants that are remembered.
  [[nodiscard]] std::size_t accounts() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<Account>, Hash, std::equal_to<>> accounts;
    std::size_t sweep_at = 0;  ///< number of accounts at which idle ones are dropped
  };

  [[nodiscard]] Shard& shard_of(std::string_view tenant_id);
  [[nodiscard]] std::shared_ptr<Account> account(std::string_view tenant_id, std::int64_t now_ns);

  const Clock& clock_;
  const std::size_t idle_a_shard_;
  const std::int64_t sockets_;
  const std::shared_ptr<observe::Budget> budget_;
  const std::shared_ptr<std::atomic<std::int64_t>> all_sockets_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
  static constexpr std::size_t shard_count = 16;
  std::array<Shard, shard_count> shards_;
};

}  // namespace caisson::policy
