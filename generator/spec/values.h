#pragma once

#include <cstdint>
#include <string>

namespace caisson::spec {

/// The value types of the language in normal form. How each is written is in specs/reference.md.

/// `2..6`; a single value is the range of itself. `min <= max` always holds.
template <class T>
struct Range {
  T min{};
  T max{};

  friend bool operator==(const Range&, const Range&) = default;
};

/// Events per second: `20/s` is 20, `600/m` is 10. Above 0.
struct Rate {
  double per_second = 0;

  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Bytes, from `256Mi`; never negative.
struct Bytes {
  std::int64_t count = 0;

  friend bool operator==(const Bytes&, const Bytes&) = default;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// Thousandths of a processor core, from `250m` or `2`; above 0.
struct Cpu {
  std::int64_t millis = 0;

  friend bool operator==(const Cpu&, const Cpu&) = default;
  friend auto operator<=>(const Cpu&, const Cpu&) = default;
};

/// Milliseconds, from `500ms`, `10s`, `5m`, `2h`, `15d`; never negative.
struct Duration {
  std::int64_t ms = 0;

  friend bool operator==(const Duration&, const Duration&) = default;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};

/// `api.stripe.com:443`; an IPv6 address is written in brackets and kept without them.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// An OCI image reference, kept as written and taken apart.
struct Image {
  std::string reference;   ///< exactly as written; empty when there is none
  std::string repository;  ///< "registry.example.com/app"
  std::string tag;         ///< may be empty
  std::string digest;      ///< "sha256:<64 hex>"; may be empty

  friend bool operator==(const Image&, const Image&) = default;
};

/// The name of a secret that the spec declares under `secrets`.
struct SecretRef {
  std::string name;

  friend bool operator==(const SecretRef&, const SecretRef&) = default;
};

}  // namespace caisson::spec
