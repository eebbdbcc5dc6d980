#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace caisson::observe {

/// Counts of values at or below each of `N` bounds, and above the last, and the sum of all values.
template <std::size_t N>
struct Histogram {
  std::array<std::uint64_t, N + 1> counts{};
  double sum = 0;

  void observe(const std::array<double, N>& bounds, double value) noexcept {
    ++counts[place(bounds, value)];
    sum += value;
  }
  void merge(const Histogram& from) noexcept {
    for (std::size_t i = 0; i <= N; ++i) counts[i] += from.counts[i];
    sum += from.sum;
  }

  [[nodiscard]] static std::size_t place(const std::array<double, N>& bounds,
                                         double value) noexcept {
    std::size_t at = 0;
    while (at < N && value > bounds[at]) ++at;
    return at;
  }
};

/// Durations of work, in seconds: from half a millisecond to ten seconds.
inline constexpr std::array<double, 13> work_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                    0.1,    0.25,  0.5,    1,     2.5,  10};
/// Lives of connections, in seconds: from a request to a day.
inline constexpr std::array<double, 9> life_bounds{0.1, 1, 10, 60, 300, 900, 3600, 14400, 86400};

/// Durations that many threads count at once.
template <std::size_t N>
class SharedHistogram {
 public:
  explicit constexpr SharedHistogram(const std::array<double, N>& bounds) : bounds_(bounds) {}

  void observe_ns(std::int64_t took_ns) noexcept {
    const double seconds = static_cast<double>(took_ns) / 1e9;
    counts_[Histogram<N>::place(bounds_, seconds)].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<std::uint64_t>(took_ns), std::memory_order_relaxed);
  }

  [[nodiscard]] Histogram<N> read() const noexcept {
    Histogram<N> now;
    for (std::size_t i = 0; i <= N; ++i) now.counts[i] = counts_[i].load(std::memory_order_relaxed);
    now.sum = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
    return now;
  }

 private:
  const std::array<double, N>& bounds_;
  std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_ = 0;
};

}  // namespace caisson::observe
