#include "runtime/http/frame.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/http/test_socket.h"

namespace caisson::http {
namespace {

using namespace std::string_literals;
using Event = FrameParser::Event;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::size_t limit = 70000;
constexpr std::array<std::uint8_t, 4> mask{0x37, 0xfa, 0x21, 0x3d};

/// A frame with whatever first two bytes; the payload is masked.
std::string frame(std::uint8_t first, std::string_view payload) {
  std::string out;
  append_frame(out, Opcode::text, payload, mask);
  out[0] = static_cast<char>(first);
  return out;
}

struct Understood {
  std::vector<std::pair<Event, std::string>> events;
  std::uint16_t failure = 0;
};

Understood understand(std::string_view bytes, std::size_t piece = 1) {
  Understood understood;
  FrameParser parser(limit);
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (!part.empty()) {
      const Event event = parser.feed(part);
      if (event == Event::failed) {
        understood.failure = parser.failure().code;
        return understood;
      }
      if (event != Event::none) understood.events.emplace_back(event, parser.payload());
    }
  }
  return understood;
}

TEST(FrameParser, ReadsTheExamplesOfTheStandard) {
  // RFC 6455, section 5.7.
  EXPECT_THAT(understand("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s).events,
              ElementsAre(Pair(Event::text, "Hello")));
  EXPECT_THAT(understand("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s).events,
              ElementsAre(Pair(Event::pong, "Hello")));
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  EXPECT_EQ(out, "\x81\x05Hello");
}

TEST(FrameParser, ReadsEveryLength) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 70000}) {
    const std::string payload(size, 'x');
    EXPECT_THAT(understand(client_frame(Opcode::binary, payload), 4096).events,
                ElementsAre(Pair(Event::binary, payload)))
        << size;
  }
  EXPECT_EQ(understand(client_frame(Opcode::binary, std::string(70001, 'x')), 4096).failure, 1009);
}

TEST(FrameParser, JoinsFragmentsAroundControlFrames) {
  const std::string bytes = frame(0x01, "a\xc3") + frame(0x89, "here?") + frame(0x00, "\xa9") +
                            frame(0x8a, "") + frame(0x80, "z") + frame(0x82, "next");
  for (const std::size_t piece : {1, 2, 5, 1000}) {
    EXPECT_THAT(understand(bytes, piece).events,
                ElementsAre(Pair(Event::ping, "here?"), Pair(Event::pong, ""),
                            Pair(Event::text, "a\xc3\xa9z"), Pair(Event::binary, "next")));
  }
}

struct Refusal {
  const char* what;
  std::string bytes;
  std::uint16_t code;
};

