#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tl/expected.hpp>

#include "runtime/http/message.h"

namespace caisson::http {

/// Why a message was refused. The connection closes after the answer.
struct Refused {
  int status;
  std::string_view code;    ///< problem code of docs/runtime.md
  std::string_view detail;  ///< never contains a byte of the message
};

/// How the end of a body is found (RFC 9112, section 6), and what becomes of the connection.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;  ///< of a body that is not chunked
  bool keep_alive = true;
  bool expects_continue = false;
};

struct HeadLimits {
  std::size_t header = 16384;  ///< bytes of the whole head
  std::size_t target = 8192;
  std::size_t fields = 100;
  std::size_t body = 1048576;
};

/// Parses `request.head`, which must hold one whole head up to and with its empty line, and fills
/// in the rest of `request`. This is the grammar of RFC 9112 without any of its leniencies: no bare
/// LF, no obs-fold, no blank before a colon, one Host, one framing.
[[nodiscard]] tl::expected<Framing, Refused> parse_head(Request& request, const HeadLimits& limits);

/// One field line without its CRLF (RFC 9112, section 5). False when it is malformed.
[[nodiscard]] bool parse_field(std::string_view line, Field& field);

[[nodiscard]] constexpr Refused malformed(std::string_view detail) {
  return {.status = 400, .code = "malformed-request", .detail = detail};
}

inline constexpr Refused too_large{
    .status = 413, .code = "body-too-large", .detail = "the body is larger than the limit"};

}  // namespace caisson::http
