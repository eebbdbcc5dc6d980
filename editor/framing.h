#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::editor {

/// The longest message that is read: a document of 64 MiB, escaped as JSON.
inline constexpr std::size_t longest_message = std::size_t{128} << 20;

/// Takes messages out of a stream of bytes (LSP 3.17, "Base Protocol"): header fields, an empty
/// line, and as many bytes as Content-Length says. Once a header makes no sense, nobody knows where
/// the next message starts: the stream is broken for good.
class FrameReader {
 public:
  explicit FrameReader(std::size_t longest = longest_message) : longest_(longest) {}

  void feed(std::string_view bytes);
  /// The next message that is complete.
  [[nodiscard]] std::optional<std::string> next();
  /// What is wrong with the stream; empty while nothing is.
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  [[nodiscard]] bool read_header();
  [[nodiscard]] bool read_field(std::string_view line);
  bool fail(std::string what);

  std::size_t longest_;
  std::string buffer_;
  std::size_t at_ = 0;                 ///< what of `buffer_` has been used
  std::optional<std::size_t> length_;  ///< of the message whose header has been read
  std::string broken_;
};

/// The message with its header.
[[nodiscard]] std::string frame(std::string_view message);

}  // namespace caisson::editor
