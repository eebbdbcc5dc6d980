#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/wait.h>

#include "base/base64url.h"
#include "base/scratch.h"
#include "generator/signing/signer.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/packet.h"

namespace caisson::signing::testing {

/// How a command of a test ended.
struct Ran {
  int code = -1;
  std::string text;  ///< both outputs
};

/// A directory with a home of GnuPG, both removed with everything in them.
class Gnupg {
 public:
  Gnupg() {
    std::filesystem::create_directory(scratch_ / "home");
    std::filesystem::permissions(scratch_ / "home", std::filesystem::perms::owner_all);
    setenv("GNUPGHOME", (scratch_ / "home").c_str(), 1);
  }
  Gnupg(const Gnupg&) = delete;
  Gnupg& operator=(const Gnupg&) = delete;
  ~Gnupg() {
    (void)run("gpgconf --kill all");
    unsetenv("GNUPGHOME");
  }

  [[nodiscard]] const std::filesystem::path& path() const { return scratch_.path(); }

  void write(std::string_view name, std::string_view bytes) const {
    scratch_.write(name, bytes);
    std::filesystem::permissions(
        scratch_ / name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  [[nodiscard]] std::string read(std::string_view name) const { return scratch_.read(name); }

  /// A line of sh in the directory.
  [[nodiscard]] Ran run(const std::string& line) const {
    const auto status = std::system(
        ("cd '" + path().string() + "' && { " + line + "; } > said 2>&1 < /dev/null").c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("said")};
  }

  /// Whether stock gpgv takes a signature.
  [[nodiscard]] Ran gpgv(std::string_view ring, std::string_view signature,
                         std::string_view document, const std::string& more = {}) const {
    write("ring.gpg", ring);
    write("document.gpg", signature);
    write("document", document);
    return run("gpgv " + more + " --keyring ./ring.gpg document.gpg document");
  }

 private:
  Scratch scratch_;
};

/// The private key of a seed: 32 bytes for Ed25519, the number for P-256.
inline PrivateKey key_of(installer::Algorithm algorithm, std::string_view secret) {
  using namespace std::string_view_literals;
  const bool ed25519 = algorithm == installer::Algorithm::ed25519;
  // RFC 8410 and RFC 5915 in PKCS#8.
  std::string der(
      ed25519 ? "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"sv
              : "\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a"
                "\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20"sv);
  der.append(secret);
  auto text = encode_base64url(der);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  std::string pem = "-----BEGIN PRIVATE KEY-----\n";
  for (std::size_t i = 0; i < text.size(); i += 64) pem += text.substr(i, 64) + "\n";
  pem += "-----END PRIVATE KEY-----\n";
  auto file = (std::filesystem::temp_directory_path() / "caisson-test-XXXXXX").string();
  const int fd = mkstemp(file.data());
  if (fd < 0) std::abort();
  close(fd);
  std::ofstream(file) << pem;
  auto key = PrivateKey::read(file, [](const auto&) { return Result<std::string>(""); });
  std::filesystem::remove(file);
  if (!key) std::abort();
  return *std::move(key);
}

/// A secret whose first bit is set, so that gpg's number of it has 256 bits.
inline std::string secret(char start) {
  std::string bytes(32, start);
  bytes.front() = static_cast<char>(0x80 | start);
  return bytes;
}

inline PrivateKey ed25519(char start = 1) {
  return key_of(installer::Algorithm::ed25519, secret(start));
}
inline PrivateKey p256(char start = 1) { return key_of(installer::Algorithm::p256, secret(start)); }

/// The private key with its name as gpg imports it (RFC 9580, 5.5.3), of `secret(start)`.
inline std::string for_gpg(const PrivateKey& key, char start, std::string_view user_id) {
  const auto number = installer::big_endian(256, 2) + secret(start);
  unsigned sum = 0;
  for (const char byte : number) sum += static_cast<unsigned char>(byte);
  const auto body = installer::key_body(key.key()) + std::string(1, '\0') + number +
                    installer::big_endian(sum & 0xffffU, 2);
  auto ring = ring_key(key, user_id).bytes;
  std::string_view rest(ring);
  (void)installer::take_packet("ring", rest);
  constexpr auto kSecretKey = static_cast<installer::Tag>(5);
  return installer::packet(kSecretKey, body).append(rest);
}

}  // namespace caisson::signing::testing
