#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/observe/budget.h"
#include "runtime/observe/histogram.h"
#include "runtime/observe/problem.h"
#include "runtime/observe/process_meter.h"

namespace caisson::observe {

/// What is read from a tenant at the moment of a scrape.
struct TenantReading {
  std::string tenant;
  std::int64_t mailbox_depth = 0;
  double mailbox_oldest_seconds = 0;
  std::int64_t store_bytes = 0;
  std::int64_t store_limit_bytes = 0;  ///< 0: none
  std::int64_t broken = 0;             ///< 1 when the store cannot be used
};

/// Until when a tenant's data is safe elsewhere.
struct BackupReading {
  std::string tenant;
  double seconds = 0;  ///< Unix time of the newest snapshot, else of the tenant's creation
};

/// Connections of the data listener.
struct ConnectionReadings {
  std::size_t open = 0;
  std::size_t limit = 0;
  std::size_t lasting = 0;  ///< open for more than a minute
  std::uint64_t accepted = 0;
  std::uint64_t turned_away = 0;
  std::uint64_t cut = 0;                  ///< what their peers did not read had no place
  Histogram<life_bounds.size()> lives{};  ///< of those that have ended
};

/// WebSockets, as of the moment of a scrape.
struct SocketReadings {
  std::map<std::string, std::int64_t> open{};  ///< by tenant
  std::size_t limit = 0;                       ///< of all together
  std::uint64_t opened = 0;
  std::uint64_t messages = 0;                       ///< sent
  std::uint64_t gaps = 0;                           ///< told that changes may be missing
  std::map<std::uint16_t, std::uint64_t> closes{};  ///< by close code
};

/// Bytes of requests that are not answered and answers that are not sent.
struct BufferReadings {
  std::array<std::size_t, uses> bytes{};      ///< by Use
  std::size_t limit = 0;                      ///< of all together
  std::array<std::uint64_t, uses> refused{};  ///< by Use
};

[[nodiscard]] BufferReadings read(const Budget& budget);

/// What others count, as of the moment of a scrape.
struct Readings {
  ConnectionReadings connections{};
  std::size_t open_tenants = 0;
  std::size_t open_tenants_limit = 0;
  std::uint64_t tenant_opens = 0;
  std::uint64_t tenant_evictions = 0;
  std::uint64_t commits = 0;
  std::uint64_t commit_failures = 0;
  std::uint64_t committed_operations = 0;
  std::array<std::uint64_t, 10> commit_sizes{};  ///< commits of up to 1, 2, 4, ... 512 operations
  Histogram<work_bounds.size()> commit_seconds{};
  std::size_t mailbox_limit = 0;
  Histogram<work_bounds.size()> mailbox_wait{};
  std::uint64_t disk_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
  bool audit_healthy = true;
  bool tenants_current = true;
  std::vector<TenantReading> tenants{};
  std::vector<BackupReading> backups{};
  SocketReadings sockets{};
  BufferReadings buffers{};
  ProcessReadings process{};
};

class Exposition;

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

  /// One refusal that the audit log counts with others of its kind.
  void audit_counted() noexcept;

  /// Drops every series of a deleted tenant and gives its name's place to another.
  void forget(std::string_view tenant);

  /// Everything in the Prometheus text format 0.0.4.
  [[nodiscard]] std::string scrape(const Readings& readings = {}) const;

 private:
  struct Shard;
  struct Names;

  [[nodiscard]] Shard& shard() const noexcept;
  static void write_server(Exposition& out, const Readings& readings);
  static void write_stores(Exposition& out, const Readings& readings);
  void write_tenants(Exposition& out, const Readings& readings) const;
  void write_sockets(Exposition& out, const SocketReadings& sockets) const;
  static void write_buffers(Exposition& out, const BufferReadings& buffers);
  static void write_process(Exposition& out, const ProcessReadings& process);

  std::string instance_;
  std::string version_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Shard[]> shards_;
};

inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace caisson::observe
