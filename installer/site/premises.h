#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "installer/disk/disk.h"
#include "installer/format/form.h"
#include "installer/format/moves.h"
#include "installer/host/host.h"

namespace caisson::installer {

/// Where a product is on a host. Each disk may be a file system of its own.
struct Disks {
  Disk& site;          ///< /opt/<product>
  Disk& data;          ///< /var/lib/<product>
  Disk& etc;           ///< /etc
  const Disk& system;  ///< /, which is only read
};

// Below /opt/<product>:
inline constexpr std::string_view kJournal = "journal";
inline constexpr std::string_view kReleases = "releases";
inline constexpr std::string_view kIncoming = "incoming";  ///< a release that is being written
inline constexpr std::string_view kCurrent = "current";    ///< a link to the release that runs
inline constexpr std::string_view kSecrets = "secrets";
inline constexpr std::string_view kGate = "gate";  ///< what the isolation probes keep and report
/// Space that is given back when a change is undone on a disk that is full.
inline constexpr std::string_view kSpare = "spare";
inline constexpr std::string_view kRoots = "roots";  ///< whom the site trusts: root.1 and so on

/// What file systems have at their top.
inline constexpr std::string_view kLostAndFound = "lost+found";

/// The directory of a release below /opt/<product>.
[[nodiscard]] inline std::string release_path(std::string_view release) {
  return std::string(kReleases) + "/" + std::string(release);
}

/// Is there while a caisson-install changes the product, and until the next boot when it was
/// killed.
[[nodiscard]] inline std::string at_work(std::string_view product) {
  return "/run/caisson-install." + std::string(product) + ".at-work";
}

/// Where images are served to an engine of this host. Their names in it have the port in them.
inline constexpr std::uint16_t kImagePort = 5005;

/// A product on a host, and the two ways to both.
struct Premises {
  std::string product;
  Disks disks;
  Host& host;
  Form form = Form::systemd;  ///< of the product here
  /// Secrets that somebody hands over, each a file of its name.
  const Disk* secrets = nullptr;
  /// Data that somebody takes along to where a release looks for them, or gives up.
  AcceptedMoves moves{};
  std::uint16_t image_port = kImagePort;
  /// Whether this host boots and starts no unit of the product before this program has ended.
  bool booting = false;
  /// Gets a line about each step that is done.
  std::function<void(std::string_view line)> say = [](std::string_view) {};

  /// "/opt/<product>", as programs and units name it.
  [[nodiscard]] std::string prefix() const { return "/opt/" + product; }
  [[nodiscard]] std::string data() const { return "/var/lib/" + product; }
};

}  // namespace caisson::installer
