#include "runtime/observe/metrics.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "runtime/observe/exposition.h"

namespace caisson::observe {
namespace {

constexpr std::size_t shard_count = 16;
constexpr std::string_view other = "other";
constexpr std::size_t codes = static_cast<std::size_t>(Code::storage_full) + 1;

constexpr std::array<double, 10> size_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

/// What is counted of one tenant. A server answers with few different statuses, so a search is a
/// scan.
struct Series {
  std::vector<std::pair<int, std::uint64_t>> by_status;
  Histogram<work_bounds.size()> seconds;

  void count(int status, std::uint64_t amount) {
    for (auto& [known, total] : by_status) {
      if (known == status) {
        total += amount;
        return;
      }
    }
    by_status.emplace_back(status, amount);
  }
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace

struct alignas(64) Metrics::Shard {
  std::mutex mutex;
  std::unordered_map<std::string, Series, Hash, std::equal_to<>> tenants;
  std::array<std::uint64_t, codes> refusals{};
  std::uint64_t audit_records = 0;
  std::uint64_t audit_counted = 0;
};

/// Which tenants have a label of their own.
struct Metrics::Names {
  std::size_t limit;
  std::shared_mutex mutex;
  std::set<std::string, std::less<>> known;

  [[nodiscard]] bool has(std::string_view tenant) {
    const std::shared_lock lock(mutex);
    return known.contains(tenant);
  }

