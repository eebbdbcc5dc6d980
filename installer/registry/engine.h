#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/registry/catalogue.h"

namespace caisson::installer {

/// A container engine of this host, and the program that talks to it.
struct Engine {
  enum class Kind { docker, podman, containerd } kind = Kind::docker;
  std::string program;  ///< absolute
  std::string address;  ///< of the engine, as the program names it; its own choice when empty
};

[[nodiscard]] std::optional<Engine::Kind> engine_of(std::string_view word);

/// The program of an engine in the system's directories; nothing when none has it.
[[nodiscard]] std::optional<std::string> program_of(Engine::Kind kind);

/// The name by which an engine pulls an image, and knows it afterwards, of a server at this port.
[[nodiscard]] std::string pulled_name(const Served& served, std::uint16_t port);

struct Imported {
  std::string reference;  ///< as artifacts name it
  std::string name;       ///< by which the engine runs it without asking any registry
};

/// Lets the engine pull all images from a server on 127.0.0.1, by their digests. Docker and podman
/// get the name of an image too, where it has no digest; one with a digest is known by the server's
/// name alone, since they keep no digest under another. containerd gets every image in the
/// namespace of Kubernetes, under the name that a kubelet asks for, and pinned, so that no kubelet
/// collects it. What an engine refuses is `Code::engine_refused`.
[[nodiscard]] Checked<std::vector<Imported>> import_images(const Catalogue& catalogue,
                                                           std::uint16_t port,
                                                           const Engine& engine);

}  // namespace caisson::installer
