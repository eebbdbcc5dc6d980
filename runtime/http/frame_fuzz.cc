#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/http/frame.h"

namespace {

using caisson::http::FrameParser;
using caisson::http::Opcode;
using Event = FrameParser::Event;

constexpr std::size_t limit = 300;

[[noreturn]] void die(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::abort();
}

struct Outcome {
  std::vector<std::pair<Event, std::string>> events;
  std::uint16_t failure = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome parse(std::string_view input, std::size_t piece) {
  Outcome outcome;
  FrameParser parser(limit);
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (!part.empty()) {
      const Event event = parser.feed(part);
      if (parser.buffered() > limit + 125) die("more is kept than the bounds allow");
      if (event == Event::failed) {
        outcome.failure = parser.failure().code;
        return outcome;
      }
      if (event != Event::none) outcome.events.emplace_back(event, parser.payload());
      if (event == Event::none && !part.empty()) die("bytes are left without an event");
    }
  }
  return outcome;
}

Opcode opcode_of(Event event) {
  switch (event) {
    case Event::text:
      return Opcode::text;
    case Event::binary:
      return Opcode::binary;
    case Event::ping:
      return Opcode::ping;
    case Event::pong:
      return Opcode::pong;
    default:
      return Opcode::close;
  }
}

}  // namespace

/// Three properties: however the bytes are cut, the same is understood; nothing is kept beyond the
/// bounds; and what was understood, written again as whole frames, is understood as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(input, size == 0 ? 1 : size);
  for (const std::size_t piece : {1, 3, 8}) {
    if (parse(input, piece) != whole) die("cutting the input changes what is understood");
  }
  std::string again;
  for (const auto& [event, payload] : whole.events) {
    append_frame(again, opcode_of(event), payload, std::array<std::uint8_t, 4>{1, 2, 3, 4});
    if (event == Event::close) static_cast<void>(caisson::http::read_close(payload));
  }
  if (parse(again, again.size() + 1).events != whole.events) {
    die("what was understood is not what is written again");
  }
  return 0;
}
