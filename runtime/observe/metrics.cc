#include "runtime/observe/metrics.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace caisson::observe {
namespace {

constexpr std::size_t shard_count = 16;
constexpr std::string_view other = "other";
constexpr std::size_t codes = static_cast<std::size_t>(Code::storage_full) + 1;

/// Counts of values at or below each bound, and of all.
template <std::size_t N>
struct Histogram {
  std::array<std::uint64_t, N + 1> counts{};
  double sum = 0;

  void observe(const std::array<double, N>& bounds, double value) noexcept {
    std::size_t at = 0;
    while (at < N && value > bounds[at]) ++at;
    ++counts[at];
    sum += value;
  }
  void merge(const Histogram& from) noexcept {
    for (std::size_t i = 0; i <= N; ++i) counts[i] += from.counts[i];
    sum += from.sum;
  }
};

constexpr std::array<double, 13> second_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                               0.1,    0.25,  0.5,    1,     2.5,  10};
constexpr std::array<double, 10> size_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

/// What is counted of one tenant. A server answers with few different statuses, so a search is a
/// scan.
struct Series {
  std::vector<std::pair<int, std::uint64_t>> by_status;
  Histogram<second_bounds.size()> seconds;

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

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

template <class Number>
std::string decimal(Number value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

/// Writes the text format. Label values are escaped as it asks: backslash, quote and line feed.
class Exposition {
 public:
  explicit Exposition(std::string_view instance) { append_label(instance_, "instance", instance); }

  void family(std::string_view name, std::string_view type, std::string_view help) {
    ((((out_ += "# HELP ") += name) += ' ') += help) += '\n';
    ((((out_ += "# TYPE ") += name) += ' ') += type) += '\n';
  }

  template <class Number>
  void sample(std::string_view name, const Labels& labels, Number value) {
    ((out_ += name) += '{') += instance_;
    for (const auto& [key, text] : labels) {
      out_ += ',';
      append_label(out_, key, text);
    }
    ((out_ += "} ") += decimal(value)) += '\n';
  }

  /// A family of one sample.
  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help,
              const Labels& labels, Number value) {
    family(name, type, help);
    sample(name, labels, value);
  }

  template <std::size_t N>
  void histogram(const std::string& name, const Labels& labels, const std::array<double, N>& bounds,
                 const Histogram<N>& from) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= N; ++i) {
      const std::string bound = i < N ? decimal(bounds[i]) : "+Inf";
      Labels with = labels;
      with.emplace_back("le", bound);
      sample(name + "_bucket", with, total += from.counts[i]);
    }
    sample(name + "_sum", labels, from.sum);
    sample(name + "_count", labels, total);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static void append_label(std::string& out, std::string_view key, std::string_view value) {
    (out += key) += "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '"';
  }

  std::string instance_;
  std::string out_;
};

}  // namespace

struct alignas(64) Metrics::Shard {
  std::mutex mutex;
  std::unordered_map<std::string, Series, Hash, std::equal_to<>> tenants;
  std::array<std::uint64_t, codes> refusals{};
  std::uint64_t audit_records = 0;
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
  found->second.seconds.observe(second_bounds, static_cast<double>(took_ns) / 1e9);
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
  }

  Exposition out(instance_);
  out.single("caisson_build_info", "gauge", "Version of the runtime; always 1.",
             {{"version", version_}}, 1);
  out.family("caisson_requests_total", "counter", "Answered requests by tenant and status.");
  for (const auto& [name, series] : tenants) {
    for (const auto& [status, total] : std::map(series.by_status.begin(), series.by_status.end())) {
      out.sample("caisson_requests_total", {{"tenant", name}, {"code", std::to_string(status)}},
                 total);
    }
  }
  out.family("caisson_request_seconds", "histogram", "Time from first byte to answer.");
  for (const auto& [name, series] : tenants) {
    out.histogram("caisson_request_seconds", {{"tenant", name}}, second_bounds, series.seconds);
  }
  out.family("caisson_refusals_total", "counter", "Refused requests by reason.");
  for (std::size_t j = 0; j < codes; ++j) {
    if (refusals[j] == 0) continue;
    out.sample("caisson_refusals_total", {{"reason", info(static_cast<Code>(j)).name}},
               refusals[j]);
  }
  out.single("caisson_audit_records_total", "counter", "Audit records appended.", {},
             audit_records);
  out.single("caisson_connections", "gauge", "Open connections.", {}, readings.connections);
  out.single("caisson_open_tenants", "gauge", "Tenants with an open store.", {},
             readings.open_tenants);
  out.single("caisson_tenant_opens_total", "counter", "Stores opened.", {}, readings.tenant_opens);
  out.single("caisson_tenant_evictions_total", "counter", "Stores closed to make place.", {},
             readings.tenant_evictions);
  out.single("caisson_commits_total", "counter", "Durable commits.", {}, readings.commits);
  Histogram<size_bounds.size()> sizes;
  std::ranges::copy(readings.commit_sizes, sizes.counts.begin());
  sizes.sum = static_cast<double>(readings.committed_operations);
  out.family("caisson_commit_batch", "histogram", "Operations a durable commit.");
  out.histogram("caisson_commit_batch", {}, size_bounds, sizes);

  std::map<std::string, TenantReading> gauges;
  for (const TenantReading& reading : readings.tenants) {
    TenantReading& merged = gauges[std::string(names_->label(reading.tenant))];
    merged.mailbox_depth += reading.mailbox_depth;
    merged.store_bytes += reading.store_bytes;
  }
  out.family("caisson_mailbox_depth", "gauge", "Requests waiting in a tenant's mailbox.");
  for (const auto& [name, reading] : gauges) {
    out.sample("caisson_mailbox_depth", {{"tenant", name}}, reading.mailbox_depth);
  }
  out.family("caisson_store_bytes", "gauge", "Bytes of a tenant's store on disk.");
  for (const auto& [name, reading] : gauges) {
    out.sample("caisson_store_bytes", {{"tenant", name}}, reading.store_bytes);
  }

  std::map<std::string, std::int64_t> sockets;
  for (const auto& [tenant, open] : readings.sockets.open) {
    sockets[std::string(names_->label(tenant))] += open;
  }
  out.family("caisson_sockets", "gauge", "Open WebSockets of a tenant.");
  for (const auto& [name, open] : sockets) out.sample("caisson_sockets", {{"tenant", name}}, open);
  out.single("caisson_socket_messages_total", "counter", "Messages sent to WebSockets.", {},
             readings.sockets.messages);
  out.family("caisson_socket_closes_total", "counter", "Closed WebSockets by close code.");
  for (const auto& [code, count] : readings.sockets.closes) {
    out.sample("caisson_socket_closes_total",
               {{"code", code == 0 ? "other" : std::to_string(code)}}, count);
  }
  return out.take();
}

}  // namespace caisson::observe
