#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "generator/bundle/source.h"
#include "generator/image/layout.h"

namespace caisson::bundle {

struct ImageBlob {
  Digest digest{};
  std::string media_type;
  Source source;
};

/// An image for one platform, byte for byte as it was found. Its blobs are not checked yet.
struct ShelfImage {
  std::string reference;  ///< as artifacts name it
  ImageBlob manifest;
  ImageBlob config;
  std::vector<ImageBlob> layers;   ///< lowest first
  std::optional<ImageBlob> index;  ///< what the reference's digest names, when that is no manifest
};

/// A reference in its long form, as engines compare them: "docker.io/library/caddy:2.10.0".
[[nodiscard]] std::string long_reference(std::string_view reference);

/// Images that a bundle may carry: OCI layouts and archives of `docker save`, as directories or tar
/// archives.
class Shelf {
 public:
  /// Adds the images at `path`.
  [[nodiscard]] Result<void> add(const std::filesystem::path& path);
  /// Adds a layout that was made just now.
  [[nodiscard]] Result<void> add(std::vector<image::LayoutFile> layout);

  /// The image that artifacts call `reference`, for Linux on `arch`. One with a digest is found by
  /// that alone, any other by its name. Fails, and says how to get it, when no place has it.
  [[nodiscard]] Result<ShelfImage> find(const std::string& reference,
                                        const std::string& arch) const;

 private:
  /// The files of one place, by path.
  using Files = std::map<std::string, Source, std::less<>>;
  struct Place {
    std::filesystem::path path;
    bool directory = false;
    Files files;  ///< of an archive, or in memory
    [[nodiscard]] Result<Source> open(const std::string& name) const;
    [[nodiscard]] bool has(const std::string& name) const;
  };
  struct Named {
    std::size_t place = 0;
    std::string name;  ///< in its long form
    std::string media_type;
    Digest digest{};            ///< of a manifest or an index
    std::string docker_config;  ///< of an archive of `docker save`: its paths instead
    std::vector<std::string> docker_layers;
  };

  [[nodiscard]] Result<void> read(Place place);
  [[nodiscard]] Result<void> read_index(std::size_t place);
  [[nodiscard]] Result<void> read_docker(std::size_t place);
  [[nodiscard]] Result<ShelfImage> image(const Place& place, ImageBlob found,
                                         const std::string& arch) const;
  [[nodiscard]] Result<ShelfImage> saved(const Named& named) const;

  std::vector<Place> places_;
  std::vector<Named> named_;
};

}  // namespace caisson::bundle
