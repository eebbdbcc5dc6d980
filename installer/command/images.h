#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "installer/command/command.h"
#include "installer/registry/push.h"

namespace caisson::installer {

/// Serves the images of a bundle on 127.0.0.1 until the process is told to end (SIGINT, SIGTERM).
/// `announce` gets what is said once it listens. `port` 0 takes a free one.
[[nodiscard]] Said serve_images(const Request& request, std::uint16_t port,
                                const std::function<void(std::string_view)>& announce);

/// Which engine takes images.
struct ImportRequest {
  std::string engine;   ///< "docker", "podman" or "containerd"
  std::string program;  ///< that talks to it; that of the system's directories when empty
  std::string address;  ///< of the engine; what the program chooses when empty
};

/// Lets an engine of this host pull the images of a bundle from 127.0.0.1:`port`.
[[nodiscard]] Said import_images(const Request& request, std::uint16_t port,
                                 const ImportRequest& import);

/// Where images are pushed to, and by whom.
struct PushRequest {
  std::string to;             ///< "host", "host:port" or "host:port/prefix"
  bool plain_http = false;    ///< the registry has no TLS
  std::string ca_file;        ///< authorities in PEM; those of the system when empty
  std::string user;           ///< nobody in particular when empty
  std::string password_file;  ///< its first line is the password
};

/// The registry, with whom it is believed and who pushes.
[[nodiscard]] Checked<Destination> destination_in(const PushRequest& push);

/// Pushes the images of a bundle to a registry of the site.
[[nodiscard]] Said push_images(const Request& request, const PushRequest& push);

}  // namespace caisson::installer
