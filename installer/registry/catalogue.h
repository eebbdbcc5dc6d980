#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "installer/registry/reference.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {

/// An image of a bundle, by the name that registries give it.
struct Served {
  const Image* image = nullptr;
  Reference reference;  ///< the registry that it names is left out of what is served
};

/// The images of a bundle as a registry has them: repositories with documents and tags, and blobs
/// by their digest. The bundle has to outlive it.
class Catalogue {
 public:
  /// Refuses a delta that leaves out blobs (`Code::wrong_base`), and images that registries cannot
  /// tell apart (`Code::image_names`): a name that none allows, or one repository and tag twice.
  [[nodiscard]] static Checked<Catalogue> of(const VerifiedBundle& bundle);

  [[nodiscard]] const std::vector<Served>& images() const { return images_; }
  [[nodiscard]] bool has(std::string_view repository) const;
  /// The document that a repository has under a tag or a digest; null when there is none.
  [[nodiscard]] const Document* document(std::string_view repository,
                                         std::string_view reference) const;
  /// The size of a blob; null when no image has it.
  [[nodiscard]] const std::uint64_t* blob(const Digest& digest) const;
  /// Sorted.
  [[nodiscard]] std::vector<std::string> tags(std::string_view repository) const;

  /// All of a document, when it is what was signed.
  [[nodiscard]] Checked<std::string> read(const Document& document) const;
  /// Gives a blob in pieces to `each`, the last one only when all are what was signed.
  [[nodiscard]] Checked<void> read(
      const Digest& digest, const std::function<Checked<void>(std::string_view piece)>& each) const;

 private:
  explicit Catalogue(const VerifiedBundle& bundle) : bundle_(&bundle) {}

  struct Repository {
    std::map<std::string, const Document*, std::less<>> documents;  ///< by "sha256:..." and by tag
  };

  const VerifiedBundle* bundle_;
  std::vector<Served> images_;
  std::map<std::string, Repository, std::less<>> repositories_;
  std::map<Digest, std::uint64_t> blobs_;
};

}  // namespace caisson::installer
