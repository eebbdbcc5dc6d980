#include "conformance/wire/connection.h"

#include <array>
#include <filesystem>
#include <memory>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class Connecting : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ =
      fs::temp_directory_path() / ("caisson-connection-" + std::to_string(getpid()));
};

TEST_F(Connecting, ReachesAUnixSocket) {
  const std::string path = (folder_ / "data.sock").string();
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  const Endpoint endpoint{.socket = path};
  EXPECT_EQ(endpoint.text(), "unix:" + path);
  EXPECT_EQ(endpoint.authority(), "localhost");
  auto connection = Connection::open(endpoint, within(seconds(5)));
  ASSERT_TRUE(connection) << connection.error().text();
  const int peer = accept(listener, nullptr, nullptr);
  ASSERT_TRUE(connection->send("ping", within(seconds(5))));
  std::array<char, 8> got{};
  EXPECT_EQ(recv(peer, got.data(), got.size(), 0), 4);
  close(peer);
  close(listener);
  const auto gone = Connection::open(endpoint, within(seconds(5)));
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().what.find(path), std::string::npos);
}

/// A certificate for `name` that signs itself, with its key.
struct Identity {
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, void (*)(X509*)> certificate{X509_new(), X509_free};

  explicit Identity(const std::string& name) {
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
  }

  [[nodiscard]] std::string pem() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(memory);
    return out;
  }
};

/// Whether a client that trusts `trusted` talks to a server of `identity` as `name`.
std::string handshake(const Identity& identity, const std::string& ca_file,
                      const std::string& name) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::thread server([&] {
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()),
                                                               SSL_CTX_free);
    SSL_CTX_use_certificate(context.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
    const int peer = accept(listener, nullptr, nullptr);
    const std::unique_ptr<SSL, void (*)(SSL*)> session(SSL_new(context.get()), SSL_free);
    SSL_set_fd(session.get(), peer);
    SSL_accept(session.get());
    close(peer);
  });
  auto connection = Connection::open(
      {.port = ntohs(address.sin_port), .tls = true, .server_name = name, .ca_file = ca_file},
      within(seconds(10)));
  server.join();
  close(listener);
  if (!connection) return connection.error().what;
  // The peer has closed, which ends no program that goes on sending.
  const std::string bytes(8192, 'x');
  bool sent = true;
  for (int i = 0; sent && i < 100; ++i) {
    sent = connection->send(bytes, within(seconds(10))).has_value();
  }
  EXPECT_FALSE(sent);
  return "open";
}

TEST_F(Connecting, HoldsTheCertificateAgainstItsAuthorityAndName) {
  const Identity edge("acme.example");
  const std::string ca = (folder_ / "ca.pem").string();
  ASSERT_TRUE(write_file(ca, edge.pem(), 0600));
  EXPECT_EQ(handshake(edge, ca, "acme.example"), "open");
  EXPECT_EQ(handshake(edge, "", "other.example"), "open") << "nobody looks";
  EXPECT_NE(handshake(edge, ca, "other.example").find("hostname mismatch"), std::string::npos)
      << handshake(edge, ca, "other.example");
  EXPECT_NE(handshake(Identity("acme.example"), ca, "acme.example").find("no TLS"),
            std::string::npos);
}

}  // namespace
}  // namespace caisson::conformance
