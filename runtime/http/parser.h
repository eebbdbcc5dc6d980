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
    body,      ///< in the body
    complete,  ///< `take` gives the request
    refused,   ///< `refused` says why
  };

  explicit RequestParser(const HeadLimits& limits) : limits_(limits), chunked_(0) {}

  /// Takes from the front of `input` until it is empty, a request is complete or the message is
  /// refused. Must not be called when a request is complete and not yet taken.
  Stage feed(std::string_view& input);

  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] const Refused& refused() const { return refused_; }
  [[nodiscard]] bool keep_alive() const { return framing_.keep_alive; }

  /// Bytes of the unfinished request that are kept.
  [[nodiscard]] std::size_t buffered() const { return request_.head.size() + request_.body.size(); }

  /// True from the end of a head that asked for `100 (Continue)` until the first byte of its body.
  [[nodiscard]] bool awaits_continue() const {
    return stage_ == Stage::body && framing_.expects_continue;
  }
  void continued() { framing_.expects_continue = false; }

  /// The complete request; the parser is idle again.
  [[nodiscard]] Request take();

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
};

}  // namespace caisson::http
