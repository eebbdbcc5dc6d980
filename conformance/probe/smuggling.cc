#include "conformance/probe/smuggling.h"

#include "conformance/report/figures.h"

namespace caisson::conformance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A request of the attacker whose framing is ambiguous, followed by one that is addressed to the
/// victim.
struct Shape {
  std::string name;
  std::string framing;  ///< header lines
  std::string body;
};

std::vector<Shape> shapes(const std::string& hidden) {
  const std::string chunk = "0\r\n\r\n";
  const std::string length = std::to_string(hidden.size());
  return {
      {"Content-Length and chunked",
       "Content-Length: " + std::to_string(chunk.size() + hidden.size()) +
           "\r\nTransfer-Encoding: chunked\r\n",
       chunk + hidden},
      {"chunked and Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       chunk + hidden},
      {"two Content-Lengths", "Content-Length: 0\r\nContent-Length: " + length + "\r\n", hidden},
      {"Content-Length list", "Content-Length: 0, " + length + "\r\n", hidden},
      {"Content-Length with a sign", "Content-Length: +0\r\n", hidden},
      {"xchunked", "Transfer-Encoding: xchunked\r\n", chunk + hidden},
      {"identity", "Transfer-Encoding: identity\r\n", hidden},
      {"chunked twice", "Transfer-Encoding: chunked, chunked\r\n", chunk + hidden},
      {"chunked with a vertical tab", "Transfer-Encoding:\x0b chunked\r\n", chunk + hidden},
      {"folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked\r\n", chunk + hidden},
      {"blank before the colon", "Transfer-Encoding : chunked\r\n", chunk + hidden},
      {"bare line feeds", "Content-Length: 0\nX: y\r\n", hidden},
      {"chunk size with a sign", "Transfer-Encoding: chunked\r\n", "+0\r\n\r\n" + hidden},
  };
}

std::string hidden_request(const Examination& e) {
  return "GET /v1/records/" + e.victim().collection + "/" + e.victim().records.front() +
         " HTTP/1.1\r\nHost: " + e.victim().host + "\r\nX-Ignore: ";
}

/// Sends the bytes, looks at everything that comes back, and lets the victim make a request of its
/// own afterwards.
void try_shape(Examination& e, const Shape& shape, const RunningInstance& at,
               const std::string& way) {
  const Arena& arena = e.arena();
  const Deadline deadline = within(milliseconds(1500));
  auto connection = HttpConnection::open(*at.data, deadline);
  if (!connection)
    return e.inconclusive("no connection to " + at.name + ": " + connection.error().text());
  const std::string bytes =
      "POST /v1/records/" + e.attacker().collection + " HTTP/1.1\r\nHost: " + e.attacker().host +
      "\r\nAuthorization: Bearer " + e.attacker().credential +
      "\r\nContent-Type: application/json\r\n" + shape.framing + "\r\n" + shape.body;
  // A peer that closes early has refused, too.
  static_cast<void>(connection->send(bytes, deadline));
  connection->finish_sending();
  const auto first = connection->read(deadline);
  const std::string rest = connection->drain(deadline);
  e.received(shape.name + " " + way, (first ? first->raw : std::string()) + rest);
  const bool refused = !first || first->status >= 400;
  e.expect(shape.name + " " + way, refused, "refused", first ? first->summary() : "closed",
           Verdict::leak);
  e.expect(shape.name + " " + way + ": what was hidden behind",
           rest.find("HTTP/1.1 2") == std::string::npos, "no second answer",
           rest.empty() ? "none" : "an answer of " + people_bytes(rest.size()));
  const auto own = arena.send(&e.victim(), arena.request_of(e.victim(), "GET", "/v1/whoami"),
                              arena.stack().edge() == &at ? Way::edge : Way::direct);
  e.expect_own("the next request of " + e.victim().slug, e.victim(), own);
}

/// Two honest requests on one connection: the first one's tenant must not stick to the second.
void pipelined(Examination& e) {
  const Arena& arena = e.arena();
  const Deadline deadline = within(seconds(5));
  auto connection = HttpConnection::open(*e.attacker().instance->data, deadline);
  if (!connection) return e.inconclusive("no connection: " + connection.error().text());
  HttpRequest second = arena.request_of(e.attacker(), "GET", "/v1/whoami");
  second.host = e.victim().host;
  const HttpRequest third{.target = "/v1/whoami", .host = e.attacker().host};
  const auto sent = connection->send(
      arena.request_of(e.attacker(), "GET", "/v1/whoami").bytes() + second.bytes() + third.bytes(),
      deadline);
  if (!sent) return e.inconclusive("the requests could not be sent: " + sent.error().text());
  const auto first = connection->read(deadline);
  e.expect("pipelined, own request", first && first->status == 200, "200",
           first ? first->summary() : first.error().text(), Verdict::inconclusive);
  const auto other = connection->read(deadline);
  e.expect("pipelined, host of " + e.victim().slug,
           other && other->summary() == "403 tenant-mismatch", "403 tenant-mismatch",
           other ? other->summary() : other.error().text(),
           other && other->status == 200 ? Verdict::leak : Verdict::inconclusive);
  const auto anonymous = connection->read(deadline);
  e.expect("pipelined, without a credential",
           anonymous && anonymous->summary() == "401 unauthenticated", "401 unauthenticated",
           anonymous ? anonymous->summary() : anonymous.error().text(),
           anonymous && anonymous->status == 200 ? Verdict::leak : Verdict::inconclusive);
}

}  // namespace

void smuggled_prefix(Examination& e) {
  for (const Shape& shape : shapes(hidden_request(e))) {
    try_shape(e, shape, *e.attacker().instance, "at " + e.attacker().instance->name);
    // The edge may answer by itself; what counts is that nothing of the victim comes back and
    // nobody's next request is answered with another's response.
    const RunningInstance* edge = e.arena().stack().edge();
    if (edge == nullptr) continue;
    const Deadline deadline = within(milliseconds(1500));
    auto connection = HttpConnection::open(*edge->data, deadline);
    if (!connection)
      return e.inconclusive("no connection to the edge: " + connection.error().text());
    static_cast<void>(connection->send("POST /v1/whoami HTTP/1.1\r\nHost: " + e.attacker().host +
                                           "\r\nAuthorization: Bearer " + e.attacker().credential +
                                           "\r\n" + shape.framing + "\r\n" + shape.body,
                                       deadline));
    connection->finish_sending();
    e.received(shape.name + " through the edge", connection->drain(deadline));
    const auto own = e.arena().send(
        &e.victim(), e.arena().request_of(e.victim(), "GET", "/v1/whoami"), Way::edge);
    e.expect_own("the next request of " + e.victim().slug + " through the edge", e.victim(), own);
  }
  pipelined(e);
}

}  // namespace caisson::conformance
