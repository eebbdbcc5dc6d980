#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/uio.h>

#include "runtime/observe/budget.h"

namespace caisson::http {

/// Bytes on their way to the peer, and what each answer among them keeps until it is sent. Large
/// bodies are taken over, not copied.
class SendQueue {
 public:
  /// What is kept for an answer: its lease is let go just before the last of it is sent, its charge
  /// once that is done.
  struct Kept {
    std::shared_ptr<void> lease;
    observe::Charge charge;
  };

  /// To append to; until the next call of another member.
  [[nodiscard]] std::string& tail();
  void append(std::string bytes);
  /// Everything since the last answer's end belongs to the answer that ends here.
  void end_answer(Kept kept);

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const;

  /// The first bytes, `most` of them, without copying; how many of `parts` are filled.
  [[nodiscard]] std::size_t gather(std::span<iovec> parts, std::size_t most) const;
  /// The first bytes, as far as they are together.
  [[nodiscard]] std::string_view front() const;
  /// Lets go of the leases of answers that end within the next `bytes`.
  void let_go(std::size_t bytes);
  /// The first `bytes` are gone, and with them what was kept for the answers that end there; or it
  /// is kept at the end of `onto`, which has got them.
  void consume(std::size_t bytes, SendQueue* onto = nullptr);
  /// Who is charged for the first answer; may be null.
  [[nodiscard]] std::shared_ptr<observe::Share> payer() const {
    return marks_.empty() ? nullptr : marks_.front().kept.charge.share();
  }
  /// Charges for answers whose charge is still of nothing. False when one cannot be paid for.
  [[nodiscard]] bool charge() noexcept;
  /// What is paid for the first answer.
  [[nodiscard]] std::size_t paid() const {
    return marks_.empty() ? 0 : marks_.front().kept.charge.bytes();
  }

 private:
  struct Mark {
    std::uint64_t begin;  ///< counted from the first byte ever
    std::uint64_t end;
    Kept kept;
  };

  [[nodiscard]] std::uint64_t end() const { return gone_ + size(); }

  std::vector<std::string> pieces_;
  std::size_t first_ = 0;   ///< of pieces_; the ones before are gone
  std::size_t offset_ = 0;  ///< bytes of the first piece that are gone
  std::size_t inner_ = 0;   ///< bytes of all pieces but the last, from the first on
  std::uint64_t gone_ = 0;  ///< bytes
  std::vector<Mark> marks_;
  std::uint64_t answered_ = 0;  ///< end of the last answer
};

}  // namespace caisson::http
