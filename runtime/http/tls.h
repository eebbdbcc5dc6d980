#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace caisson::http {

struct TlsFiles {
  std::string certificate;  ///< PEM chain
  std::string key;          ///< PEM
};

/// A server's certificate and settings: TLS 1.2 and 1.3, ALPN http/1.1, no renegotiation.
class TlsContext {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);

 private:
  friend class TlsSession;
  std::shared_ptr<SSL_CTX> context_;
};

/// One connection's TLS as a filter between bytes on the wire and bytes of HTTP. It does no I/O
/// itself.
class TlsSession {
 public:
  explicit TlsSession(const TlsContext& context);

  /// Decrypts `wire` and appends what it held to `plain`; bytes to send back (handshake, alerts)
  /// are appended to `out`. False when the session is over: a broken handshake, a bad record, a
  /// close_notify.
  [[nodiscard]] bool receive(std::string_view wire, std::string& plain, std::string& out);
  /// Encrypts `plain` onto `out`. Nothing may be sent before the handshake is through.
  void send(std::string_view plain, std::string& out);
  /// Appends a close_notify to `out`.
  void close(std::string& out);

 private:
  void collect(std::string& out);

  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

}  // namespace caisson::http
