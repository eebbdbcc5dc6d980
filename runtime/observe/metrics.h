#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/observe/problem.h"

namespace caisson::observe {

/// What is read from a tenant at the moment of a scrape.
struct TenantReading {
  std::string tenant;
  std::int64_t mailbox_depth = 0;
  std::int64_t store_bytes = 0;
};

/// WebSockets, as of the moment of a scrape.
struct SocketReadings {
  std::map<std::string, std::int64_t> open{};       ///< by tenant
  std::uint64_t messages = 0;                       ///< sent
  std::map<std::uint16_t, std::uint64_t> closes{};  ///< by close code
};

/// What others count, as of the moment of a scrape.
struct Readings {
  std::size_t connections = 0;
  std::size_t open_tenants = 0;
  std::uint64_t tenant_opens = 0;
  std::uint64_t tenant_evictions = 0;
  std::uint64_t commits = 0;
  std::uint64_t committed_operations = 0;
  std::array<std::uint64_t, 10> commit_sizes{};  ///< commits of up to 1, 2, 4, ... 512 operations
  std::vector<TenantReading> tenants;
  SocketReadings sockets;
};

/// The metrics of docs/runtime.md. Counting goes to one of 16 shards picked by the calling thread,
/// so threads do not contend; a scrape merges the shards and is exact for everything counted before
/// it. At most `tenant_limit` tenants are labelled by name, the rest as `other`; a request without
/// a tenant has an empty label. Memory is bounded by that limit. Safe to use from every thread.
class Metrics {
 public:
  Metrics(std::string_view instance, std::string_view version, std::size_t tenant_limit = 1000);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  /// One answered request: `status` of the answer, `took_ns` from its first byte to its answer.
  void request(std::string_view tenant, int status, std::int64_t took_ns);

  /// One refusal, by its reason.
  void refusal(Code code) noexcept;

  /// One audit record.
  void audited() noexcept;

  /// Drops every series of a deleted tenant and gives its name's place to another.
  void forget(std::string_view tenant);

  /// Everything in the Prometheus text format 0.0.4.
  [[nodiscard]] std::string scrape(const Readings& readings = {}) const;

 private:
  struct Shard;
  struct Names;

  [[nodiscard]] Shard& shard() const noexcept;

  std::string instance_;
  std::string version_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Shard[]> shards_;
};

inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace caisson::observe
