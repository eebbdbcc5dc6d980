#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace caisson::observe {

/// What bytes of memory are taken for.
enum class Use : std::uint8_t { request, answer };
inline constexpr std::size_t uses = 2;

/// The bytes that the process may keep for others: requests that are not answered and answers that
/// are not sent. Lock-free; safe to use from every thread.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t used(Use use) const {
    return by_use_[static_cast<std::size_t>(use)].load(std::memory_order_relaxed);
  }
  /// How often a share was refused more.
  [[nodiscard]] std::uint64_t refused(Use use) const {
    return refused_[static_cast<std::size_t>(use)].load(std::memory_order_relaxed);
  }

 private:
  friend class Share;

  const std::size_t limit_;
  std::atomic<std::size_t> used_ = 0;
  std::array<std::atomic<std::size_t>, uses> by_use_{};
  std::array<std::atomic<std::uint64_t>, uses> refused_{};
};

/// What one tenant or one peer takes of a budget: no more than half of what it leaves free. So one
/// taker alone gets a third, eight greedy ones a tenth each, and a fifth is still free for the
/// next. A share of which nothing is taken may take all that is free: one answer that fits, may be.
class Share {
 public:
  enum class Bound : std::uint8_t { one, many };

  /// `Bound::many`: twice what it leaves free (a trusted proxy brings everybody's bytes).
  explicit Share(std::shared_ptr<Budget> budget, Bound bound = Bound::one)
      : budget_(std::move(budget)), bound_(bound) {}
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  /// Takes `bytes` more, or nothing.
  [[nodiscard]] bool take(std::size_t bytes, Use use) noexcept;
  /// Bytes that are there already, whatever the bounds.
  void add(std::size_t bytes, Use use) noexcept;
  void give_back(std::size_t bytes, Use use) noexcept;

  /// Whether not even one byte more could be taken.
  [[nodiscard]] bool full() const noexcept;
  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool fits(std::size_t own, std::size_t all, std::size_t taken) const noexcept;

  const std::shared_ptr<Budget> budget_;
  const Bound bound_;
  std::atomic<std::size_t> used_ = 0;
};

/// Bytes taken of a share; given back when it is destroyed.
class Charge {
 public:
  Charge() = default;
  explicit Charge(std::shared_ptr<Share> share, Use use = Use::request)
      : share_(std::move(share)), use_(use) {}
  Charge(Charge&& other) noexcept
      : share_(std::move(other.share_)), bytes_(std::exchange(other.bytes_, 0)), use_(other.use_) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(share_, other.share_);
    std::swap(bytes_, other.bytes_);
    std::swap(use_, other.use_);
    return *this;
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() { set(0); }

  /// Makes it `bytes`. False, and nothing has changed, when the share cannot grow so far. Without a
  /// share everything fits.
  [[nodiscard]] bool resize(std::size_t bytes) noexcept;
  /// Makes it `bytes`, whatever the bounds.
  void set(std::size_t bytes) noexcept;

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] const std::shared_ptr<Share>& share() const { return share_; }

 private:
  std::shared_ptr<Share> share_;
  std::size_t bytes_ = 0;
  Use use_ = Use::request;
};

}  // namespace caisson::observe
