#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/files.h"
#include "installer/format/refusal.h"

namespace caisson::installer {

/// Where a registry listens.
struct Endpoint {
  std::string host;  ///< a name or an address, an IPv6 one in brackets
  std::string port;
  bool tls = true;

  /// "host:port", for messages and the field Host.
  [[nodiscard]] std::string authority() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// A connection over TCP, with TLS or without. Each read and write has 60 seconds.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// How many bytes came, 0 at the end.
  [[nodiscard]] virtual Checked<std::size_t> read(std::span<char> into) = 0;
  [[nodiscard]] virtual Checked<void> write(std::string_view bytes) = 0;

 protected:
  Connection() = default;
};

/// Whom TLS believes: the certificates of a file in PEM, or those of the system. TLS 1.2 or newer,
/// and the certificate has to name the host.
class Authorities {
 public:
  [[nodiscard]] static Checked<Authorities> of_file(const std::string& file);
  [[nodiscard]] static Checked<Authorities> of_system();

 private:
  friend Checked<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                                      const Authorities* authorities);
  std::shared_ptr<void> context_;  ///< an SSL_CTX
};

/// Connects. `authorities` are needed where the endpoint has TLS.
[[nodiscard]] Checked<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                                           const Authorities* authorities);

/// A connection that was accepted.
[[nodiscard]] std::unique_ptr<Connection> accepted(Descriptor socket);

}  // namespace caisson::installer
