#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/render/dockerfile.h"

namespace caisson::image {

/// A file that a build copies from.
struct ContextFile {
  std::string_view bytes;  ///< must outlive the build
  unsigned mode = 0644;
};

/// The directory of a build, by path.
using Context = std::map<std::string, ContextFile, std::less<>>;

/// A layer as it is stored: a tar archive, not compressed, so that its digest is also its diff id
/// and depends on no compressor's version. What carries images (a registry's client, a bundle)
/// compresses.
struct Layer {
  std::string bytes;
  std::string sha256;
};

/// A container image for Linux.
struct Image {
  std::string name;  ///< "caisson-runtime:1.0.0"
  std::string architecture;
  std::string config;  ///< JSON: OCI image configuration with Docker's health check
  std::vector<Layer> layers;
};

/// Builds what `docker build` builds from such a Dockerfile, without a daemon: images that start
/// from nothing and are copied together. `RUN` is for stages that the image only copies from, and
/// asks of its program that it could run: static, and for the architecture that the image is for.
/// Every time in the image is `seconds` after the epoch (SOURCE_DATE_EPOCH). Fails, naming the
/// instruction, on what needs a daemon.
[[nodiscard]] Result<Image> build(std::string name, const render::Dockerfile& dockerfile,
                                  const Context& context, std::int64_t seconds);

}  // namespace caisson::image
