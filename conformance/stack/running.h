#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/stack/process.h"
#include "conformance/wire/connection.h"

namespace caisson::conformance {

/// One instance of a stack as it runs: what the harness talks to and what it looks at from the
/// host.
struct RunningInstance {
  std::string name{};
  std::string role{};  ///< "runtime", "edge", "dashboard", "service"
  std::optional<std::string> tenant{};
  std::optional<Endpoint> data{};
  std::optional<Endpoint> operator_api{};
  std::optional<Endpoint> metrics{};
  std::string operator_token{};
  ProcessId process{};
  std::optional<User> user{};              ///< nullopt: the user of the harness
  std::filesystem::path log{};             ///< empty when the target keeps no file
  std::filesystem::path data_directory{};  ///< on the host; empty when it cannot be seen from here
  std::vector<std::filesystem::path> secret_files{};
  std::filesystem::path config{};
};

/// A stack that was started or attached to.
struct RunningStack {
  std::string target{};  ///< "local", "compose"; "systemd", "helm" when attached
  std::string name{};
  std::string domain{};
  std::string url{};
  std::filesystem::path state{};  ///< where `up` keeps everything of this stack
  bool disposable = false;        ///< the marker of `up` is there
  std::string attached{};  ///< path of the site.json that leads to it: of what `up` knows of its
                           ///< own stacks only the listeners are known; empty: it is one of those
  std::string edge_left_out{};  ///< why no edge is among the instances though there is one
  Hardening hardening{};
  std::vector<RunningInstance> instances{};
  std::string signing_key{};  ///< private PEM of the key that signs tokens; empty without tokens
  std::vector<std::pair<std::string, std::string>> secrets{};  ///< name and value of every secret

  [[nodiscard]] const RunningInstance* instance(std::string_view name) const;
  [[nodiscard]] const RunningInstance* edge() const;
};

}  // namespace caisson::conformance
