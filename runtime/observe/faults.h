#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::observe {

/// One thing that is wrong with a request; `pointer` is a JSON pointer into its body, or the name
/// of a parameter.
struct Fault {
  std::string pointer;
  std::string detail;
};

/// What is wrong with a request or a file, as much of it as somebody will read: however much is
/// wrong, an answer is not larger than 65 faults of bounded texts.
class Faults {
 public:
  static constexpr std::size_t most_told = 64;
  static constexpr std::size_t longest_pointer = 256;  ///< in bytes
  static constexpr std::size_t longest_detail = 512;   ///< in bytes

  Faults() = default;
  Faults(std::initializer_list<Fault> faults);

  /// Keeps the fault while fewer than `most_told` are kept, with its texts cut to their bounds;
  /// behind those, one more says how many are not told.
  void note(std::string_view pointer, std::string_view detail);

  /// Whether another fault would only be counted: its texts need not be made.
  [[nodiscard]] bool full() const { return noted_ >= most_told; }
  /// How many were noted, told or not.
  [[nodiscard]] std::size_t noted() const { return noted_; }

  // Those that are told, and the one that counts the others.
  [[nodiscard]] bool empty() const { return told_.empty(); }
  [[nodiscard]] std::size_t size() const { return told_.size(); }
  [[nodiscard]] const Fault& operator[](std::size_t i) const { return told_[i]; }
  [[nodiscard]] const Fault& at(std::size_t i) const { return told_.at(i); }
  [[nodiscard]] const Fault& front() const { return told_.front(); }
  [[nodiscard]] auto begin() const { return told_.begin(); }
  [[nodiscard]] auto end() const { return told_.end(); }

 private:
  std::vector<Fault> told_;
  std::size_t noted_ = 0;
};

/// The first bytes of `text`, at most `longest` of them, no character cut in two; behind what was
/// cut stands an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t longest);

}  // namespace caisson::observe
