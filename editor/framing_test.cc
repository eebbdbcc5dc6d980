#include "editor/framing.h"

#include <gtest/gtest.h>

namespace caisson::editor {
namespace {

TEST(Framing, TakesMessagesOutOfAnyPieces) {
  const std::string stream = frame("{\"a\":1}") + frame("") + frame("\xE2\x82\xAC");
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    FrameReader reader;
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      reader.feed(std::string_view(stream).substr(at, size));
      while (auto message = reader.next()) messages.push_back(*message);
    }
    EXPECT_EQ(messages, (std::vector<std::string>{"{\"a\":1}", "", "\xE2\x82\xAC"}));
    EXPECT_EQ(reader.broken(), "");
  }
}

TEST(Framing, ReadsTheFieldsOfTheProtocol) {
  for (const std::string_view header :
       {"Content-Length: 2\r\n\r\n", "content-length:2\r\n\r\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        "Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n",
        "X-Other: 1\r\nContent-Length: 2\r\n\r\n"}) {
    FrameReader reader;
    reader.feed(header);
    reader.feed("{}");
    EXPECT_EQ(reader.next(), "{}") << header;
  }
}

TEST(Framing, RefusesWhatIsNoHeader) {
  for (const std::string_view header :
       {"Content-Length: x\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 1 2\r\n\r\n",
        "Content-Length: 18446744073709551616\r\n\r\n", "Content-Length: 1000001\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "Other: 1\r\n\r\n", "GET / HTTP\r\n\r\n",
        "Content-Length: 2\r\nContent-Type: text/plain; charset=latin1\r\n\r\n", "\r\n\r\n"}) {
    FrameReader reader(1'000'000);
    reader.feed(header);
    EXPECT_EQ(reader.next(), std::nullopt) << header;
    EXPECT_NE(reader.broken(), "") << header;
    reader.feed(frame("{}"));
    EXPECT_EQ(reader.next(), std::nullopt) << "a broken stream stays broken";
  }
}

TEST(Framing, BoundsAHeaderWithoutEnd) {
  FrameReader reader;
  const std::string junk(1000, 'x');
  for (int i = 0; i < 5; ++i) {
    reader.feed(junk);
    EXPECT_EQ(reader.next(), std::nullopt);
  }
  EXPECT_NE(reader.broken(), "");
}

}  // namespace
}  // namespace caisson::editor
