#include "installer/registry/push.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/base64url.h"
#include "base/hex.h"
#include "base/percent.h"
#include "base/printable.h"
#include "installer/format/lines.h"
#include "installer/registry/message.h"

namespace caisson::installer {
namespace {

/// What is read of an answer's body: a token, or words about what went wrong.
constexpr std::size_t kMostOfAnswer = std::size_t{64} * 1024;

/// Sends a body in pieces to what it is given.
using Sink = std::function<Checked<void>(std::string_view piece)>;

struct Body {
  std::string type;
  std::uint64_t size = 0;
  std::function<Checked<void>(const Sink& sink)> send;  ///< none for an empty body
};

struct Answer {
  Head head;
  std::string body;
};

/// What is left of a body in chunks (RFC 9112, section 7.1), as far as it came.
std::string dechunked(std::string_view text) {
  std::string body;
  while (true) {
    const auto end = text.find("\r\n");
    std::uint64_t size = 0;
    for (const char c : text.substr(0, std::min({end, text.find(';'), text.size()}))) {
      const int digit = hex_value(c);
      if (digit < 0 || size > kMostOfAnswer) return body;
      size = size * 16 + static_cast<unsigned>(digit);
    }
    if (end == std::string_view::npos || size == 0) return body;
    body += text.substr(end + 2, size);
    text.remove_prefix(std::min(end + 2 + size + 2, text.size()));
  }
}

/// Reads an answer; the connection ends with it.
Checked<Answer> read_answer_of(Connection& connection, bool has_body) {
  std::string text;
  std::size_t body = std::string::npos;
  char buffer[4096];
  while (text.size() < kMostOfHead + kMostOfAnswer) {
    if (body == std::string::npos) {
      const auto end = text.find("\r\n\r\n");
      if (end == std::string::npos && text.size() > kMostOfHead) break;
      if (end != std::string::npos) body = end + 4;
      if (body != std::string::npos && !has_body) break;
    }
    if (body != std::string::npos) {
      const auto head = read_answer(std::string_view(text).substr(0, body - 4));
      if (!head) break;
      const auto length = number_of(head->field("content-length").value_or("-"));
      if (length && text.size() - body >= *length) break;
    }
    const auto got = connection.read(buffer);
    // A peer that has answered may end a connection as it likes.
    if (!got && body == std::string::npos) return tl::unexpected(got.error());
    if (!got || *got == 0) break;
    text.append(buffer, *got);
  }
  auto head = body == std::string::npos ? std::nullopt
                                        : read_answer(std::string_view(text).substr(0, body - 4));
  if (!head)
    return refuse(Code::registry_unreachable, "what answers there does not speak HTTP/1.1");
  auto rest = text.substr(body);
  if (head->field("transfer-encoding") == "chunked") rest = dechunked(rest);
  rest.resize(std::min(rest.size(), kMostOfAnswer));
  return Answer{.head = *std::move(head), .body = std::move(rest)};
}

/// One request, on a connection of its own.
Checked<Answer> exchange(const Endpoint& endpoint, const Authorities* authorities,
                         std::string_view method, const std::string& target,
                         const std::string& authorization, const Body& body) {
  auto connection = connect(endpoint, authorities);
  if (!connection) return tl::unexpected(connection.error());
  std::string head = std::string(method) + " " + target +
                     " HTTP/1.1\r\nHost: " + endpoint.authority() +
                     "\r\nUser-Agent: caisson-install\r\nConnection: close\r\nAccept: ";
  // Debian's registry says that it has no OCI manifest to whoever does not name the type.
  for (const auto type : {MediaType::oci_manifest, MediaType::docker_manifest}) {
    head += std::string(to_text(type)) + ", ";
  }
  head += "*/*\r\n";
  if (!authorization.empty()) head += "Authorization: " + authorization + "\r\n";
  if (!body.type.empty()) head += "Content-Type: " + body.type + "\r\n";
  if (method != "GET" && method != "HEAD") {
    head += "Content-Length: " + std::to_string(body.size) + "\r\n";
  }
  auto sent = (*connection)->write(head + "\r\n");
  if (sent && body.send) {
    sent = body.send([&](std::string_view piece) { return (*connection)->write(piece); });
  }
  // A registry that does not want the rest of a body says why before it ends the connection.
  if (!sent && sent.error().code != Code::registry_unreachable) return tl::unexpected(sent.error());
  auto answer = read_answer_of(**connection, method != "HEAD");
  if (!answer && !sent) return tl::unexpected(sent.error());
  return answer;
}

/// An absolute or relative address, taken apart: the endpoint it names, and what to ask there.
struct Address {
  Endpoint endpoint;
  std::string target;
};

std::optional<Address> address_of(std::string_view text, const Endpoint& from) {
  if (text.starts_with('/') && !text.starts_with("//"))
    return Address{.endpoint = from, .target = std::string(text)};
  const bool tls = text.starts_with("https://");
  if (!tls && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(tls ? 8 : 7);
  const auto slash = std::min(text.find('/'), text.size());
  auto at = destination_of(text.substr(0, slash), tls);
  if (!at) return std::nullopt;
  const auto target = text.substr(slash);
  return Address{.endpoint = std::move(at->endpoint),
                 .target = target.empty() ? "/" : std::string(target)};
}

std::string repository_in(const Destination& to, const Served& served) {
  return (to.prefix.empty() ? "" : to.prefix + "/") + served.reference.repository;
}

class Pusher {
 public:
  Pusher(const Catalogue& catalogue, const Destination& to,
         const std::function<void(std::uint64_t)>& progress)
      : catalogue_(catalogue), to_(to), progress_(progress) {}

  Checked<PushReport> push_all() {
    for (const auto& served : catalogue_.images()) {
      if (auto done = push_image(served); !done) return tl::unexpected(done.error());
    }
    return std::move(report_);
  }

  Checked<std::uint64_t> count_there() {
    std::uint64_t count = 0;
    for (const auto& served : catalogue_.images()) {
      turn_to(served);
      const auto there =
          has("/v2/" + repository_ + "/manifests/", to_text(served.image->manifest.digest));
      if (!there) return tl::unexpected(there.error());
      if (*there) ++count;
    }
    return count;
  }

 private:
  void turn_to(const Served& served) {
    repository_ = repository_in(to_, served);
    authorization_ = {};
  }

  Checked<void> push_image(const Served& served) {
    turn_to(served);
    const auto& image = *served.image;
    std::vector<Digest> blobs = {image.config.digest};
    for (const auto& layer : image.layers) blobs.push_back(layer.blob.digest);
    for (const auto& digest : blobs) {
      if (auto done = push_blob(digest); !done) return done;
    }
    const auto digest = to_text(image.manifest.digest);
    if (auto done = push_manifest(image.manifest, digest); !done) return done;
    // A tag is no promise: it is set again, whatever it named.
    if (!served.reference.tag.empty()) {
      if (auto done = put_manifest(image.manifest, served.reference.tag); !done) return done;
    }
    report_.images.push_back({.reference = image.reference, .target = target_of(to_, served)});
    return {};
  }

  Checked<void> push_blob(const Digest& digest) {
    const auto size = *catalogue_.blob(digest);
    const auto there = has("/v2/" + repository_ + "/blobs/", to_text(digest));
    if (!there) return tl::unexpected(there.error());
    if (*there) {
      note_there(size);
      return {};
    }
    const auto begun = ask("POST", "/v2/" + repository_ + "/blobs/uploads/", {});
    if (!begun) return tl::unexpected(begun.error());
    if (begun->head.status != 202) return refused("an upload", *begun);
    const auto place = address_of(begun->head.field("location").value_or(""), to_.endpoint);
    // Whoever is named here gets the credentials and the image.
    if (!place || place->endpoint != to_.endpoint) {
      return refuse(Code::registry_refused,
                    to_.endpoint.authority() + " sends uploads to another host");
    }
    const auto target = place->target + (place->target.find('?') == std::string::npos ? "?" : "&") +
                        "digest=" + percent_encoded(to_text(digest));
    const auto put =
        ask("PUT", target,
            {.type = "application/octet-stream", .size = size, .send = [&](const Sink& sink) {
               return catalogue_.read(digest, [&](std::string_view piece) {
                 auto sent = sink(piece);
                 if (sent && progress_) progress_(piece.size());
                 return sent;
               });
             }});
    if (!put) return tl::unexpected(put.error());
    if (put->head.status != 201) return refused("the blob " + to_text(digest), *put);
    if (auto kept = check_digest(put->head, to_text(digest)); !kept) return kept;
    ++report_.sent;
    report_.bytes += size;
    return {};
  }

  Checked<void> push_manifest(const Document& document, const std::string& digest) {
    const auto there = has("/v2/" + repository_ + "/manifests/", digest);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return put_manifest(document, digest);
    note_there(document.size);
    return {};
  }

  Checked<void> put_manifest(const Document& document, const std::string& reference) {
    const auto text = catalogue_.read(document);
    if (!text) return tl::unexpected(text.error());
    const auto put = ask("PUT", "/v2/" + repository_ + "/manifests/" + reference,
                         {.type = std::string(to_text(document.type)),
                          .size = text->size(),
                          .send = [&](const Sink& sink) { return sink(*text); }});
    if (!put) return tl::unexpected(put.error());
    const auto digest = to_text(document.digest);
    if (put->head.status != 201) return refused("the manifest " + digest, *put);
    if (auto kept = check_digest(put->head, digest); !kept) return kept;
    // One that does not say under which digest it keeps a manifest is asked for it.
    if (!put->head.has("docker-content-digest")) {
      const auto there = has("/v2/" + repository_ + "/manifests/", digest);
      if (!there) return tl::unexpected(there.error());
      if (!*there) {
        return refuse(Code::registry_refused,
                      to_.endpoint.authority() + " has taken " + digest + " and does not have it");
      }
    }
    ++report_.sent;
    report_.bytes += text->size();
    return {};
  }

  /// Refuses an answer that names another digest than the one that was asked about. Registries may
  /// name none.
  [[nodiscard]] Checked<void> check_digest(const Head& head, const std::string& digest) const {
    constexpr std::string_view field = "docker-content-digest";
    const auto said = head.field(field);
    if (said == digest || !head.has(field)) return {};
    return refuse(Code::registry_refused,
                  to_.endpoint.authority() + " keeps " + digest +
                      (said ? " under the digest " + printable(*said) : " under several digests"));
  }

  void note_there(std::uint64_t size) {
    ++report_.there;
    if (progress_) progress_(size);
  }

  Checked<bool> has(const std::string& place, const std::string& digest) {
    const auto target = place + digest;
    const auto answer = ask("HEAD", target, {});
    if (!answer) return tl::unexpected(answer.error());
    // Registries that keep blobs elsewhere say where.
    const auto status = answer->head.status;
    if (status == 200 || status == 307) {
      if (auto same = check_digest(answer->head, digest); !same)
        return tl::unexpected(same.error());
      return true;
    }
    if (status == 404) return false;
    return refused(target, *answer);
  }

  /// Asks, and once more with what the registry wants to know of the user.
  Checked<Answer> ask(std::string_view method, const std::string& target, const Body& body) {
    auto answer = exchange(to_.endpoint, &to_.authorities, method, target, authorization_, body);
    if (!answer || answer->head.status != 401) return answer;
    const auto challenge = read_challenge(answer->head.field("www-authenticate").value_or(""));
    if (!challenge) return no_login("it does not say whom it wants");
    // A token may have expired while a large blob went over.
    if (auto known = log_in(*challenge); !known) return tl::unexpected(known.error());
    answer = exchange(to_.endpoint, &to_.authorities, method, target, authorization_, body);
    if (answer && answer->head.status == 401) return no_login("it refuses who asks");
    return answer;
  }

  Checked<void> log_in(const Challenge& challenge) {
    const auto basic =
        to_.user.empty() ? std::string() : "Basic " + encode_base64(to_.user + ":" + to_.password);
    if (challenge.scheme == "basic") {
      if (basic.empty()) return no_login("it asks for a user and a password");
      authorization_ = basic;
      return {};
    }
    if (challenge.scheme != "bearer") {
      return no_login("it asks for '" + printable(challenge.scheme) + "', which is not known");
    }
    const auto realm = address_of(challenge.realm, to_.endpoint);
    if (!realm || (to_.endpoint.tls && !realm->endpoint.tls)) {
      return no_login("its token server '" + printable(challenge.realm) + "' has no TLS");
    }
    auto target = realm->target + (realm->target.find('?') == std::string::npos ? "?" : "&") +
                  "service=" + percent_encoded(challenge.service) +
                  "&scope=" + percent_encoded("repository:" + repository_ + ":pull,push");
    const auto answer = exchange(realm->endpoint, &to_.authorities, "GET", target, basic, {});
    if (!answer) return tl::unexpected(answer.error());
    const auto token = answer->head.status == 200 ? read_token(answer->body) : std::nullopt;
    if (!token) {
      return no_login("its token server answers " + std::to_string(answer->head.status) +
                      (answer->head.status == 200 ? " without a token" : ""));
    }
    authorization_ = "Bearer " + *token;
    return {};
  }

  [[nodiscard]] tl::unexpected<Refusal> no_login(const std::string& why) const {
    return refuse(Code::registry_login, to_.endpoint.authority() + ", " + repository_ + ": " + why);
  }

  [[nodiscard]] tl::unexpected<Refusal> refused(const std::string& what,
                                                const Answer& answer) const {
    auto said = printable(answer.body.substr(0, 300));
    if (answer.head.status == 403) return no_login("this user may not push there");
    return refuse(Code::registry_refused, to_.endpoint.authority() + " answers " +
                                              std::to_string(answer.head.status) + " to " + what +
                                              (said.empty() ? "" : ": " + said));
  }

  const Catalogue& catalogue_;
  const Destination& to_;
  const std::function<void(std::uint64_t)>& progress_;
  std::string repository_;
  std::string authorization_;
  PushReport report_;
};

}  // namespace

std::optional<Destination> destination_of(std::string_view text, bool tls) {
  Destination to{.endpoint = {.tls = tls}};
  const auto slash = std::min(text.find('/'), text.size());
  auto authority = text.substr(0, slash);
  to.prefix = std::string(text.substr(std::min(slash + 1, text.size())));
  if (slash != text.size() && !is_repository(to.prefix)) return std::nullopt;
  const auto colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  to.endpoint.host = std::string(authority.substr(0, has_port ? colon : authority.size()));
  to.endpoint.port = has_port ? std::string(authority.substr(colon + 1)) : tls ? "443" : "80";
  const auto port = number_of(to.endpoint.port);
  const auto& host = to.endpoint.host;
  const bool fits = !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_[]:").find(c) != std::string_view::npos;
  });
  if (!fits || !port || *port == 0 || *port > 65535) return std::nullopt;
  return to;
}

std::string target_of(const Destination& destination, const Served& served) {
  return destination.endpoint.authority() + "/" + repository_in(destination, served) + "@" +
         to_text(served.image->manifest.digest);
}

Checked<std::uint64_t> count_there(const Catalogue& catalogue, const Destination& destination) {
  const std::function<void(std::uint64_t)> progress;
  return Pusher(catalogue, destination, progress).count_there();
}

Checked<PushReport> push(const Catalogue& catalogue, const Destination& destination,
                         const std::function<void(std::uint64_t bytes)>& progress) {
  return Pusher(catalogue, destination, progress).push_all();
}

}  // namespace caisson::installer
