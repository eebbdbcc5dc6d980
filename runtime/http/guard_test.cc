// The strict guard as a table of raw byte streams: each goes through the parser in every cut, and
// over a real socket at once and byte by byte.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/oracle.h"
#include "runtime/http/parser.h"
#include "runtime/http/server.h"
#include "runtime/http/test_client.h"

namespace caisson::http {
namespace {

using namespace std::string_literals;

/// What a stream must lead to: the responses of the accepted requests before it, then a refusal or
/// nothing.
struct Case {
  std::string name;
  std::string bytes;
  int refused = 0;           ///< status of the refusal that must end the stream; 0: none
  std::size_t accepted = 0;  ///< requests that are answered before
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

constexpr std::size_t header_limit = 2048;
constexpr std::size_t body_limit = 1000;

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Case> refused_framing() {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n";
  return {
      {"TransferEncodingIdentity", post("Transfer-Encoding: identity\r\n", smuggled), 501},
      {"TransferEncodingChunkedIdentity",
       post("Transfer-Encoding: chunked, identity\r\n", smuggled), 501},
      {"TransferEncodingIdentityChunked",
       post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), 501},
      {"TransferEncodingXchunked", post("Transfer-Encoding: xchunked\r\n", smuggled), 501},
      {"TransferEncodingChunkedTwice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
       501},
      {"TransferEncodingTwoFields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"TransferEncodingGzip", post("Transfer-Encoding: gzip\r\n", smuggled), 501},
      {"TransferEncodingQuoted", post("Transfer-Encoding: \"chunked\"\r\n", smuggled), 501},
      {"TransferEncodingEmpty", post("Transfer-Encoding:\r\n", smuggled), 501},
      {"TransferEncodingParameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 501},
      {"TransferEncodingVerticalTab",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            "0\r\n\r\n"),
       400},
      {"TransferEncodingThenLength",
       post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {"LengthThenTransferEncoding",
       post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"Http10Chunked", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"Http10WithoutLength", "POST / HTTP/1.0\r\nHost: a\r\n\r\n", 411},
      {"LengthList", post("Content-Length: 5, 5\r\n", "12345"), 400},
      {"LengthTwiceSame", post("Content-Length: 5\r\nContent-Length: 5\r\n", "12345"), 400},
      {"LengthTwiceDifferent", post("Content-Length: 5\r\ncontent-length: 6\r\n", "123456"), 400},
      {"LengthPlus", post("Content-Length: +5\r\n", "12345"), 400},
      {"LengthMinus", post("Content-Length: -5\r\n", "12345"), 400},
      {"LengthHex", post("Content-Length: 0x5\r\n", "12345"), 400},
      {"LengthDecimal", post("Content-Length: 5.0\r\n", "12345"), 400},
      {"LengthBlankInside", post("Content-Length: 1 0\r\n", "12345"), 400},
      {"LengthEmpty", post("Content-Length:\r\n", ""), 400},
      {"LengthLeadingZero", post("Content-Length: 005\r\n", "12345"), 400},
      {"LengthOverflow", post("Content-Length: 18446744073709551617\r\n", "1"), 400},
      {"LengthOverLimit", post("Content-Length: 1001\r\n", ""), 413},
      {"LengthHuge", post("Content-Length: 18446744073709551615\r\n", ""), 413},
  };
}

std::vector<Case> refused_chunks() {
  return {
      {"ChunkSizeEmpty", chunked("\r\n\r\n"), 400},
      {"ChunkSizeNotHex", chunked("g\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizePrefix", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizePlus", chunked("+3\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizeMinus", chunked("-1\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizeBlankBefore", chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizeBlankAfter", chunked("3 \r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizeTooLong", chunked("000000003\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkSizeOverflow", chunked("fffffffffffffffff\r\nabc"), 400},
      {"ChunkSizeOverLimit", chunked("3e9\r\n"), 413},
      {"ChunksOverLimit", chunked("3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n"),
       413},
      {"ChunkBareLfAfterSize", chunked("3\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkBareCrAfterSize", chunked("3\rabc\r\n0\r\n\r\n"), 400},
      {"ChunkLongerThanSize", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
      {"ChunkBareLfAfterData", chunked("3\r\nabc\n0\r\n\r\n"), 400},
      {"ChunkWithoutLineAfterData", chunked("3\r\nabc0\r\n\r\n"), 400},
      {"ChunkExtensionControl", chunked("3;a=\x01\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkExtensionBlank", chunked("3 ; a\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkExtensionNoName", chunked("3;\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkExtensionBareLf", chunked("3;a\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkExtensionOpenQuote", chunked("3;a=\"b\r\nabc\r\n0\r\n\r\n"), 400},
      {"ChunkExtensionTooLong", chunked("3;a=" + std::string(1100, 'x') + "\r\nabc\r\n0\r\n\r\n"),
       400},
      {"ChunkExtensionsTooMany",
       [] {
         std::string body;
         for (int i = 0; i < 20; ++i) body += "1;" + std::string(900, 'x') + "\r\nx\r\n";
         return chunked(body);
       }(),
       400},
      {"TrailerFraming", chunked("0\r\nContent-Length: 5\r\n\r\n"), 400},
      {"TrailerHost", chunked("0\r\nHost: b\r\n\r\n"), 400},
      {"TrailerFold", chunked("0\r\nX: 1\r\n 2\r\n\r\n"), 400},
      {"TrailerNoColon", chunked("0\r\nX\r\n\r\n"), 400},
      {"TrailerBareLf", chunked("0\r\nX: 1\n\r\n"), 400},
      {"TrailersTooLarge",
       [] {
         std::string trailers;
         for (int i = 0; i < 20; ++i) trailers += "X: " + std::string(500, 'x') + "\r\n";
         return chunked("0\r\n" + trailers + "\r\n");
       }(),
       431},
  };
}

std::vector<Case> refused_fields() {
  std::string many;
  for (int i = 0; i < 120; ++i) many += "X: 1\r\n";
  return {
      {"HostMissing", "GET / HTTP/1.1\r\n\r\n", 400},
      {"HostMissingHttp10", "GET / HTTP/1.0\r\n\r\n", 400},
      {"HostTwice", get("Host: a\r\n"), 400},
      {"HostTwiceOtherCase", get("hOST: b\r\n"), 400},
      {"HostEmpty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"HostWithPath", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"HostWithBlank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"HostBadPort", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", 400},
      {"HostEmptyPort", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
      {"HostHugePort", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
      {"HostEncoded", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", 400},
      {"HostOpenBracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"HostNotUtf8", "GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n", 400},
      {"FoldSpace", get("X: 1\r\n 2\r\n"), 400},
      {"FoldTab", get("X: 1\r\n\t2\r\n"), 400},
      {"FoldFirst", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"BlankBeforeColon", get("X : 1\r\n"), 400},
      {"TabBeforeColon", get("X\t: 1\r\n"), 400},
      {"LengthBlankBeforeColon", post("Content-Length : 5\r\n", "12345"), 400},
      {"NameEmpty", get(": 1\r\n"), 400},
      {"NameMissing", get("X\r\n"), 400},
      {"NameWithBlank", get("A B: 1\r\n"), 400},
      {"NameWithParenthesis", get("X(: 1\r\n"), 400},
      {"NameNotAscii", get("X\xc3\xa9: 1\r\n"), 400},
      {"NameWithNul", get("X\0: 1\r\n"s), 400},
      {"ValueWithNul", get("X: a\0b\r\n"s), 400},
      {"ValueWithBell", get("X: a\x07\r\n"), 400},
      {"ValueWithDelete", get("X: a\x7f\r\n"), 400},
      {"ValueWithBareCr", get("X: a\rb\r\n"), 400},
      {"ValueWithBareCrAtEnd", get("X: a\r\r\n"), 400},
      {"BareLfBetweenFields", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", 400},
      {"BareLfEverywhere", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"BareLfAtEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"ConnectionNotTokens", get("Connection: close. te\r\n"), 400},
      {"ExpectUnknown", get("Expect: 200-ok\r\n"), 417},
      {"TooManyFields", get(many), 431},
      {"FieldTooLarge", get("X: " + std::string(header_limit, 'x') + "\r\n"), 431},
      {"HeadWithoutEnd", "GET / HTTP/1.1\r\n" + std::string(header_limit, 'x'), 431},
  };
}

std::vector<Case> refused_request_lines() {
  const auto line = [](const std::string& text) { return text + "\r\nHost: a\r\n\r\n"; };
  return {
      {"EmptyLineFirst", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"BlankFirst", line(" GET / HTTP/1.1"), 400},
      {"NoVersion", line("GET /"), 400},
      {"Http09", "GET /\r\n", 0},
      {"OnlyMethod", line("GET"), 400},
      {"TwoBlanks", line("GET  / HTTP/1.1"), 400},
      {"TabAsBlank", line("GET\t/\tHTTP/1.1"), 400},
      {"BlankAtEnd", line("GET / HTTP/1.1 "), 400},
      {"BlankInTarget", line("GET /a b HTTP/1.1"), 400},
      {"LowerCaseVersion", line("GET / http/1.1"), 400},
      {"VersionTwoDigits", line("GET / HTTP/1.10"), 400},
      {"VersionOneDigit", line("GET / HTTP/1"), 400},
      {"VersionComma", line("GET / HTTP/1,1"), 400},
      {"Version12", line("GET / HTTP/1.2"), 505},
      {"Version20", line("GET / HTTP/2.0"), 505},
      {"Version09", line("GET / HTTP/0.9"), 505},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"MethodNotToken", line("GE(T / HTTP/1.1"), 400},
      {"MethodUnknown", line("BREW / HTTP/1.1"), 501},
      {"MethodLowerCase", line("get / HTTP/1.1"), 501},
      {"MethodConnect", line("CONNECT a:443 HTTP/1.1"), 501},
      {"TargetAsterisk", line("OPTIONS * HTTP/1.1"), 400},
      {"TargetRelative", line("GET a HTTP/1.1"), 400},
      {"TargetFragment", line("GET /a#b HTTP/1.1"), 400},
      {"TargetBackslash", line("GET /a\\b HTTP/1.1"), 400},
      {"TargetQuote", line("GET /\"a\" HTTP/1.1"), 400},
      {"TargetAngle", line("GET /<a> HTTP/1.1"), 400},
      {"TargetBrace", line("GET /{a} HTTP/1.1"), 400},
      {"TargetNotAscii", line("GET /\xc3\xa9 HTTP/1.1"), 400},
      {"TargetControl", line("GET /\x01 HTTP/1.1"), 400},
      {"TargetNul", line("GET /\0 HTTP/1.1"s), 400},
      {"TargetPercentAlone", line("GET /% HTTP/1.1"), 400},
      {"TargetPercentShort", line("GET /%4 HTTP/1.1"), 400},
      {"TargetPercentNotHex", line("GET /%zz HTTP/1.1"), 400},
      {"QueryPercentNotHex", line("GET /?a=%2x HTTP/1.1"), 400},
      {"TargetTooLong", line("GET /" + std::string(header_limit / 2, 'x') + " HTTP/1.1"), 414},
      {"RequestLineWithoutEnd", "GET /" + std::string(header_limit, 'x'), 414},
      {"AbsoluteOfAnotherHost", line("GET http://b/ HTTP/1.1"), 400},
      {"AbsoluteWithAnotherPort", line("GET http://a:81/ HTTP/1.1"), 400},
      {"AbsoluteWithUser", line("GET http://u@a/ HTTP/1.1"), 400},
      {"AbsoluteWithoutHost", line("GET http:/// HTTP/1.1"), 400},
      {"AbsoluteOfAnotherScheme", line("GET ftp://a/ HTTP/1.1"), 400},
      {"TlsHello", "\x16\x03\x01\x02", 400},
      {"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"BareCrInRequestLine", line("GET /\r HTTP/1.1"), 400},
  };
}

std::vector<Case> accepted() {
  return {
      {"Simple", get(""), 0, 1},
      {"Pipelined", get("") + get("X: 1\r\n") + post("Content-Length: 3\r\n", "abc"), 0, 3},
      {"Http10", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0, 1},
      {"Close", get("Connection: close\r\n"), 0, 1},
      {"CloseAmongOthers", get("Connection: te ,\tClose\r\nTE: x\r\n"), 0, 1},
      {"NothingAfterClose", get("Connection: close\r\n") + "\0\1\2"s, 0, 1},
      {"HostWithPort", "GET / HTTP/1.1\r\nHost: A.b-c_d.e:8080\r\n\r\n", 0, 1},
      {"HostV6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, 1},
      {"AbsoluteOfTheSameHost", "GET http://A:8080/x?y HTTP/1.1\r\nHost: a:8080\r\n\r\n", 0, 1},
      {"AbsoluteWithoutPath", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 0, 1},
      {"AbsoluteWithQueryOnly", "GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", 0, 1},
      {"Query", "GET /a/b%20c?d=e&f=%7B%7D?/: HTTP/1.1\r\nHost: a\r\n\r\n", 0, 1},
      {"BlanksAroundValue", get("X: \t a b \t\r\n"), 0, 1},
      {"EmptyValue", get("X:\r\n"), 0, 1},
      {"ObsText", get("X: \xc3\xa9\xff\r\n"), 0, 1},
      {"BodyOfGet", get("Content-Length: 3\r\n") + "abc" + get(""), 0, 2},
      {"BodyAtLimit", post("Content-Length: 1000\r\n", std::string(1000, 'x')), 0, 1},
      {"BodyThatLooksLikeARequest", post("Content-Length: 27\r\n", get("")) + get(""), 0, 2},
      {"ZeroLength", post("Content-Length: 0\r\n", "") + get(""), 0, 2},
      {"Chunked", chunked("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n") + get(""), 0, 2},
      {"ChunkedOtherCase", post("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n"), 0, 1},
      {"ChunkedExtensions", chunked("3;a;b=c;d=\"e\\\"; f\"\r\nabc\r\n0;x\r\n\r\n"), 0, 1},
      {"ChunkedTrailers", chunked("0\r\nX: 1\r\nY:\r\n\r\n") + get(""), 0, 2},
      {"ChunkedDataWithCrlf", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), 0, 1},
      {"ChunkedAtLimit", chunked("3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n"), 0, 1},
      {"GoodThenBad", get("") + get("X : 1\r\n") + get(""), 400, 1},
      {"BodyThenGarbage", post("Content-Length: 3\r\n", "abc") + "\n", 400, 1},
      {"ShorterBodyThanSent", post("Content-Length: 3\r\n", "abcdef") + "\r\n\r\n", 400, 1},
  };
}

std::vector<Case> every_case() {
  std::vector<Case> all;
  for (const auto& some : {refused_framing(), refused_chunks(), refused_fields(),
                           refused_request_lines(), accepted()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

class Guard : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, Guard, testing::ValuesIn(every_case()),
                         [](const auto& test) { return test.param.name; });

TEST_P(Guard, UnderstandsTheSameInEveryCut) {
  const Case& c = GetParam();
  const HeadLimits limits{.header = header_limit, .target = header_limit / 2, .body = body_limit};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, c.bytes.size()}) {
    RequestParser parser(limits);
    std::size_t taken = 0;
    std::size_t start = 0;
    bool last = false;
    std::size_t at = 0;
    while (at < c.bytes.size() && !last && parser.stage() != RequestParser::Stage::refused) {
      const std::size_t end = std::min(at + piece, c.bytes.size());
      std::string_view rest = std::string_view(c.bytes).substr(at, end - at);
      auto stage = parser.feed(rest);
      if (stage == RequestParser::Stage::headed) stage = parser.read_body(body_limit);
      at = end - rest.size();
      if (stage != RequestParser::Stage::complete) continue;
      const Request request = parser.take();
      EXPECT_EQ(difference_to_beast(std::string_view(c.bytes).substr(start, at - start), request),
                "");
      last = !parser.keep_alive();
      start = at;
      ++taken;
    }
    const bool refused = parser.stage() == RequestParser::Stage::refused;
    EXPECT_EQ(taken, c.accepted) << "in pieces of " << piece;
    EXPECT_EQ(refused ? parser.refused().status : 0, c.refused) << "in pieces of " << piece;
  }
}

TEST_P(Guard, AnswersAndClosesOverASocket) {
  const Case& c = GetParam();
  const auto handler = [](Request&& request, Reply&& reply) {
    EXPECT_NE(request.path, "/smuggled");
    reply(Response{.body = std::string(request.method) + " " + request.body});
  };
  const auto server =
      Server::start({.limits = {.header = header_limit, .body = body_limit}}, handler);
  ASSERT_TRUE(server.has_value());
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1}}) {
    TestClient client(server->port());
    client.send(c.bytes, piece);
    for (std::size_t i = 0; i < c.accepted; ++i) {
      const auto answer = client.receive();
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->status, 200);
    }
    if (c.refused != 0) {
      const auto answer = client.receive();
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->status, c.refused);
      EXPECT_EQ(answer->field("Connection"), "close");
      EXPECT_EQ(answer->field("Content-Type"), "application/problem+json");
    } else {
      client.shut_sending();
    }
    EXPECT_TRUE(client.closed());
  }
}

/// RFC 9110, section 9.3.2: whatever is wrong with a HEAD, its answer has no body.
TEST(GuardOfHead, RefusesWithoutABody) {
  const auto handler = [](Request&&, Reply&& reply) { reply(Response{.body = "x"}); };
  const auto server = Server::start({.limits = {.header = header_limit,
                                                .body = body_limit,
                                                .header_timeout = std::chrono::milliseconds(200),
                                                .body_timeout = std::chrono::milliseconds(200)}},
                                    handler);
  ASSERT_TRUE(server.has_value());
  const std::vector<std::pair<std::string, int>> cases{
      {"HEAD / HTTP/1.1\r\n\r\n", 400},
      {"HEAD / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"HEAD / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"HEAD /" + std::string(header_limit, 'a') + " HTTP/1.1\r\n", 414},
      {"HEAD / HTTP/1.1\r\nA: " + std::string(header_limit, 'a') + "\r\n", 431},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", 413},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"HEAD / HT", 408},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1", 408},
      {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\n\r\n", 200}};
  for (const auto& [bytes, status] : cases) {
    for (const std::size_t piece : {std::size_t{0}, std::size_t{3}}) {
      TestClient client(server->port());
      client.send(bytes, piece);
      const std::string answer = client.receive_all();
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << answer;
      EXPECT_NE(answer.find("Content-Length: "), std::string::npos);
      EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << bytes.substr(0, 60) << answer;
    }
  }
  TestClient get(server->port());
  get.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(get.receive()->body, "") << "any other method is told why";
}

}  // namespace
}  // namespace caisson::http
