#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/head.h"

namespace caisson::http {

/// Decodes one chunked body (RFC 9112, section 7.1) from pieces of any size. Extensions and trailer
/// fields are checked, bounded and dropped.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(std::size_t body_limit) : body_limit_(body_limit) {}

  /// Takes from the front of `input` and appends to `body`. Returns the refusal, if any.
  [[nodiscard]] std::optional<Refused> feed(std::string_view& input, std::string& body);
  [[nodiscard]] bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t { size, data, data_end, trailer, done };

  [[nodiscard]] std::optional<Refused> take_line(std::string_view line, const std::string& body);
  [[nodiscard]] std::optional<Refused> take_size(std::string_view line, std::size_t body_size);
  [[nodiscard]] std::optional<Refused> take_trailer(std::string_view line);

  State state_ = State::size;
  std::size_t body_limit_;
  std::size_t chunk_left_ = 0;
  std::size_t overhead_ = 0;  ///< bytes of extensions and trailers so far
  std::string line_;
};

}  // namespace caisson::http
