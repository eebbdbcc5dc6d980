#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http/oracle.h"
#include "runtime/http/parser.h"

namespace {

using caisson::http::Request;
using caisson::http::RequestParser;
using Stage = RequestParser::Stage;

constexpr caisson::http::HeadLimits limits{
    .header = 1024, .target = 256, .fields = 20, .body = 2048};

struct Outcome {
  std::vector<Request> requests;
  std::vector<std::string_view> bytes;  ///< of each request
  int refused = 0;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

Outcome parse(std::string_view input, std::size_t piece) {
  Outcome outcome;
  RequestParser parser(limits);
  std::size_t start = 0;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = at + std::min(piece, input.size() - at);
    std::string_view rest = input.substr(at, end - at);
    Stage stage = parser.feed(rest);
    if (stage == Stage::headed) stage = parser.read_body(limits.body);
    if (stage == Stage::body) stage = parser.feed(rest);
    at = end - rest.size();
    if (stage == Stage::refused) {
      outcome.refused = parser.refused().status;
      return outcome;
    }
    if (stage == Stage::complete) {
      outcome.requests.push_back(parser.take());
      outcome.bytes.push_back(input.substr(start, at - start));
      start = at;
    } else if (!rest.empty()) {
      die("the parser left bytes without finishing");
    }
  }
  return outcome;
}

bool same(const Request& a, const Request& b) {
  if (a.fields.size() != b.fields.size()) return false;
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || a.fields[i].value != b.fields[i].value)
      return false;
  }
  return a.method == b.method && a.path == b.path && a.query == b.query && a.host == b.host &&
         a.body == b.body;
}

}  // namespace

/// Two properties: however the bytes are cut, the same requests come out; and Boost.Beast
/// understands every accepted request as we do.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(input, size == 0 ? 1 : size);
  for (const std::size_t piece : {1, 2, 7}) {
    const Outcome cut = parse(input, piece);
    if (cut.refused != whole.refused || cut.requests.size() != whole.requests.size()) {
      die("cutting the input changes what is accepted");
    }
    for (std::size_t i = 0; i < cut.requests.size(); ++i) {
      if (!same(cut.requests[i], whole.requests[i])) die("cutting the input changes a request");
    }
  }
  for (std::size_t i = 0; i < whole.requests.size(); ++i) {
    const auto difference = caisson::http::difference_to_beast(whole.bytes[i], whole.requests[i]);
    if (!difference.empty()) die("beast disagrees: " + difference);
  }
  return 0;
}