TEST(FrameParser, RefusesWhatTheStandardForbids) {
  std::string unmasked;
  append_frame(unmasked, Opcode::text, "x");
  const std::string keys("\x37\xfa\x21\x3d", 4);
  const std::vector<Refusal> refusals{
      {"no mask", unmasked, 1002},
      {"RSV1", frame(0xc1, "x"), 1002},
      {"RSV2", frame(0xa1, "x"), 1002},
      {"RSV3", frame(0x91, "x"), 1002},
      {"RSV1 on a ping", frame(0xc9, ""), 1002},
      {"opcode 3", frame(0x83, ""), 1002},
      {"opcode 7", frame(0x87, ""), 1002},
      {"opcode 11", frame(0x8b, ""), 1002},
      {"opcode 15", frame(0x8f, ""), 1002},
      {"a long ping", frame(0x89, std::string(126, 'x')), 1002},
      {"a long close", frame(0x88, std::string(126, 'x')), 1002},
      {"a fragmented ping", frame(0x09, "x"), 1002},
      {"a fragmented close", frame(0x08, ""), 1002},
      {"a continuation of nothing", frame(0x80, "x"), 1002},
      {"an unfinished continuation of nothing", frame(0x00, "x"), 1002},
      {"a continuation after the end", frame(0x81, "x") + frame(0x80, "x"), 1002},
      {"a message in a message", frame(0x01, "x") + frame(0x81, "y"), 1002},
      {"binary in text", frame(0x01, "x") + frame(0x02, "y"), 1002},
      {"125 in 16 bits", "\x82\xfe\x00\x7d"s + keys, 1002},
      {"65535 in 64 bits", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s + keys, 1002},
      {"a length above 2^63", "\x82\xff\x80\x00\x00\x00\x00\x00\xff\xff"s + keys, 1002},
      {"a length of 2^62", "\x82\xff\x40\x00\x00\x00\x00\x00\xff\xff"s + keys, 1009},
      {"too much in fragments",
       frame(0x02, std::string(69999, 'x')) + frame(0x80, std::string(2, 'x')), 1009},
      {"a stray continuation byte", frame(0x81, "\x80"), 1007},
      {"an overlong slash", frame(0x81, "\xc0\xaf"), 1007},
      {"an overlong three", frame(0x81, "\xe0\x80\xaf"), 1007},
      {"an overlong four", frame(0x81, "\xf0\x80\x80\xaf"), 1007},
      {"a surrogate", frame(0x81, "\xed\xa0\x80"), 1007},
      {"above U+10FFFF", frame(0x81, "\xf4\x90\x80\x80"), 1007},
      {"a byte that is never UTF-8", frame(0x81, "\xff"), 1007},
      {"a cut character", frame(0x81, "x\xe2\x82"), 1007},
      {"a character cut by a fragment", frame(0x01, "\xe2\x82") + frame(0x80, "x"), 1007},
  };
  for (const auto& [what, bytes, code] : refusals) {
    EXPECT_EQ(understand(bytes).failure, code) << what;
    EXPECT_EQ(understand(bytes, 100000).failure, code) << what << ", at once";
  }
}

TEST(FrameParser, RefusesTextAtItsFirstWrongByte) {
  FrameParser parser(limit);
  std::string bytes = frame(0x01, "\xc0");
  bytes.resize(bytes.size());
  std::string_view input = bytes;
  EXPECT_EQ(parser.feed(input), Event::failed);  // though the message goes on
  input = bytes;
  EXPECT_EQ(parser.feed(input), Event::failed);  // for good
}

TEST(FrameParser, PropertyCuttingChangesNothing) {
  rc::check([](const std::vector<std::string>& messages) {
    std::string bytes;
    std::vector<std::pair<Event, std::string>> sent;
    for (const auto& message : messages) {
      bytes += client_frame(Opcode::binary, message);
      sent.emplace_back(Event::binary, message);
    }
    RC_ASSERT(understand(bytes, *rc::gen::inRange<std::size_t>(1, 20)).events == sent);
  });
}

TEST(ReadClose, TellsCodesApart) {
  const auto code = [](std::uint16_t sent) {
    const std::string payload{static_cast<char>(sent >> 8U), static_cast<char>(sent & 0xffU)};
    const auto read = read_close(payload);
    return read ? read->code : read.error().code;
  };
  EXPECT_EQ(read_close("")->code, SocketClose::no_code);
  EXPECT_EQ(read_close("\x03").error().code, 1002);
  for (const std::uint16_t fine :
       std::initializer_list<std::uint16_t>{1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999}) {
    EXPECT_EQ(code(fine), fine);
  }
  for (const std::uint16_t wrong : std::initializer_list<std::uint16_t>{
           0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    EXPECT_EQ(code(wrong), 1002) << wrong;
  }
  EXPECT_EQ(read_close("\x03\xe8going")->reason, "going");
  EXPECT_EQ(read_close("\x03\xe8\xff").error().code, 1007);
}

TEST(AppendClose, CutsLongReasons) {
  std::string out;
  append_close(out, {.code = 4401, .reason = std::string(500, 'x')});
  EXPECT_EQ(out.size(), 2U + 125U);
  out.clear();
  append_close(out, {.code = SocketClose::no_code});
  EXPECT_EQ(out, "\x88\x00"s);
}

}  // namespace
}  // namespace caisson::http