  /// The label of `tenant`, which gets one of its own while there is place.
  [[nodiscard]] std::string_view label(std::string_view tenant) {
    if (tenant.empty() || has(tenant)) return tenant;
    const std::unique_lock lock(mutex);
    if (known.contains(tenant)) return tenant;
    if (known.size() >= limit) return other;
    known.emplace(tenant);
    return tenant;
  }
};

Metrics::Metrics(std::string_view instance, std::string_view version, std::size_t tenant_limit)
    : instance_(instance),
      version_(version),
      names_(new Names{.limit = tenant_limit, .mutex = {}, .known = {}}),
      shards_(std::make_unique<Shard[]>(shard_count)) {}

Metrics::~Metrics() = default;

Metrics::Shard& Metrics::shard() const noexcept {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine =
      threads.fetch_add(1, std::memory_order_relaxed) % shard_count;
  return shards_[mine];
}

void Metrics::request(std::string_view tenant, int status, std::int64_t took_ns) {
  Shard& mine = shard();
  const std::lock_guard lock(mine.mutex);
  auto found = mine.tenants.find(tenant);
  if (found == mine.tenants.end()) {
    found = mine.tenants.try_emplace(std::string(names_->label(tenant))).first;
  }
  found->second.count(status, 1);
  found->second.seconds.observe(work_bounds, static_cast<double>(took_ns) / 1e9);
}

void Metrics::refusal(Code code) noexcept {
  Shard& mine = shard();
  const std::lock_guard lock(mine.mutex);
  ++mine.refusals[static_cast<std::size_t>(code)];
}

void Metrics::audited() noexcept {
  Shard& mine = shard();
  const std::lock_guard lock(mine.mutex);
  ++mine.audit_records;
}

void Metrics::audit_counted() noexcept {
  Shard& mine = shard();
  const std::lock_guard lock(mine.mutex);
  ++mine.audit_counted;
}

void Metrics::forget(std::string_view tenant) {
  {
    const std::unique_lock lock(names_->mutex);
    if (const auto found = names_->known.find(tenant); found != names_->known.end())
      names_->known.erase(found);
  }
  for (std::size_t i = 0; i < shard_count; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    if (const auto found = shards_[i].tenants.find(tenant); found != shards_[i].tenants.end()) {
      shards_[i].tenants.erase(found);
    }
  }
}

std::string Metrics::scrape(const Readings& readings) const {
  std::map<std::string, Series> tenants;
  std::array<std::uint64_t, codes> refusals{};
  std::uint64_t audit_records = 0;
  std::uint64_t audit_counted = 0;
  for (std::size_t i = 0; i < shard_count; ++i) {
    Shard& from = shards_[i];
    const std::lock_guard lock(from.mutex);
    for (const auto& [name, series] : from.tenants) {
      Series& merged = tenants[name];
      for (const auto& [status, total] : series.by_status) merged.count(status, total);
      merged.seconds.merge(series.seconds);
    }
    for (std::size_t j = 0; j < codes; ++j) refusals[j] += from.refusals[j];
    audit_records += from.audit_records;
    audit_counted += from.audit_counted;
  }

  Exposition out(instance_);
  out.family("caisson_build_info", "gauge", "Version of the runtime; always 1.");
  out.sample("caisson_build_info", {{"version", version_}}, 1);
  out.family("caisson_requests_total", "counter", "Answered requests by tenant and status.");
  for (const auto& [name, series] : tenants) {
    for (const auto& [status, total] : std::map(series.by_status.begin(), series.by_status.end())) {
      out.sample("caisson_requests_total", {{"tenant", name}, {"code", std::to_string(status)}},
                 total);
    }
  }
  out.family("caisson_request_seconds", "histogram", "Time from first byte to answer.");
  for (const auto& [name, series] : tenants) {
    out.histogram("caisson_request_seconds", {{"tenant", name}}, work_bounds, series.seconds);
  }
  // Every reason from the start: a rate of what has not happened yet is 0, not unknown.
  out.family("caisson_refusals_total", "counter", "Refused requests by reason.");
  for (std::size_t j = 0; j < codes; ++j) {
    out.sample("caisson_refusals_total", {{"reason", info(static_cast<Code>(j)).name}},
               refusals[j]);
  }
  out.counter("caisson_audit_records_total", "Audit records appended.", audit_records);
  out.counter("caisson_audit_counted_total",
              "Refusals that the audit log counts with others of their kind.", audit_counted);
  write_server(out, readings);
  write_stores(out, readings);
  write_tenants(out, readings);
  write_sockets(out, readings.sockets);
  write_buffers(out, readings.buffers);
  write_process(out, readings.process);
  return out.take();
}

void Metrics::write_server(Exposition& out, const Readings& readings) {
  const ConnectionReadings& connections = readings.connections;
  out.gauge("caisson_connections", "Open connections.", connections.open);
  out.gauge("caisson_connections_limit", "Connections that may be open.", connections.limit);
  out.gauge("caisson_connections_lasting", "Connections open for more than a minute.",
            connections.lasting);
  out.counter("caisson_connections_accepted_total", "Connections accepted.", connections.accepted);
  out.counter("caisson_connections_turned_away_total", "Connections beyond the limit.",
              connections.turned_away);
  out.counter("caisson_connections_cut_total",
              "Connections cut because their unread answers had no place.", connections.cut);
  out.family("caisson_connection_seconds", "histogram", "Lives of connections that have ended.");
  out.histogram("caisson_connection_seconds", {}, life_bounds, connections.lives);
}

void Metrics::write_stores(Exposition& out, const Readings& readings) {
  out.gauge("caisson_open_tenants", "Tenants with an open store.", readings.open_tenants);
  out.gauge("caisson_open_tenants_limit", "Stores that may be open at once.",
            readings.open_tenants_limit);
  out.counter("caisson_tenant_opens_total", "Stores opened.", readings.tenant_opens);
  out.counter("caisson_tenant_evictions_total", "Stores closed to make place.",
              readings.tenant_evictions);
  out.counter("caisson_commits_total", "Durable commits.", readings.commits);
  out.counter("caisson_commit_failures_total", "Commits that failed.", readings.commit_failures);
  out.family("caisson_commit_seconds", "histogram", "Time that durable commits took.");
  out.histogram("caisson_commit_seconds", {}, work_bounds, readings.commit_seconds);
  Histogram<size_bounds.size()> sizes;
  std::ranges::copy(readings.commit_sizes, sizes.counts.begin());
  sizes.sum = static_cast<double>(readings.committed_operations);
  out.family("caisson_commit_batch", "histogram", "Operations a durable commit.");
  out.histogram("caisson_commit_batch", {}, size_bounds, sizes);
  out.gauge("caisson_mailbox_limit", "Requests that may wait for one tenant.",
            readings.mailbox_limit);
  out.family("caisson_mailbox_wait_seconds", "histogram", "Time that requests waited.");
  out.histogram("caisson_mailbox_wait_seconds", {}, work_bounds, readings.mailbox_wait);
  out.gauge("caisson_disk_bytes", "Size of the file system of the data directory.",
            readings.disk_bytes);
  out.gauge("caisson_disk_free_bytes", "Bytes of it that the runtime may still use.",
            readings.disk_free_bytes);
  out.gauge("caisson_audit_healthy", "1 while the audit log can be written.",
            readings.audit_healthy ? 1 : 0);
  out.gauge("caisson_tenants_current", "1 while the tenants are as the tenants file says.",
            readings.tenants_current ? 1 : 0);
}

void Metrics::write_tenants(Exposition& out, const Readings& readings) const {
  std::map<std::string, TenantReading> merged;
  for (const TenantReading& reading : readings.tenants) {
    TenantReading& into = merged[std::string(names_->label(reading.tenant))];
    into.mailbox_depth += reading.mailbox_depth;
    into.mailbox_oldest_seconds =
        std::max(into.mailbox_oldest_seconds, reading.mailbox_oldest_seconds);
    into.store_bytes += reading.store_bytes;
    into.store_limit_bytes += reading.store_limit_bytes;
    into.broken += reading.broken;
  }
  const auto each = [&](std::string_view name, std::string_view help, auto member) {
    out.family(name, "gauge", help);
    for (const auto& [tenant, reading] : merged) {
      out.sample(name, {{"tenant", tenant}}, reading.*member);
    }
  };
  each("caisson_mailbox_depth", "Requests waiting in a tenant's mailbox.",
       &TenantReading::mailbox_depth);
  each("caisson_mailbox_oldest_seconds", "For how long the first of them has been waiting.",
       &TenantReading::mailbox_oldest_seconds);
  each("caisson_store_bytes", "Bytes that a tenant's store holds.", &TenantReading::store_bytes);
  each("caisson_store_broken", "Stores that could not be opened or are damaged.",
       &TenantReading::broken);
  out.family("caisson_store_limit_bytes", "gauge", "Bytes that a tenant's store may have.");
  for (const auto& [tenant, reading] : merged) {
    // Together, tenants with and without a quota have none.
    if (reading.store_limit_bytes == 0 || tenant == other) continue;
    out.sample("caisson_store_limit_bytes", {{"tenant", tenant}}, reading.store_limit_bytes);
  }

  std::map<std::string_view, double> protected_until;
  for (const BackupReading& reading : readings.backups) {
    // Tenants that nobody uses take no place among the labels.
    const auto label = names_->has(reading.tenant) ? std::string_view(reading.tenant) : other;
    const auto [found, fresh] = protected_until.emplace(label, reading.seconds);
    if (!fresh) found->second = std::min(found->second, reading.seconds);
  }
  out.family("caisson_backup_timestamp_seconds", "gauge",
             "Unix time of a tenant's newest snapshot, or of its creation when it has none.");
  for (const auto& [tenant, seconds] : protected_until) {
    out.sample("caisson_backup_timestamp_seconds", {{"tenant", tenant}}, seconds);
  }
}

void Metrics::write_sockets(Exposition& out, const SocketReadings& sockets) const {
  std::map<std::string, std::int64_t> open;
  for (const auto& [tenant, count] : sockets.open)
    open[std::string(names_->label(tenant))] += count;
  out.family("caisson_sockets", "gauge", "Open WebSockets of a tenant.");
  for (const auto& [name, count] : open) out.sample("caisson_sockets", {{"tenant", name}}, count);
  out.gauge("caisson_sockets_limit", "WebSockets that may be open.", sockets.limit);
  out.counter("caisson_sockets_opened_total", "WebSockets opened.", sockets.opened);
  out.counter("caisson_socket_messages_total", "Messages sent to WebSockets.", sockets.messages);
  out.counter("caisson_socket_gaps_total", "Watches told that changes may be missing.",
              sockets.gaps);
  out.family("caisson_socket_closes_total", "counter", "Closed WebSockets by close code.");
  for (const auto& [code, count] : sockets.closes) {
    out.sample("caisson_socket_closes_total",
               {{"code", code == 0 ? "other" : std::to_string(code)}}, count);
  }
}

BufferReadings read(const Budget& budget) {
  BufferReadings readings{.limit = budget.limit()};
  for (std::size_t i = 0; i < uses; ++i) {
    readings.bytes[i] = budget.used(static_cast<Use>(i));
    readings.refused[i] = budget.refused(static_cast<Use>(i));
  }
  return readings;
}

void Metrics::write_buffers(Exposition& out, const BufferReadings& buffers) {
  constexpr std::array<std::string_view, uses> names{"requests", "answers"};
  out.family("caisson_buffered_bytes", "gauge", "Bytes that wait to be answered or sent.");
  for (std::size_t i = 0; i < uses; ++i) {
    out.sample("caisson_buffered_bytes", {{"of", names[i]}}, buffers.bytes[i]);
  }
  out.gauge("caisson_buffered_limit_bytes", "Bytes that may wait.", buffers.limit);
  out.family("caisson_buffered_refusals_total", "counter",
             "Times that no more bytes were granted.");
  for (std::size_t i = 0; i < uses; ++i) {
    out.sample("caisson_buffered_refusals_total", {{"of", names[i]}}, buffers.refused[i]);
  }
}

void Metrics::write_process(Exposition& out, const ProcessReadings& process) {
  out.counter("process_cpu_seconds_total", "Processor time used.", process.cpu_seconds);
  out.gauge("process_start_time_seconds", "Unix time of the start.", process.start_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
  out.gauge("caisson_memory_limit_bytes", "Memory that the process may use.",
            process.memory_limit_bytes);
  out.gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  out.gauge("process_max_fds", "File descriptors that may be open.", process.max_fds);
}

}  // namespace caisson::observe
