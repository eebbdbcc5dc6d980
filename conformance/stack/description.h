#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caisson::conformance {

/// `local/stack.json` as docs/local.md describes it.
struct StackDescription {
  struct Secret {
    std::string name{};
    std::string source{};
    std::size_t bytes = 32;
    std::string reference{};
  };
  struct Process {
    std::string name{};
    std::string role{};
    std::optional<std::string> tenant{};
    std::string program{};
    std::vector<std::string> args{};
    std::string directory{};  ///< "work/<name>"; empty and writable when the process starts
    std::string config{};     ///< "config/<name>", "Caddyfile", "nginx.conf" or ""
    std::string data{};       ///< "data/<name>" or ""
    std::map<std::string, std::uint16_t> ports{};
    std::optional<std::string> ready_port{};   ///< nullopt: nothing to ask
    std::string ready_path{};                  ///< "": the port accepts connections
    std::optional<std::uint16_t> spec_port{};  ///< of a service: what the spec calls `ready_port`
    std::vector<std::string> needs{};
    std::map<std::string, std::string> env{};
    std::map<std::string, std::string> secret_env{};
    std::vector<std::string> secrets{};
    std::uint32_t uid_offset = 0;
  };

  std::string name{};
  std::string version{};
  std::string domain{};
  std::string marker{};
  std::string address = "127.0.0.1";
  std::string url{};
  std::vector<Secret> secrets{};
  std::vector<Process> processes{};

  [[nodiscard]] const Process* process(std::string_view name) const;
};

/// Fails on JSON that is none, on more than 16 MiB, on members that are missing or of the wrong
/// kind, and on what would lead out of the stack: a path that is not a name of its own in its
/// folder of the state directory, a secret from outside of the spec's folder, a user id beyond the
/// stack's. The text is distrusted: a patch of the spec can change any of it, and `up` may run as
/// root.
[[nodiscard]] Result<StackDescription> parse_stack(std::string_view json);

/// The processes so that each comes after everything it needs. Fails on unknown names and on
/// cycles.
[[nodiscard]] Result<std::vector<const StackDescription::Process*>> start_order(
    const StackDescription& stack);

}  // namespace caisson::conformance
