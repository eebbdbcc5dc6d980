#pragma once

#include <optional>
#include <string_view>

namespace caisson::observe {

/// Where a request stands in a distributed trace (W3C Trace Context, level 1). Views into the
/// request's fields.
struct TraceContext {
  std::string_view trace_id;   ///< 32 lower-case hex digits, not all zero
  std::string_view parent_id;  ///< 16, likewise
  bool sampled = false;
  std::string_view state;  ///< `tracestate`; empty when it was not sent or is unusable
};

/// Reads `traceparent` and, only beside a valid one, `tracestate`. Nothing for a `traceparent` that
/// breaks the grammar in any way: it is then as if none had been sent. A version above 00 is read
/// as far as 00 goes (section 3.2.4). A `tracestate` with more than 512 bytes or 32 members, or
/// with a member that is none, is dropped as a whole.
[[nodiscard]] std::optional<TraceContext> read_trace(std::string_view traceparent,
                                                     std::string_view tracestate);

}  // namespace caisson::observe
