#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "installer/registry/catalogue.h"
#include "installer/registry/connection.h"

namespace caisson::installer {

/// A registry of the site.
struct Destination {
  Endpoint endpoint;
  std::string prefix;       ///< of repositories: empty, or "team/product"
  Authorities authorities;  ///< where the endpoint has TLS
  std::string user;         ///< empty: nobody in particular
  std::string password;     ///< never printed
};

/// What a registry has now.
struct Pushed {
  std::string reference;  ///< as artifacts name it
  std::string target;     ///< "host:port/prefix/repository@sha256:..."
};

struct PushReport {
  std::vector<Pushed> images;
  std::uint64_t sent = 0;   ///< blobs and manifests
  std::uint64_t there = 0;  ///< blobs and manifests that the registry had
  std::uint64_t bytes = 0;  ///< of what was sent
};

/// Takes "host", "host:port" and "host:port/prefix" apart. The port is 443 with TLS and 80 without
/// when it is not named.
[[nodiscard]] std::optional<Destination> destination_of(std::string_view text, bool tls);

/// The reference that an image has there once it was pushed: by the digest of its manifest.
[[nodiscard]] std::string target_of(const Destination& destination, const Served& served);

/// How many of the images a registry has already, by their digests.
[[nodiscard]] Checked<std::uint64_t> count_there(const Catalogue& catalogue,
                                                 const Destination& destination);

/// Pushes the images: each blob and manifest that the registry has not, by its digest, then the
/// tags. What was pushed stays when a later one fails, and is not sent again. The registry has to
/// answer with the digest that was signed. Credentials go to this registry, and to the token server
/// that it names when that has TLS or the registry has none.
[[nodiscard]] Checked<PushReport> push(const Catalogue& catalogue, const Destination& destination,
                                       const std::function<void(std::uint64_t bytes)>& progress);

}  // namespace caisson::installer
