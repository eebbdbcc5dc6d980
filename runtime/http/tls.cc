#include "runtime/http/tls.h"

#include <array>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace caisson::http {
namespace {

int select_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, ours, sizeof(ours) - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  const auto context = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail("no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_alpn_select_cb(context.get(), select_http_1_1, nullptr);
  const bool usable =
      SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(context.get()) == 1;
  if (!usable) {
    ERR_clear_error();
    return fail("the certificate " + files.certificate + " and the key " + files.key +
                    " cannot be read or do not belong together",
                "give a PEM chain and its unencrypted PEM key");
  }
  auto loaded = std::make_shared<TlsContext>();
  loaded->context_ = context;
  return loaded;
}

TlsSession::TlsSession(const TlsContext& context)
    : ssl_(SSL_new(context.context_.get()), [](SSL* ssl) { SSL_free(ssl); }) {
  if (!ssl_) return;
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_.get());
}

bool TlsSession::receive(std::string_view wire, std::string& plain, std::string& out) {
  if (!ssl_) return false;
  BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
  std::array<char, 16384> piece;
  int got = 0;
  while ((got = SSL_read(ssl_.get(), piece.data(), piece.size())) > 0) {
    plain.append(piece.data(), static_cast<std::size_t>(got));
  }
  const bool alive = SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  collect(out);
  return alive;
}

void TlsSession::send(std::string_view plain, std::string& out) {
  if (!ssl_ || plain.empty()) return;
  SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
  ERR_clear_error();
  collect(out);
}

void TlsSession::close(std::string& out) {
  if (!ssl_ || SSL_in_init(ssl_.get()) != 0) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  collect(out);
}

void TlsSession::collect(std::string& out) {
  BIO* const written = SSL_get_wbio(ssl_.get());
  while (const std::size_t waiting = BIO_ctrl_pending(written)) {
    const std::size_t before = out.size();
    out.resize(before + waiting);
    const int got = BIO_read(written, out.data() + before, static_cast<int>(waiting));
    out.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got <= 0) return;
  }
}

}  // namespace caisson::http
