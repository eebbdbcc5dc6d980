#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "runtime/http/message.h"

namespace caisson::http {

struct WriteOptions {
  bool head_only = false;  ///< the request was HEAD: same fields, no body
  bool close = false;      ///< announce that the connection closes
  std::string_view date;   ///< IMF-fixdate
};

/// Appends the response to `out` without its body, with the framing of RFC 9112: Content-Length
/// always, except for 101, 204 and 304, which have no body. A response whose fields could forge
/// other fields becomes an empty 500. True when the body follows.
[[nodiscard]] bool append_head(std::string& out, const Response& response,
                               const WriteOptions& options);

[[nodiscard]] std::string_view reason_phrase(int status);

/// The current second as IMF-fixdate (RFC 9110, section 5.6.7), formatted once a second.
class DateClock {
 public:
  [[nodiscard]] std::string_view now();

 private:
  std::time_t second_ = 0;
  std::string text_;
};

}  // namespace caisson::http
