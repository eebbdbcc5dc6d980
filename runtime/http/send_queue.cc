#include "runtime/http/send_queue.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace caisson::http {
namespace {

constexpr std::size_t most_copied = std::size_t{16} * 1024;  // larger bodies are pieces themselves
constexpr std::size_t most_idle = std::size_t{2} * 1024;     // capacity of an empty queue
constexpr std::size_t most_gone = 16;                        // pieces, before their places go

}  // namespace

std::string& SendQueue::tail() {
  if (pieces_.empty() || pieces_.back().size() > most_copied) {
    if (!pieces_.empty()) inner_ += pieces_.back().size();
    pieces_.emplace_back();
  }
  return pieces_.back();
}

void SendQueue::append(std::string bytes) {
  if (bytes.size() <= most_copied) {
    tail().append(bytes);
    return;
  }
  if (!pieces_.empty()) inner_ += pieces_.back().size();
  pieces_.push_back(std::move(bytes));
}

void SendQueue::end_answer(Kept kept) {
  const std::uint64_t begin = std::exchange(answered_, end());
  marks_.push_back({.begin = begin, .end = answered_, .kept = std::move(kept)});
}

std::size_t SendQueue::size() const {
  return pieces_.empty() ? 0 : inner_ + pieces_.back().size() - offset_;
}

std::size_t SendQueue::gather(std::span<iovec> parts, std::size_t most) const {
  std::size_t count = 0;
  std::size_t offset = offset_;
  for (std::size_t i = first_; i < pieces_.size() && count < parts.size() && most > 0; ++i) {
    const std::string& piece = pieces_[i];
    if (const std::size_t size = std::min(piece.size() - offset, most); size > 0) {
      parts[count++] = {.iov_base = const_cast<char*>(piece.data()) + offset, .iov_len = size};
      most -= size;
    }
    offset = 0;
  }
  return count;
}

std::string_view SendQueue::front() const {
  iovec part{};
  if (gather({&part, 1}, size()) == 0) return {};
  return {static_cast<const char*>(part.iov_base), part.iov_len};
}

void SendQueue::let_go(std::size_t bytes) {
  for (Mark& mark : marks_) {
    if (mark.end > gone_ + bytes) return;
    mark.kept.lease.reset();
  }
}

void SendQueue::consume(std::size_t bytes, SendQueue* onto) {
  gone_ += bytes;
  offset_ += bytes;
  while (first_ + 1 < pieces_.size() && offset_ >= pieces_[first_].size()) {
    offset_ -= pieces_[first_].size();
    inner_ -= pieces_[first_].size();
    std::string().swap(pieces_[first_++]);
  }
  if (first_ >= most_gone) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (!pieces_.empty() && first_ + 1 == pieces_.size() && offset_ == pieces_.back().size()) {
    // Everything is gone; the next answers are written where the last one was.
    std::string last = std::move(pieces_.back());
    pieces_.resize(1);
    first_ = offset_ = 0;
    pieces_.front() = last.capacity() <= most_idle ? std::move(last) : std::string();
    pieces_.front().clear();
  }
  const auto open =
      std::ranges::find_if(marks_, [this](const Mark& mark) { return mark.end > gone_; });
  if (onto != nullptr) {
    for (auto mark = marks_.begin(); mark != open; ++mark) onto->end_answer(std::move(mark->kept));
  }
  marks_.erase(marks_.begin(), open);
  if (marks_.empty() && marks_.capacity() > most_gone) std::vector<Mark>().swap(marks_);
}

bool SendQueue::charge() noexcept {
  for (auto mark = marks_.rbegin(); mark != marks_.rend() && mark->kept.charge.bytes() == 0;
       ++mark) {
    if (!mark->kept.charge.resize(mark->end - mark->begin + sizeof(Mark))) return false;
  }
  return true;
}

}  // namespace caisson::http
