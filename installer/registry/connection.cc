#include "installer/registry/connection.h"

#include <array>
#include <cerrno>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/c_library.h"
#include "base/printable.h"

namespace caisson::installer {
namespace {

constexpr timeval kPatience{.tv_sec = 60, .tv_usec = 0};

/// Where distributions keep the authorities that they trust.
constexpr std::array kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine
};

tl::unexpected<Refusal> cut(std::string_view doing, int error) {
  return refuse(Code::registry_unreachable,
                std::string(doing) + ": " +
                    (error == EAGAIN ? "nothing came for 60 seconds" : system_words(error)));
}

class Plain : public Connection {
 public:
  explicit Plain(Descriptor socket) : socket_(std::move(socket)) {}

  Checked<std::size_t> read(std::span<char> into) override {
    while (true) {
      const auto got = ::recv(socket_.get(), into.data(), into.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return cut("cannot receive", errno);
    }
  }

  Checked<void> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EINTR) return cut("cannot send", errno);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

 private:
  Descriptor socket_;
};

std::string words_of_tls(const SSL* session) {
  const auto verdict = SSL_get_verify_result(session);
  const auto error = ERR_peek_last_error();
  ERR_clear_error();
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const auto* words = error == 0 ? nullptr : ERR_reason_error_string(error);
  return words == nullptr ? "the connection broke" : words;
}

class Secure : public Connection {
 public:
  Secure(Descriptor socket, Owned<SSL, SSL_free> session)
      : socket_(std::move(socket)), session_(std::move(session)) {}

  Checked<std::size_t> read(std::span<char> into) override {
    std::size_t got = 0;
    if (SSL_read_ex(session_.get(), into.data(), into.size(), &got) == 1) return got;
    if (SSL_get_error(session_.get(), 0) == SSL_ERROR_ZERO_RETURN) return 0;
    return refuse(Code::registry_unreachable, "cannot receive: " + words_of_tls(session_.get()));
  }

  Checked<void> write(std::string_view bytes) override {
    std::size_t sent = 0;
    if (bytes.empty() || SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent) == 1) {
      return {};
    }
    return refuse(Code::registry_unreachable, "cannot send: " + words_of_tls(session_.get()));
  }

 private:
  Descriptor socket_;
  Owned<SSL, SSL_free> session_;
};

bool is_address(const std::string& host) {
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

std::string bare(const std::string& host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

Checked<Descriptor> tcp(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto failed =
      ::getaddrinfo(bare(endpoint.host).c_str(), endpoint.port.c_str(), &hints, &found);
  if (failed != 0) {
    return refuse(Code::registry_unreachable,
                  "cannot find " + endpoint.host + ": " + ::gai_strerror(failed));
  }
  const Owned<addrinfo, freeaddrinfo> all(found);
  int error = ECONNREFUSED;
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
      error = errno;
      continue;
    }
    // The deadline for sending is the one for connecting too (socket(7)).
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    error = errno;
  }
  return refuse(Code::registry_unreachable,
                "cannot connect to " + endpoint.authority() + ": " + system_words(error));
}

Owned<SSL_CTX, SSL_CTX_free> new_context() {
  Owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_AUTO_RETRY);
  return context;
}

}  // namespace

std::string Endpoint::authority() const { return host + ":" + port; }

Checked<Authorities> Authorities::of_file(const std::string& file) {
  auto context = new_context();
  if (SSL_CTX_load_verify_file(context.get(), file.c_str()) != 1) {
    ERR_clear_error();
    return refuse(Code::registry_certificate, file + " holds no certificate in PEM");
  }
  Authorities authorities;
  authorities.context_ = std::shared_ptr<void>(std::move(context));
  return authorities;
}

Checked<Authorities> Authorities::of_system() {
  for (const auto* file : kSystemAuthorities) {
    if (auto authorities = of_file(file)) return authorities;
  }
  return refuse(Code::registry_certificate, "this host has no list of authorities");
}

Checked<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                             const Authorities* authorities) {
  auto socket = tcp(endpoint);
  if (!socket) return tl::unexpected(socket.error());
  if (!endpoint.tls) return std::make_unique<Plain>(*std::move(socket));
  Owned<SSL, SSL_free> session(SSL_new(static_cast<SSL_CTX*>(authorities->context_.get())));
  if (!session) throw std::bad_alloc();
  const auto host = bare(endpoint.host);
  const bool named =
      is_address(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
          : SSL_set1_host(session.get(), host.c_str()) == 1 &&
                SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!named || SSL_set_fd(session.get(), socket->get()) != 1) throw std::bad_alloc();
  if (SSL_connect(session.get()) != 1) {
    return refuse(Code::registry_certificate,
                  endpoint.authority() + ": " + printable(words_of_tls(session.get())));
  }
  return std::make_unique<Secure>(*std::move(socket), std::move(session));
}

std::unique_ptr<Connection> accepted(Descriptor socket) {
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return std::make_unique<Plain>(std::move(socket));
}

}  // namespace caisson::installer
