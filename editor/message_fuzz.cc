// Any bytes on standard input: the server answers, refuses or says that the stream is broken, and
// what it sends are messages of the protocol.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "editor/framing.h"
#include "editor/protocol.h"
#include "editor/server.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::editor;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Server server({.environment = {},
                 .today = [] { return std::string("2026-06-01"); },
                 .read_file = [](const std::filesystem::path&) -> caisson::Result<std::string> {
                   return std::string("slug,tier\na,free\n");
                 }},
                [](const std::string& message) {
                  ErrorCode error{};
                  json::value id;
                  const bool refusal = message.find("\"error\"") != std::string::npos;
                  if (!read_message(message, error, id) && !refusal) std::abort();
                });
  FrameReader frames(1U << 20U);
  // In two pieces, because a pipe may cut anywhere.
  for (const auto piece : {input.substr(0, size / 2), input.substr(size / 2)}) {
    frames.feed(piece);
    while (auto message = frames.next()) server.receive(*std::move(message));
  }
  while (server.step()) {
  }
  return 0;
}
