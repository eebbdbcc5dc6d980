#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/files.h"
#include "installer/registry/catalogue.h"

namespace caisson::installer {

/// A registry that serves the images of a bundle on 127.0.0.1 and takes nothing: the pulling part
/// of the OCI distribution specification. At most 16 connections are served at a time: another
/// one takes the place of one that has stood still for two seconds, so that nobody who connects and
/// is slow keeps an engine from its images.
class Server {
 public:
  /// Listens on a port, any free one for 0. The catalogue has to outlive it.
  [[nodiscard]] static Checked<std::unique_ptr<Server>> listen(const Catalogue& catalogue,
                                                               std::uint16_t port);
  /// Ends what is being served.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  using Clock = std::chrono::steady_clock;

  Server(const Catalogue& catalogue, Descriptor socket, std::uint16_t port);

  /// Accepts connections, and makes room for them.
  void accept_all();
  /// Serves one connection after the other.
  void work();
  /// The next connection to be served; none at the end.
  Descriptor next();
  /// Hands over a connection, once there is room for it.
  void hand_over(Descriptor socket);
  void has_moved(int socket);
  void ends(int socket);
  bool has_ended();

  const Catalogue& catalogue_;
  Descriptor socket_;
  std::uint16_t port_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  Descriptor waiting_;
  std::map<int, Clock::time_point> live_;  ///< connections, and when each has moved last
  std::vector<std::thread> threads_;
};

}  // namespace caisson::installer
