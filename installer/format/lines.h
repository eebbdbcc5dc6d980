#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "installer/format/refusal.h"

namespace caisson::installer {

/// The version of all texts that this reads and writes.
inline constexpr std::uint64_t kFormat = 1;

/// The largest number of a text: what a file system counts with.
inline constexpr std::uint64_t kLargestNumber = (std::uint64_t{1} << 63) - 1;

/// The most bytes of one line, and of one text of a bundle.
inline constexpr std::size_t kMostOfLine = 65'536;
inline constexpr std::size_t kMostOfText = std::size_t{16} * 1024 * 1024;

/// Reads a text of a bundle line by line (docs/bundle.md, "Texts"). The first thing that is wrong
/// is kept and ends the reading: from then on nothing is `at` hand and every value is empty, so
/// that a reader looks at `refusal` once, at its end.
class Lines {
 public:
  /// `name` is what messages call the text. Both have to outlive this.
  Lines(std::string_view name, std::string_view text);

  /// Whether the next line begins with this key.
  [[nodiscard]] bool at(std::string_view key) const;
  /// Whether every line was taken, or reading has ended.
  [[nodiscard]] bool done() const { return refused_.has_value() || rest_.empty(); }

  /// Takes the next line, which has to begin with this key; the rest of it is what follows the
  /// blank behind the key, or nothing where the line has the key alone.
  bool take(std::string_view key);
  /// Takes the next line, whatever it is.
  bool take();

  std::string_view word();  ///< up to the next blank, or the line's end
  std::string_view text();  ///< what is left of the line: not empty, no blank at its ends
  std::uint64_t number();   ///< at most 2^63 - 1
  std::vector<unsigned char> bytes(std::size_t count);  ///< in lower-case hexadecimal
  Digest digest();
  std::string path();     ///< what is left of the line, fit to be created below a directory
  std::string decoded();  ///< a percent-encoded word (see `encoded`)
  bool more() const { return !refused_ && !line_.empty(); }  ///< whether words are left
  bool take_blank();  ///< one blank more, where `sha256sum` writes two
  void end();         ///< nothing may be left of the line

  /// Ends the reading at this line.
  void refuse(Code code, std::string_view why);
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refused_; }

 private:
  std::string_view name_;
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  std::optional<Refusal> refused_;
};

/// The digest that 64 lower-case hexadecimal digits are.
[[nodiscard]] std::optional<Digest> digest_of(std::string_view digits);

/// The whole number that the digits are: without sign and leading zeros, up to 2^63 - 1.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view digits);

/// The text as one word: what is no visible character of ASCII and '%' itself as %XX; the empty
/// text is '%'.
[[nodiscard]] std::string encoded(std::string_view text);

}  // namespace caisson::installer
