#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/http/chunked.h"
#include "runtime/http/head.h"

namespace caisson::http {

/// The one parser of requests, fed with pieces of any size: how the bytes are cut never changes
/// what is understood. What it refuses is refused for good; the connection must close.
class RequestParser {
 public:
  enum class Stage : std::uint8_t {
    idle,      ///< between requests, nothing of the next one was seen
    head,      ///< in the request line or the fields
    headed,    ///< the head is whole: `read_body` or `skip_body` says how to go on
    body,      ///< in the body
    skipping,  ///< in a body that nobody wants; idle behind it
    complete,  ///< `take` gives the request
    refused,   ///< `refused` says why
  };

  explicit RequestParser(const HeadLimits& limits) : limits_(limits), chunked_(0) {}

  /// Takes from the front of `input` until it is empty, a head is whole, a request is complete or
  /// the message is refused. Must not be called when a request is complete and not yet taken.
  Stage feed(std::string_view& input);

  /// The request as far as its head tells. From `headed` on.
  [[nodiscard]] Request& head() { return request_; }
  /// Reads the body, of at most `most` bytes.
  Stage read_body(std::size_t most);
  /// Drops the request, and its body as it comes. False, and nothing is skipped, when that could go
  /// on for long or is not to be told from the next request: the connection has to close.
  [[nodiscard]] bool skip_body();

  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] const Refused& refused() const { return refused_; }
  [[nodiscard]] bool keep_alive() const { return framing_.keep_alive; }
  /// The current request, or what there was of it when it was refused, is a HEAD.
  [[nodiscard]] bool head_only() const { return head_only_; }
  /// Bytes that the body was announced with; 0 when it is chunked.
  [[nodiscard]] std::uint64_t announced() const { return framing_.length; }

  /// Bytes of the unfinished request that are kept.
  [[nodiscard]] std::size_t buffered() const { return request_.head.size() + request_.body.size(); }

  /// True from the end of a head that asked for `100 (Continue)` until the first byte of its body.
  [[nodiscard]] bool awaits_continue() const {
    return stage_ == Stage::body && framing_.expects_continue;
  }
  void continued() { framing_.expects_continue = false; }

  /// The complete request; the parser is idle again.
  [[nodiscard]] Request take();
  /// Forgets the request and takes no more.
  void stop() {
    request_ = {};
    stage_ = Stage::refused;
  }

 private:
  Stage refuse(const Refused& refused);
  Stage feed_head(std::string_view& input);
  Stage feed_body(std::string_view& input);

  HeadLimits limits_;
  Stage stage_ = Stage::idle;
  Request request_;
  Framing framing_;
  ChunkedDecoder chunked_;
  Refused refused_{};
  std::size_t line_ = 0;  ///< bytes of the current line of the head so far
  bool request_line_seen_ = false;
  bool head_only_ = false;
  std::uint64_t skip_ = 0;  ///< bytes of the body still to come that are dropped
};

}  // namespace caisson::http
