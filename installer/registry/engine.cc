#include "installer/registry/engine.h"

#include <chrono>
#include <utility>

#include <unistd.h>

#include "installer/host/process.h"

namespace caisson::installer {
namespace {

/// Unpacking a large image on a slow disk takes minutes.
constexpr std::chrono::minutes kPatience{30};

using Words = std::vector<std::string>;

/// What one engine is told about one image, a command after the other.
struct Steps {
  std::vector<Words> commands;
  std::string name;
};

/// The name by which a kubelet asks for an image: with a digest, the tag does not count.
std::string long_name(const Reference& reference) {
  return reference.registry + "/" + reference.repository +
         (reference.digest ? "@" + to_text(*reference.digest) : ":" + reference.tag);
}

Steps steps_of(Engine::Kind kind, const Served& served, const std::string& target) {
  const auto& reference = served.image->reference;
  const bool named = !served.reference.digest;
  switch (kind) {
    case Engine::Kind::docker:
    case Engine::Kind::podman: {
      Steps steps{.commands = {{"pull", "--quiet", target}}, .name = named ? reference : target};
      if (kind == Engine::Kind::podman) {
        steps.commands[0].insert(steps.commands[0].begin() + 1, "--tls-verify=false");
      }
      if (named) steps.commands.push_back({"tag", target, reference});
      return steps;
    }
    case Engine::Kind::containerd: {
      const auto name = long_name(served.reference);
      return {.commands = {{"images", "pull", "--plain-http", target},
                           {"images", "tag", "--force", target, name},
                           {"images", "label", name, "io.cri-containerd.pinned=pinned"},
                           {"images", "rm", target}},
              .name = name};
    }
  }
  return {};
}

Words start_of(const Engine& engine) {
  Words words = {engine.program};
  if (!engine.address.empty()) {
    const char* option = engine.kind == Engine::Kind::docker   ? "--host"
                         : engine.kind == Engine::Kind::podman ? "--url"
                                                               : "--address";
    words.insert(words.end(), {option, engine.address});
  }
  if (engine.kind == Engine::Kind::containerd) words.insert(words.end(), {"--namespace", "k8s.io"});
  return words;
}

}  // namespace

std::optional<Engine::Kind> engine_of(std::string_view word) {
  if (word == "docker") return Engine::Kind::docker;
  if (word == "podman") return Engine::Kind::podman;
  if (word == "containerd") return Engine::Kind::containerd;
  return std::nullopt;
}

std::optional<std::string> program_of(Engine::Kind kind) {
  const std::string name = kind == Engine::Kind::docker   ? "docker"
                           : kind == Engine::Kind::podman ? "podman"
                                                          : "ctr";
  for (const std::string directory : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return std::nullopt;
}

std::string pulled_name(const Served& served, std::uint16_t port) {
  const auto& image = *served.image;
  return "127.0.0.1:" + std::to_string(port) + "/" + served.reference.repository + "@" +
         to_text(image.index ? image.index->digest : image.manifest.digest);
}

Checked<std::vector<Imported>> import_images(const Catalogue& catalogue, std::uint16_t port,
                                             const Engine& engine) {
  std::vector<Imported> imported;
  for (const auto& served : catalogue.images()) {
    const auto& image = *served.image;
    const auto target = pulled_name(served, port);
    auto steps = steps_of(engine.kind, served, target);
    for (const auto& command : steps.commands) {
      auto words = start_of(engine);
      words.insert(words.end(), command.begin(), command.end());
      const auto ended = run_process(words, kPatience);
      if (!ended) return tl::unexpected(ended.error());
      if (ended->status != 0) {
        return refuse(Code::engine_refused, engine.program + " ended with " +
                                                std::to_string(ended->status) + " for '" +
                                                image.reference + "': " + ended->output);
      }
    }
    imported.push_back({.reference = image.reference, .name = std::move(steps.name)});
  }
  return imported;
}

}  // namespace caisson::installer
