#include "runtime/http/tls.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/handshake.h"
#include "runtime/http/server.h"
#include "runtime/http/test_client.h"
#include "runtime/http/test_socket.h"

namespace caisson::http {
namespace {

using namespace std::chrono_literals;

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};

/// A directory with a fresh self-signed certificate for `name`, removed at the end.
class Certificate {
 public:
  explicit Certificate(const char* name) {
    std::string pattern = (std::filesystem::temp_directory_path() / "caisson-tls-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    renew(name);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  void renew(const char* name) const {
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Freed<X509, X509_free>> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    std::FILE* file = std::fopen(files().certificate.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(files().key.c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  [[nodiscard]] TlsFiles files() const {
    return {.certificate = directory_ / "cert.pem", .key = directory_ / "key.pem"};
  }

 private:
  std::filesystem::path directory_;
};

/// A blocking TLS client.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int version = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        context_(SSL_CTX_new(TLS_client_method())) {
    if (version != 0) SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_security_level(context_.get(), 0);
    ssl_.reset(SSL_new(context_.get()));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                 SSL_set_fd(ssl_.get(), socket_) == 1 && SSL_connect(ssl_.get()) == 1;
  }
  ~TlsClient() { ::close(socket_); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_.get()); }
  [[nodiscard]] std::string peer_name() const {
    const std::unique_ptr<X509, Freed<X509, X509_free>> peer(SSL_get1_peer_certificate(ssl_.get()));
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name,
                              sizeof(name));
    return name;
  }
  void send(const std::string& text) {
    EXPECT_EQ(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }
  /// The next `size` bytes; fewer when the connection ends.
  [[nodiscard]] std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const int got = SSL_read(ssl_.get(), bytes.data() + have, static_cast<int>(size - have));
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
  }
  /// Everything until the server's close_notify.
  [[nodiscard]] std::string receive_all() {
    std::string all;
    char piece[4096];
    int got = 0;
    while ((got = SSL_read(ssl_.get(), piece, sizeof(piece))) > 0) all.append(piece, got);
    EXPECT_EQ(SSL_get_error(ssl_.get(), got), SSL_ERROR_ZERO_RETURN);
    return all;
  }

 private:
  int socket_;
  bool connected_ = false;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freed<SSL, SSL_free>> ssl_;
};

void echo(Request&& request, Reply&& reply) {
  reply(Response{.body = (request.tls ? "tls " : "plain ") + request.body});
}

TEST(Tls, ServesRequestsOfAnySizeInBothVersions) {
  const Certificate certificate("one");
  auto server = Server::start({.tls = certificate.files()}, echo);
  ASSERT_TRUE(server.has_value());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server->port(), version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    const std::string body(300'000, 'b');
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        "Content-Length: 300000\r\n\r\n" +
        body);
    const std::string answers = client.receive_all();
    EXPECT_THAT(answers, testing::HasSubstr("\r\n\r\ntls HTTP/1.1 200 OK"));
    EXPECT_TRUE(answers.ends_with("tls " + body));
  }
}

/// Says every message back once.
class Parrot final : public SocketHandler {
 public:
  void opened(std::shared_ptr<SocketWaker>) override {}
  std::optional<std::string> next() override { return std::exchange(heard_, std::nullopt); }
  std::optional<SocketClose> ending() override { return {}; }
  std::optional<SocketClose> message(std::string_view bytes, bool) override {
    heard_ = std::string(bytes);
    return {};
  }
  void closed(std::uint16_t) noexcept override {}

 private:
  std::optional<std::string> heard_;
};

TEST(Tls, CarriesWebSockets) {
  const Certificate certificate("one");
  auto server = Server::start({.tls = certificate.files()}, [](Request&& request, Reply&& reply) {
    reply(accept_socket(*read_handshake(request), std::make_shared<Parrot>()));
  });
  ASSERT_TRUE(server.has_value());
  TlsClient client(server->port());
  ASSERT_TRUE(client.connected());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(handshake_fields) + "\r\n");
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const std::string byte = client.receive(1);
    ASSERT_FALSE(byte.empty());
    head += byte;
  }
  EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 101 "));
  const std::string message(50'000, 'm');
  client.send(client_frame(Opcode::text, message));
  EXPECT_EQ(client.receive(4 + message.size()), "\x81\x7e\xc3\x50" + message);
  client.send(client_frame(Opcode::close, "\x03\xe8"));
  EXPECT_EQ(client.receive_all(), "\x88\x02\x03\xe8");
}

TEST(Tls, RefusesOldVersionsAndPlainHttp) {
  const Certificate certificate("one");
  auto server = Server::start({.tls = certificate.files()}, echo);
  ASSERT_TRUE(server.has_value());
  const TlsClient old(server->port(), TLS1_1_VERSION);
  EXPECT_FALSE(old.connected());
  TestClient plain(server->port());
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(plain.receive_all(), testing::Not(testing::HasSubstr("HTTP")));
}

TEST(Tls, CutsHandshakesThatDoNotEnd) {
  const Certificate certificate("one");
  auto server =
      Server::start({.tls = certificate.files(), .limits = {.header_timeout = 150ms}}, echo);
  ASSERT_TRUE(server.has_value());
  TestClient silent(server->port());
  EXPECT_TRUE(silent.closed());
}

TEST(Tls, ReloadsTheCertificateForNewConnections) {
  const Certificate certificate("one");
  auto server = Server::start({.tls = certificate.files()}, echo);
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(TlsClient(server->port()).peer_name(), "one");
  certificate.renew("two");
  ASSERT_TRUE(server->reload_tls().has_value());
  EXPECT_EQ(TlsClient(server->port()).peer_name(), "two");
  std::filesystem::remove(certificate.files().key);
  EXPECT_FALSE(server->reload_tls().has_value());
  EXPECT_EQ(TlsClient(server->port()).peer_name(), "two");
}

TEST(Tls, RefusesToStartWithoutAUsablePair) {
  const Certificate one("one");
  const Certificate two("two");
  const auto mixed = Server::start(
      {.tls = TlsFiles{.certificate = one.files().certificate, .key = two.files().key}}, echo);
  ASSERT_FALSE(mixed.has_value());
  EXPECT_THAT(mixed.error().text(), testing::HasSubstr("do not belong together"));
}

}  // namespace
}  // namespace caisson::http
