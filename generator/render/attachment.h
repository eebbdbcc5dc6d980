#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// How one target is reached from its host.
struct Attachment {
  std::string_view target;
  /// Where a listener of an instance is: "unix:/run/acme/runtime/data.sock", or address and port.
  std::function<std::string(const plan::Instance&, const plan::Port&)> address;
  /// The file of a secret, absolute or beside the site.json.
  std::function<std::string(std::string_view secret)> secret_file;
  std::string edge{};        ///< "https://127.0.0.1:443"; empty: there is none
  plan::Origin listeners{};  ///< what says where listeners are
  plan::Origin secrets{};    ///< what says where files of secrets are
};

/// `site.json`, by which `caisson conform --attach` finds a deployment that runs
/// (docs/conformance.md).
[[nodiscard]] Node site_description(const plan::Plan& plan, const Attachment& attachment);

}  // namespace caisson::render
